"""One bounded, careful call of a forge's API."""

from __future__ import annotations

import json
from typing import Any, Self

import httpx

from quarterdeck.kernel.errors import Problem, ProviderFailure

SECONDS = 20.0
MOST = 4_000_000
"""Bytes of an answer that are read."""
SAID = 200


class Client:
    """Calls below `base`; no redirect is followed, for the token is meant for this host alone."""

    def __init__(
        self, name: str, base: str, headers: dict[str, str], transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.name = name
        self._base = base
        self._http = httpx.AsyncClient(
            headers={"User-Agent": "quarterdeck", "Accept": "application/json", **headers},
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
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
        *,
        absent: tuple[int, ...] = (),
    ) -> Any:
        """The decoded answer, None for a status of `absent`. Raises `provider_error` for every other failure."""
        try:
            async with self._http.stream(method, f"{self._base}{path}", json=body, params=query) as answer:
                content = b""
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > MOST:
                        raise self._failed("answered with more than can be read")
        except httpx.HTTPError as error:
            raise self._failed(f"cannot be reached ({type(error).__name__})") from None
        if answer.status_code in absent:
            return None
        try:
            found = json.loads(content) if content else None
        except ValueError:
            found = None
        if not answer.is_success:
            raise self._failed(f"answered {answer.status_code}{_told(found)}", status=answer.status_code)
        if found is None:
            raise self._failed("answered with no JSON")
        return found

    def _failed(self, what: str, **facts: Any) -> Problem:
        return ProviderFailure(
            f"{self.name} {what}.",
            code="forge_failed",
            hint="Look at the rights of the project's git token, and open the merge request by hand.",
            **facts,
        )

    def text(self, found: Any, key: str) -> str:
        """A text of an answer that has to be there."""
        value = found.get(key) if isinstance(found, dict) else None
        if not isinstance(value, str) or not value.startswith(("https://", "http://")):
            raise self._failed(f"answered without {key}")
        return value[:1000]


def _told(found: Any) -> str:
    """What a forge says of its refusal; its forms differ."""
    if not isinstance(found, dict):
        return ""
    said = found.get("message") or found.get("error") or ""
    text = said if isinstance(said, str) else json.dumps(said)
    more = [one.get("message") for one in found.get("errors") or [] if isinstance(one, dict)]
    text = "; ".join([text, *(one for one in more if isinstance(one, str))])
    line = "".join(one if one.isprintable() else " " for one in text).strip(" .")
    return f": {line[:SAID]}" if line else ""
