"""The repositories that somebody's token of a git host shows, page by page."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from quarterdeck.infra.repositories.hosts import PAGE, Host, Repository
from quarterdeck.kernel.errors import Invalid, ProviderFailure, Unavailable
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.vault.secret import MASK

MOST = 5000
"""Repositories of one answer."""
SECONDS, WHOLE = 20.0, 60.0
LARGEST = 8 << 20
"""Bytes of one page."""
SAID = 500
"""Characters of a host's refusal that are passed on."""
LONGEST_TOKEN = 4000
AT_ONCE = 8
"""Listings of the whole server at a time."""


@dataclass(frozen=True, slots=True)
class Listed:
    """`truncated`: there are more than are shown."""

    repositories: list[Repository]
    truncated: bool


class HostRefused(ProviderFailure):
    """A git host says no. `status` is what it answered."""

    default_code = "git_host_refused"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, hint="Log in again, with a git account that may read the repositories.")
        self.status = status


class HostUnreachable(Unavailable):
    default_code = "git_host_unreachable"


def check_token(host: Host, token: str) -> str:
    """Raises `Invalid` (`provider_token_missing`, `provider_token_invalid`)."""
    if not token:
        raise Invalid(
            f"No {host.name} token found. Please log in again with {host.name}.",
            code="provider_token_missing",
            hint="Send it in the header X-Provider-Token.",
        )
    if len(token) > LONGEST_TOKEN or not token.isascii() or any(ord(one) <= 32 or ord(one) == 127 for one in token):
        raise Invalid(
            "The provider token has characters that no token has, or too many of them.",
            code="provider_token_invalid",
            hint="Send it in the header X-Provider-Token as the git host gave it.",
        )
    return token


class Listings:
    """At most `AT_ONCE` listings at a time; the others wait, and are refused after a while."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._places = asyncio.Semaphore(AT_ONCE)

    async def all(self, host: Host, base: str, token: str) -> Listed:
        """Everything that the token shows, newest first, at most `MOST`.

        Raises `Invalid` for no token, `HostRefused`, and `HostUnreachable`.
        """
        check_token(host, token)
        try:
            async with asyncio.timeout(WHOLE), self._places:
                return await self._listed(host, base, token)
        except TimeoutError:
            raise HostUnreachable(f"{host.name} took longer than {WHOLE:g} seconds to list the repositories.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HostUnreachable(f"{host.name} cannot be reached ({type(error).__name__}).") from None

    async def _listed(self, host: Host, base: str, token: str) -> Listed:
        found: dict[str, Repository] = {}
        headers = {"User-Agent": "quarterdeck", "Accept": "application/json", **host.headers}
        async with httpx.AsyncClient(
            headers={**headers, "Authorization": f"Bearer {token}"},
            timeout=SECONDS,
            follow_redirects=False,
            transport=self._transport,
        ) as client:
            following: str | None = host.query_of(1)
            for number in range(2, MOST // PAGE + 3):
                answer, content = await _fetched(client, host, f"{base}{host.path}?{following}", token)
                document = _decoded(host, content)
                rows = host.rows(document) or []
                for row in rows:
                    if isinstance(row, dict):
                        one = host.read(row)
                        found.setdefault(one.id, one)  # what moves between pages meanwhile comes twice
                following = _following(host, document, answer, len(rows), number)
                if following is None or len(found) > MOST:
                    break
        return Listed(list(found.values())[:MOST], truncated=len(found) > MOST or following is not None)


async def _fetched(client: httpx.AsyncClient, host: Host, address: str, token: str) -> tuple[httpx.Response, bytes]:
    async with client.stream("GET", address) as answer:
        content = b""
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > LARGEST:
                raise HostRefused(f"{host.name} API error: {answer.status_code} the answer is too long", 502)
    if answer.status_code != 200:
        said = shown(content.decode(errors="replace").replace(token, MASK), SAID)
        status = answer.status_code if answer.status_code >= 400 else 502
        raise HostRefused(f"{host.name} API error: {answer.status_code} {said}".rstrip(), status)
    return answer, content


def _decoded(host: Host, content: bytes) -> Any:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if host.rows(document) is None:
        raise HostRefused(f"{host.name} API error: 200 the answer is no list", 502)
    return document


def _following(host: Host, document: Any, answer: httpx.Response, count: int, number: int) -> str | None:
    """The query of the page after this one. Hosts say in their own ways that there is one; where one says nothing, a
    full page means so. Of a whole address that it names the query alone counts: the token goes to no other host.
    """
    if isinstance(document, dict):
        named = document.get("next")
        return urlsplit(named).query if isinstance(named, str) and named and count else None
    if "x-next-page" in answer.headers:
        return host.query_of(number) if answer.headers["x-next-page"].strip() else None
    more = "next" in answer.links or ("link" not in answer.headers and count >= PAGE)
    return host.query_of(number) if more else None
