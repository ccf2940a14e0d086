"""Master keys in the Transit engine of HashiCorp Vault or OpenBao, which wraps and unwraps and never shows them.

https://developer.hashicorp.com/vault/api-docs/secret/transit: keys are read and rotated at `keys/NAME`, used at
`encrypt/NAME` and `decrypt/NAME`. Reading comes first, because encrypting with a key that is not there makes one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault import refusals
from quarterdeck.kernel.vault.backend import Wrapped
from quarterdeck.kernel.vault.secret import Secret

NAME = "transit"
SECONDS = 10.0
LARGEST = 1 << 20
AEAD = frozenset({"aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"})
MASTER_KEY = re.compile(r"((?:[A-Za-z0-9_-][\w.-]*/)+)([A-Za-z0-9_-][\w.-]*):v(\d+)", re.ASCII)
TEXT = re.compile(r"vault:v(\d+):[A-Za-z0-9+/=]+", re.ASCII)
POLICY = "Its token needs read on {mount}/keys/{key} and update on {mount}/encrypt/{key} and {mount}/decrypt/{key}."


@dataclass(frozen=True)
class Place:
    """`token` is asked at every call, because an agent may renew it in its file. `ca` is a PEM file."""

    address: str
    token: Callable[[], Secret[str]]
    mount: str = "transit"
    key: str = "quarterdeck"
    namespace: str | None = None
    ca: Path | None = None


class Facts(msgspec.Struct, frozen=True):
    """What a key says of itself."""

    type: str
    latest_version: int
    derived: bool = False
    supports_encryption: bool = False
    supports_decryption: bool = False


class TransitBackend:
    """A master key id is `MOUNT/NAME:vVERSION`. Older versions, and other keys of the same server, still unwrap."""

    name = NAME
    here = False

    def __init__(self, place: Place) -> None:
        self._place = place
        self._facts: dict[str, Facts] = {}
        self._http = httpx.Client(
            base_url=place.address,
            timeout=SECONDS,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # it is spoken to a few times a year
            verify=ssl.create_default_context(cafile=place.ca)
            if place.ca
            else httpx.create_ssl_context(trust_env=False),
        )

    @property
    def _key(self) -> str:
        return f"{self._place.mount}/{self._place.key}"

    def open(self, *, create: bool) -> None:
        """Ask what the key is. It is the operator's to make, with `create` too."""
        facts = self._look(self._key)
        if not facts.supports_encryption or not facts.supports_decryption:
            raise refusals.key_unsuitable(
                NAME, self._key, f"it is of type {facts.type[:40]}", f"Make one that encrypts: {self._made()}"
            )

    def _look(self, key: str) -> Facts:
        mount, _, name = key.rpartition("/")
        answer = self._ask("GET", f"{mount}/keys/{name}", "read its key")
        try:
            found = msgspec.convert(answer["data"], Facts)
        except (*UNREADABLE, KeyError, TypeError):
            raise refusals.away(NAME, self._place.address, "its answer is not that of a Transit engine") from None
        self._facts[key] = found
        return found

    def _made(self) -> str:
        return f"bao write -f {self._place.mount}/keys/{self._place.key}"

    @property
    def current(self) -> str:
        return f"{self._key}:v{self._facts[self._key].latest_version}"

    def wrap(self, data_key: bytes, associated: bytes) -> Wrapped:
        facts = self._facts[self._key]
        plain = data_key if facts.type in AEAD else hashlib.sha256(associated).digest() + data_key
        given = {"plaintext": _coded(plain), **_bound(facts, associated)}
        answer = self._ask("POST", f"{self._place.mount}/encrypt/{self._place.key}", "encrypt with its key", given)
        text = self._said(answer, "ciphertext")
        match = TEXT.fullmatch(text)
        if match is None:
            raise refusals.away(NAME, self._place.address, "what it has encrypted is not in its form")
        return Wrapped(f"{self._key}:v{match[1]}", text)

    def unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        named, text = MASTER_KEY.fullmatch(wrapped.master_key_id), TEXT.fullmatch(wrapped.text)
        if named is None or text is None or named[3] != text[1]:
            raise ValueError("altered")
        mount, name = named[1].rstrip("/"), named[2]
        facts = self._facts.get(f"{mount}/{name}") or self._look(f"{mount}/{name}")
        given = {"ciphertext": wrapped.text, **_bound(facts, associated)}
        answer = self._ask("POST", f"{mount}/decrypt/{name}", "decrypt with its key", given, altered=400)
        try:
            plain = base64.b64decode(self._said(answer, "plaintext"), validate=True)
        except binascii.Error:
            raise ValueError("altered") from None
        if facts.type in AEAD:
            return plain
        bound, plain = plain[:32], plain[32:]
        if not hmac.compare_digest(bound, hashlib.sha256(associated).digest()):
            raise ValueError("altered")
        return plain

    def keeps(self, master_key_id: str) -> bool:
        return True

    def stage(self) -> str:
        """A new version of the key."""
        self._ask("POST", f"{self._place.mount}/keys/{self._place.key}/rotate", "rotate its key", {})
        self.open(create=False)
        return self.current

    def retire(self) -> list[str]:
        """Nothing: which old versions still decrypt is for the operator to say (min_decryption_version)."""
        return []

    def _ask(
        self, method: str, path: str, what: str, given: dict[str, str] | None = None, *, altered: int | None = None
    ) -> Any:
        """What was answered. Raises a `Problem`, and `ValueError` for the status `altered`."""
        place = self._place
        headers = {"X-Vault-Request": "true", "X-Vault-Token": place.token().reveal()}
        if place.namespace is not None:
            headers["X-Vault-Namespace"] = place.namespace
        try:
            with self._http.stream(method, f"/v1/{path}", headers=headers, json=given) as answer:
                status, body = answer.status_code, b""
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        raise refusals.away(NAME, place.address, "its answer does not end")
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise refusals.away(NAME, place.address, type(error).__name__) from None
        if status == altered:
            raise ValueError("altered")
        if status == 404:
            raise refusals.key_missing(
                NAME, self._key, f"See transit_mount, transit_key and transit_namespace, or make it: {self._made()}"
            )
        if status in {400, 401, 403}:
            rotating = " To rotate it here it needs update on {mount}/keys/{key}/rotate, too; without it, rotate the "
            rotating += "key yourself and say --keep-master-key."
            hint = POLICY + (rotating if path.endswith("/rotate") else " See transit_token and transit_namespace.")
            raise refusals.refused(NAME, what, hint.format(mount=place.mount, key=place.key))
        if status not in {200, 204}:
            raise refusals.away(NAME, place.address, _why(status))
        try:
            return msgspec.json.decode(body) if body else {}
        except UNREADABLE:
            raise refusals.away(NAME, place.address, "its answer is not JSON") from None

    def _said(self, answer: Any, name: str) -> str:
        try:
            return str(answer["data"][name])
        except (KeyError, TypeError):
            raise refusals.away(NAME, self._place.address, f"it has answered no {name}") from None


def _why(status: int) -> str:
    if status in {301, 302, 307, 308}:
        return f"status {status}: it names another server; give the address of that one, or of the load balancer"
    return f"status {status}: it is sealed, or not ready" if status == 503 else f"status {status}"


def _coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bound(facts: Facts, associated: bytes) -> dict[str, str]:
    """What binds a wrapped key to its place, where the type of the master key takes it."""
    given = {"associated_data": _coded(associated)} if facts.type in AEAD else {}
    return {**given, "context": _coded(associated)} if facts.derived else given


def token_of(given: Secret[str]) -> Callable[[], Secret[str]]:
    """The token of a setting: as it is, or what the file holds now that it names (`@FILE`)."""

    def read() -> Secret[str]:
        text = given.reveal()
        if not text.startswith("@"):
            return given
        try:
            return Secret(Path(text[1:]).read_text(encoding="ascii").strip())
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise _unread(text[1:], why) from None

    return read


def _unread(file: str, why: str) -> Problem:
    return refusals.refused(
        NAME, "sign in", f"Its token cannot be read from {file} ({why}): see transit_token, and what renews that file."
    )
