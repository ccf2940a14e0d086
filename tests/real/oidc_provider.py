"""A small OpenID Connect provider on loopback, written from OpenID Connect Core 1.0, Discovery 1.0 and RFC 7636.

It has one client, checks everything that a strict provider checks, and refuses whatever it does not know. Whoever asks
it to authorize is signed in at once, as the person that the test has set.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jws
from joserfc.jwk import RSAKey

CLIENT, SECRET = "deck", "s3cret+with/odd=signs"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class OidcProvider:
    """`claims` are those of whoever signs in; `wrong` are claims that replace what would be right."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"}))
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1", "email": "eve@example.com"})
    userinfo: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=dict)
    redirect_uris: set[str] = field(default_factory=set)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    bearers: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    turned_down: str = ""
    names_itself: bool = True
    document: dict[str, Any] = field(default_factory=dict)
    status: int = 200

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.names_itself,
            **self.document,
        }

    def rotate(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        head = {"alg": "RS256", "kid": self.key.kid, **header}
        return jws.serialize_compact(head, json.dumps(claims), self.key)

    def logout_token(self, **given: Any) -> str:
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": CLIENT, "iat": int(time.time()), "jti": secrets.token_hex(8),
            "events": {LOGOUT: {}}, **given,
        }  # fmt: skip
        return self.signed({name: value for name, value in claims.items() if value is not None}, typ="logout+jwt")

    # -- what it answers

    def authorize(self, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        known = {"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
                 "code_challenge_method"}  # fmt: skip
        right = (
            set(query) == known
            and query["response_type"] == "code"
            and query["client_id"] == CLIENT
            and query["redirect_uri"] in self.redirect_uris
            and "openid" in query["scope"].split()
            and query["code_challenge_method"] == "S256"
        )
        if not right:
            return 400, {}, {"error": "invalid_request", "got": query}
        back = {"state": query["state"], **({"iss": self.issuer} if self.names_itself else {})}
        if self.turned_down:
            back |= {"error": "access_denied", "error_description": self.turned_down}
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = query
        return 302, {"location": f"{query['redirect_uri']}?{urlencode(back)}"}, None

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, str], Any]:
        from urllib.parse import quote

        expected = base64.b64encode(f"{quote(CLIENT, safe='')}:{quote(SECRET, safe='')}".encode()).decode()
        plain = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization not in {f"Basic {expected}", f"Basic {plain}"}:
            return 401, {}, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        right = (
            asked is not None
            and form.get("grant_type") == "authorization_code"
            and form.get("redirect_uri") == asked["redirect_uri"]
            and 43 <= len(verifier) <= 128
            and digest == asked["code_challenge"]
        )
        if not right or asked is None:
            return 400, {}, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.claims,
            **self.wrong,
        }  # fmt: skip
        bearer = secrets.token_urlsafe(16)
        self.bearers.add(bearer)
        token = self.signed({name: value for name, value in claims.items() if value is not None})
        return 200, {}, {"access_token": bearer, "token_type": "Bearer", "expires_in": 300, "id_token": token}


def _handler(provider: OidcProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            provider.asked.append(f"GET {parts.path}")
            if provider.status != 200:
                self.answer(provider.status, {}, {})
            elif parts.path == "/.well-known/openid-configuration":
                self.answer(200, {}, provider.described())
            elif parts.path == "/keys":
                self.answer(200, {}, {"keys": [provider.key.as_dict(private=False)]})
            elif parts.path == "/authorize":
                self.answer(*provider.authorize(query))
            elif parts.path == "/userinfo" and self.bearer() in provider.bearers:
                self.answer(200, {}, {"sub": provider.claims["sub"], **provider.userinfo})
            else:
                self.answer(404, {}, {"error": "unknown call"})

        def do_POST(self) -> None:
            provider.asked.append(f"POST {self.path}")
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            if self.path == "/token":
                self.answer(*provider.token(form, self.headers.get("authorization", "")))
            else:
                self.answer(404, {}, {"error": "unknown call"})

        def bearer(self) -> str:
            return self.headers.get("authorization", "").removeprefix("Bearer ")

        def answer(self, status: int, headers: dict[str, str], body: Any) -> None:
            data = json.dumps(body).encode() if body is not None else b""
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    return Handler


@contextmanager
def oidc_provider() -> Iterator[OidcProvider]:
    provider = OidcProvider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
