"""Careful calls of a cloud's API: to its own hosts alone, bounded, and never followed elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from quarterdeck.kernel.errors import Problem, ProviderFailure, Unavailable
from quarterdeck.kernel.text import shown

SECONDS = 30.0
LARGEST = 8 << 20
"""Bytes of one answer."""
SAID = 300


class Caller:
    """`hosts` are all that are ever called. `transport` lets a test answer in their place."""

    def __init__(self, name: str, hosts: frozenset[str], transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.name = name
        self._hosts = hosts
        self._http = httpx.AsyncClient(
            headers={"User-Agent": "quarterdeck", "Accept": "application/json"},
            timeout=SECONDS,
            follow_redirects=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def call(
        self,
        method: str,
        url: str,
        *,
        bearer: str | None = None,
        form: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The decoded object. Raises `ProviderFailure` (`infra_cloud_refused`) for what the cloud refuses or cannot be
        understood, and `Unavailable` (`infra_cloud_unreachable`).
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.netloc not in self._hosts:
            raise self.refused(f"names the address {shown(url, 120)!r}, which is none of its own")
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        request = self._http.build_request(method, url, headers=headers, data=form, json=body, params=query)
        try:
            answer = await self._http.send(request, stream=True)
            try:
                content = await self._read(answer)
            finally:
                await answer.aclose()
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{self.name} cannot be reached at {parts.netloc} ({type(error).__name__}).",
                code="infra_cloud_unreachable",
                hint="Let the runner reach the cloud, then run the job again.",
            ) from None
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if answer.status_code != 200:
            raise self.refused(f"answered {answer.status_code} at {parts.netloc}{parts.path}{told(found)}")
        if not isinstance(found, dict):
            raise self.refused(f"answered with no object at {parts.netloc}{parts.path}")
        return found

    async def _read(self, answer: httpx.Response) -> bytes:
        content = b""
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > LARGEST:
                raise self.refused("answered with more than can be read")
        return content

    def refused(self, what: str) -> Problem:
        return ProviderFailure(
            f"{self.name} {what}.",
            code="infra_cloud_refused",
            hint="Compare what the cloud trusts (issuer, subject, audience, role) with the cloud identity here.",
        )


def told(found: Any) -> str:
    """The cloud's own reason, as the end of a sentence."""
    if not isinstance(found, dict):
        return ""
    error = found.get("error")
    inner = error if isinstance(error, dict) else found
    texts = [inner.get("message"), inner.get("error_description"), error, inner.get("code")]
    text = next((one for one in texts if isinstance(one, str) and one), "")
    return f": {shown(text.splitlines()[0].strip(' .'), SAID)}" if text.strip() else ""
