"""What a provider says of itself: its addresses and its keys, fetched when they are needed and kept for a while."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import json

from quarterdeck.kernel.errors import Invalid, Unavailable
from quarterdeck.kernel.unreadable import UNREADABLE

WELL_KNOWN = "/.well-known/openid-configuration"
SECONDS = 10.0
WHOLE = 20.0
"""Seconds for the whole of an answer, however it drips."""
LARGEST = 1 << 20
KEPT = 600.0
"""Seconds for which addresses and keys are believed."""
AGAIN = 10.0
"""Seconds after which a key that is not known is looked for again: whoever makes up names of keys makes no load."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """`names_itself`: answers carry `iss` (RFC 9207). `methods` are the ways in which a client may prove itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    methods: tuple[str, ...]
    names_itself: bool


def check_address(address: str, field: str = "issuer") -> str:
    """An address that secrets may be sent to: `https`, or this machine. Raises `Invalid`."""
    parts = urlsplit(address)
    if (
        not parts.hostname
        or parts.username is not None
        or parts.fragment
        or (field == "issuer" and parts.query)
        or not (parts.scheme == "https" or (parts.scheme == "http" and _here(parts.hostname)))
    ):
        raise Invalid(
            f"{address[:120]!r} is no address of a provider.",
            hint="Give the issuer as it names itself, such as https://login.example.com/realms/team.",
            field=field,
        )
    return address


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read(document: Any, issuer: str) -> Metadata:
    """The parts of a discovery document that are used. Raises `Unavailable` (`oidc_provider_unusable`)."""
    if not isinstance(document, dict):
        raise unusable(issuer, "its description is no JSON object")
    if document.get("issuer") != issuer:
        raise unusable(issuer, f"it calls itself {str(document.get('issuer'))[:120]!r}")
    found: dict[str, str] = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        found[name] = _endpoint(document, name, issuer) or ""
        if not found[name]:
            raise unusable(issuer, f"its description has no {name}")
    methods = document.get("token_endpoint_auth_methods_supported")
    challenges = document.get("code_challenge_methods_supported")
    if isinstance(challenges, list) and "S256" not in challenges:
        raise unusable(issuer, "it does not know PKCE with S256")
    return Metadata(
        issuer,
        found["authorization_endpoint"],
        found["token_endpoint"],
        found["jwks_uri"],
        _endpoint(document, "userinfo_endpoint", issuer),
        tuple(str(one) for one in methods) if isinstance(methods, list) else ("client_secret_basic",),
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: dict[str, Any], name: str, issuer: str) -> str | None:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        return None
    try:
        return check_address(value, name)
    except Invalid:
        raise unusable(issuer, f"its {name} is no https address") from None


class Discovery:
    """Descriptions and keys by issuer. `client` makes the client for each look, so that a test may hold it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Metadata]] = {}
        self._keys: dict[str, tuple[float, KeySet]] = {}

    async def metadata(self, issuer: str, *, fresh: bool = False) -> Metadata:
        """Raises `Unavailable`: `oidc_provider_unreachable` or `oidc_provider_unusable`."""
        kept = self._known.get(issuer)
        if kept is not None and not fresh and time.monotonic() - kept[0] < KEPT:
            return kept[1]
        document = await fetch(issuer, issuer.rstrip("/") + WELL_KNOWN)
        found = read(document, issuer)
        self._known[issuer] = (time.monotonic(), found)
        return found

    async def keys(self, known: Metadata, kid: str | None = None) -> KeySet:
        """The provider's keys; looked for again when `kid` is none of them. Raises as `metadata` does."""
        kept = self._keys.get(known.jwks_uri)
        age = time.monotonic() - kept[0] if kept is not None else KEPT
        if kept is not None and age < (KEPT if kid is None or _has(kept[1], kid) else AGAIN):
            return kept[1]
        document = await fetch(known.issuer, known.jwks_uri)
        try:
            found = KeySet.import_key_set(document)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise unusable(known.issuer, "its keys cannot be read") from None
        self._keys[known.jwks_uri] = (time.monotonic(), found)
        return found


def _has(keys: KeySet, kid: str) -> bool:
    return any(key.kid == kid for key in keys.keys)


async def fetch(issuer: str, address: str, *, bearer: str | None = None) -> Any:
    """A JSON document of the provider's, at most 1 MB, without following elsewhere."""
    headers = {"accept": "application/json", **({"authorization": f"Bearer {bearer}"} if bearer else {})}
    try:
        async with (
            asyncio.timeout(WHOLE),
            httpx.AsyncClient(timeout=SECONDS, follow_redirects=False) as client,
            client.stream("GET", address, headers=headers) as answer,
        ):
            data = b""
            async for part in answer.aiter_bytes():
                data += part
                if len(data) > LARGEST:
                    raise unusable(issuer, "it answers with more than 1 MB")
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
        raise unreachable(issuer, type(error).__name__) from None
    if status != 200:
        raise unusable(issuer, f"{urlsplit(address).path} answers {status}")
    try:
        return json.decode(data)
    except UNREADABLE:
        raise unusable(issuer, f"{urlsplit(address).path} answers no JSON") from None


def unreachable(issuer: str, why: str) -> Unavailable:
    return Unavailable(
        f"The provider {issuer} cannot be reached ({why}).",
        code="oidc_provider_unreachable",
        hint="Try again. A password still works.",
    )


def unusable(issuer: str, why: str) -> Unavailable:
    return Unavailable(
        f"The provider {issuer} cannot be used: {why}.",
        code="oidc_provider_unusable",
        hint="Compare the issuer's address with what the provider calls itself. A password still works.",
    )
