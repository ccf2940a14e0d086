"""Careful calls of a provider's API: nowhere but to its address, bounded in time and size. What it says of a failure is
told to nobody, for it could hold a value.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import httpx
import msgspec

from quarterdeck.broker.execution.providers import objects, protocol
from quarterdeck.broker.execution.providers.protocol import refused, unreachable
from quarterdeck.kernel.errors import Problem, ProviderFailure
from quarterdeck.kernel.vault import Secret

LARGEST = 8 << 20
"""Bytes of an answer."""
USUAL = {"User-Agent": "quarterdeck", "Accept": "application/json", "Accept-Encoding": "identity"}
TOLD = {
    401: "does not accept the credential",
    403: "lets the credential not do this",
    404: "does not know this",
    429: "is asked too often",
}


class Caller:
    """Calls below `base`. No redirect is followed and no proxy of the environment asked: the credential is meant for
    this address alone.
    """

    def __init__(self, name: str, base: str, headers: Mapping[str, str], ca_pem: str | None = None) -> None:
        self.name = name
        self.base = base.rstrip("/")
        self._http = httpx.AsyncClient(
            headers={
                "User-Agent": "quarterdeck",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                **headers,
            },
            timeout=protocol.SECONDS,
            follow_redirects=False,
            trust_env=False,
            verify=_trust(name, ca_pem) if self.base.startswith("https:") else False,
        )

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """The status and the decoded object; {} where a refusal has none. Raises `ProviderFailure`."""
        content = None if body is None else msgspec.json.encode(body)
        more = {**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})}
        try:
            async with (
                asyncio.timeout(protocol.SECONDS),
                self._http.stream(
                    method, f"{self.base}{path}", content=content, params=query or None, headers=more
                ) as answer,
            ):
                read = bytearray()
                async for part in answer.aiter_raw():
                    read += part
                    if len(read) > LARGEST:
                        raise refused(self.name, "answers with more than can be read")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise unreachable(self.name, error) from None
        try:
            found = objects.parsed(bytes(read))
        except ValueError:
            found = None
        if isinstance(found, dict):
            return answer.status_code, found
        if answer.is_success:
            raise self.garbage()
        return answer.status_code, {}

    async def close(self) -> None:
        await self._http.aclose()

    def failed(self, status: int) -> Problem:
        if 300 <= status < 400:
            return refused(self.name, "leads to another address, and the credential is not taken there")
        return refused(self.name, TOLD.get(status, f"answered HTTP {status}"))

    def garbage(self) -> ProviderFailure:
        return refused(self.name, "answers in a way that cannot be understood")


def header(name: str, token: Secret[str] | str) -> str:
    """A credential as it may stand in a header."""
    text = (token if isinstance(token, str) else token.reveal()).strip()
    if not text or not text.isascii() or not text.isprintable():
        raise refused(name, "cannot be asked with this credential, which has characters that no token has")
    return text


def _trust(name: str, ca_pem: str | None) -> ssl.SSLContext:
    try:
        return _usual() if ca_pem is None else _own(ca_pem)
    except (ssl.SSLError, ValueError):
        raise refused(name, "cannot be trusted by a certificate that does not read") from None


@lru_cache(maxsize=1)
def _usual() -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _own(ca_pem: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
