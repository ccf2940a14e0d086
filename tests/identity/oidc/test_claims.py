"""What a provider's tokens have to say before anything of them is believed."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime

import pytest
from joserfc import jws
from joserfc.jwk import KeySet, OctKey, RSAKey

from quarterdeck.identity.oidc.claims import LOGOUT, id_token, kid, logout_token
from quarterdeck.kernel.errors import Unauthenticated

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
KEY = RSAKey.generate_key(2048, {"kid": "one"})
KEYS = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
WHO = {"issuer": "https://login.example.com", "client_id": "deck"}
ID = {"iss": WHO["issuer"], "aud": "deck", "sub": "u-1", "iat": AT, "exp": AT + 300, "nonce": "n"}
OUT = {"iss": WHO["issuer"], "aud": ["deck"], "sub": "u-1", "iat": AT, "jti": "j", "events": {LOGOUT: {}}}


def signed(claims: object, key: object = KEY, **header: object) -> str:
    head = {"alg": "RS256", "kid": "one", **header}
    return jws.serialize_compact(head, json.dumps(claims), key, algorithms=[head["alg"]])


def without(claims: dict, name: str) -> dict:
    return {key: value for key, value in claims.items() if key != name}


def test_a_token_of_this_sign_in_is_believed() -> None:
    assert id_token(signed(ID), KEYS, **WHO, nonce="n", now=NOW) == ID
    many = {**ID, "aud": ["deck", "other"], "azp": "deck"}
    assert id_token(signed(many), KEYS, **WHO, nonce="n", now=NOW)["azp"] == "deck"
    assert kid(signed(ID)) == "one"


WRONG = {
    "another issuer": {**ID, "iss": "https://evil.example.com"},
    "another audience": {**ID, "aud": "other"},
    "no audience": without(ID, "aud"),
    "made for another": {**ID, "aud": ["deck", "other"], "azp": "other"},
    "several and none named": {**ID, "aud": ["deck", "other"]},
    "expired": {**ID, "exp": AT - 61},
    "no end": without(ID, "exp"),
    "a text as end": {**ID, "exp": str(AT + 300)},
    "a truth as end": {**ID, "exp": True},
    "from the future": {**ID, "iat": AT + 61},
    "another nonce": {**ID, "nonce": "m"},
    "no nonce": without(ID, "nonce"),
    "nobody": without(ID, "sub"),
    "a number as subject": {**ID, "sub": 7},
    "a long subject": {**ID, "sub": "x" * 256},
    "no claims": ["iss"],
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG)
def test_a_token_of_something_else_is_not(claims) -> None:
    with pytest.raises(Unauthenticated) as raised:
        id_token(signed(claims), KEYS, **WHO, nonce="n", now=NOW)
    assert raised.value.code == "oidc_token_invalid"


def test_a_signature_has_to_be_one_of_the_providers_keys() -> None:
    """Not of another key under its name, not of the client secret, not none, not of the public key as a secret."""
    body = signed(ID).split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=") + f".{body[1]}."
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').decode().rstrip("=")
    mac = hmac.digest(KEY.as_pem(private=False), f"{head}.{body[1]}".encode(), "sha256")
    as_secret = f"{head}.{body[1]}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    tokens = [
        signed(ID, RSAKey.generate_key(2048, {"kid": "one"})),
        signed(ID, RSAKey.generate_key(2048), kid="two"),
        signed(ID, OctKey.import_key("s" * 64), alg="HS256"),
        as_secret,
        unsigned,
        f"{body[0]}.{body[1]}.",
        ".".join([body[0], signed({**ID, "sub": "u-2"}).split(".")[1], body[2]]),
        "no token",
        "",
        "a.b.c",
        "é.é.é",
        "x" * 70_000,
    ]
    for token in tokens:
        with pytest.raises(Unauthenticated):
            id_token(token, KEYS, **WHO, nonce="n", now=NOW)
        kid(token)


def test_a_logout_token_is_believed() -> None:
    assert logout_token(signed(OUT), KEYS, **WHO, now=NOW) == OUT
    session = {**without(OUT, "sub"), "sid": "s"}
    assert logout_token(signed(session), KEYS, **WHO, now=NOW)["sid"] == "s"


NO_LOGOUT = {
    "an ID token": {**OUT, "nonce": "n"},
    "no event": without(OUT, "events"),
    "another event": {**OUT, "events": {"other": {}}},
    "an event that is none": {**OUT, "events": {LOGOUT: True}},
    "nobody": without(OUT, "sub"),
    "no number": without(OUT, "jti"),
    "too old": {**OUT, "iat": AT - 601},
    "from the future": {**OUT, "iat": AT + 61},
    "expired": {**OUT, "exp": AT - 61},
    "another audience": {**OUT, "aud": ["other"]},
    "a strange session": {**OUT, "sid": 7},
}


@pytest.mark.parametrize("claims", NO_LOGOUT.values(), ids=NO_LOGOUT)
def test_what_is_no_logout_token_is_not(claims) -> None:
    with pytest.raises(Unauthenticated):
        logout_token(signed(claims), KEYS, **WHO, now=NOW)
