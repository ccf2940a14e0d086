"""What a provider's tokens have to say before anything is believed: signature, issuer, audience, time, and for whom.

Pure: the keys and the time come in. Rules: OpenID Connect Core 1.0 §3.1.3.7, Back-Channel Logout 1.0 §2.6.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import json

from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.unreadable import UNREADABLE

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""Signatures by a key of the provider's: no `none`, and nothing that the client secret alone could sign."""
LEEWAY = 60
LOGOUT_AGE = 600
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST = 64 << 10
FAR = 1 << 40
"""Seconds since 1970: beyond it lies no time that anybody means."""


def id_token(token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now: datetime) -> dict[str, Any]:
    """The claims of an ID token. Raises `Unauthenticated` (`oidc_token_invalid`) for one of another sign-in."""
    found = _checked(token, keys, issuer=issuer, client_id=client_id)
    at = now.timestamp()
    if _time(found, "exp") <= at - LEEWAY:
        raise invalid("it has expired")
    if _time(found, "iat") > at + LEEWAY:
        raise invalid("it is from the future: compare the clocks")
    if found.get("nonce") != nonce:
        raise invalid("it answers another sign-in")
    _subject(found)
    return found


def logout_token(token: str, keys: KeySet, *, issuer: str, client_id: str, now: datetime) -> dict[str, Any]:
    """The claims of a logout token. Raises as `id_token` does."""
    found = _checked(token, keys, issuer=issuer, client_id=client_id)
    at = now.timestamp()
    if not at - LOGOUT_AGE <= _time(found, "iat") <= at + LEEWAY:
        raise invalid("it is too old, or from the future")
    if "exp" in found and _time(found, "exp") <= at - LEEWAY:
        raise invalid("it has expired")
    events = found.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict):
        raise invalid("it tells of no sign-out")
    if "nonce" in found:
        raise invalid("it has a nonce, which belongs to ID tokens")
    if not isinstance(found.get("jti"), str) or not found["jti"]:
        raise invalid("it has no jti")
    if "sub" not in found and "sid" not in found:
        raise invalid("it names neither a person nor a session")
    if "sub" in found:
        _subject(found)
    if not isinstance(found.get("sid", ""), str):
        raise invalid("its sid is no text")
    return found


def _checked(token: str, keys: KeySet, *, issuer: str, client_id: str) -> dict[str, Any]:
    if len(token) > LONGEST:
        raise invalid("it is longer than 64 KB")
    try:
        opened = jws.deserialize_compact(token, keys, algorithms=ALGORITHMS)
        found = json.decode(opened.payload)
    except (JoseError, TypeError, *UNREADABLE):
        raise invalid("its signature is none of the provider's") from None
    if not isinstance(found, dict):
        raise invalid("it holds no claims")
    if found.get("iss") != issuer:
        raise invalid("another issuer made it")
    audience = found.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise invalid("it is for another client")
    if (len(audiences) > 1 or "azp" in found) and found.get("azp") != client_id:
        raise invalid("it was made for another client")
    return found


def _subject(found: dict[str, Any]) -> None:
    subject = found.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise invalid("it names nobody")


def _time(found: dict[str, Any], name: str) -> float:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"it has no {name}")
    if not abs(value) < FAR:
        raise invalid(f"its {name} is no time")
    return float(value)


def invalid(why: str) -> Unauthenticated:
    return Unauthenticated(
        f"The provider's token is not accepted: {why}.",
        code="oidc_token_invalid",
        hint="Sign in again. If it goes on, ask whoever runs this installation to look at the provider.",
    )


def kid(token: str) -> str | None:
    """Which key a token says it is signed with; nothing of it is believed yet."""
    try:
        found = jws.extract_compact(token.encode()).headers().get("kid")
    except (JoseError, TypeError, *UNREADABLE):
        return None
    return found if isinstance(found, str) else None
