"""One call of a platform's API: to the address that was checked, with what a person can act on where it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from quarterdeck.kernel.errors import ProviderFailure, Unavailable
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.notify import addresses
from quarterdeck.notify.bots.bots import Login

SECONDS = 10.0
LARGEST = 1 << 20


async def call(
    login: Login,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON object that the platform answers, whatever it says. Raises `Unavailable` for what may pass."""
    url = httpx.URL(login.api_url.rstrip("/") + path, params=query or None)
    called = await addresses.resolve(str(url), near=login.near)
    told = {"Host": called.authority, "User-Agent": "Quarterdeck", **(headers or {})}
    content = None
    if body is not None:
        content, told["Content-Type"] = msgspec.json.encode(body), "application/json; charset=utf-8"
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(
                timeout=SECONDS, follow_redirects=False, trust_env=False, verify=httpx.create_ssl_context()
            ) as client,
            client.stream(
                method, called.url, content=content, headers=told, extensions={"sni_hostname": called.host}
            ) as answer,
        ):
            data = b""
            async for part in answer.aiter_bytes():
                data += part
                if len(data) > LARGEST:
                    break
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
        raise unavailable(login, type(error).__name__) from None
    if status == 429 or status >= 500:
        raise unavailable(login, f"it answers {status}")
    try:
        found = msgspec.json.decode(data)
    except UNREADABLE:
        raise refused(login, f"HTTP {status}") from None
    if not isinstance(found, dict):
        raise refused(login, f"HTTP {status}")
    return found


def unavailable(login: Login, why: str) -> Unavailable:
    return Unavailable(
        f"{login.platform.capitalize()} cannot be reached ({why}).",
        code="chat_unavailable",
        hint="It is tried again.",
    )


def refused(login: Login, why: str) -> ProviderFailure:
    return ProviderFailure(
        f"{login.platform.capitalize()} refused a message of the bot {login.app_id}: {why[:120]}.",
        code="chat_refused",
        hint="Check the bot's secret, its scopes, and that it is in the chat.",
    )
