"""The Transit engine of Vault and OpenBao over HTTP, made from its published API.

Keys with versions and limits, tokens with policies, namespaces, sealing; the encryption is real. A call, a field or a
header that is not in the API is answered with 500 and kept in `unknown`, which a test asks to be empty.
"""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

AEAD = {"aes128-gcm96": (AESGCM, 16), "aes256-gcm96": (AESGCM, 32), "chacha20-poly1305": (ChaCha20Poly1305, 32)}
SIGNING = {"ed25519", "ecdsa-p256"}
CIPHERTEXT = re.compile(r"vault:v(\d+):(.+)", re.ASCII)
FIELDS = {
    "encrypt": {"plaintext", "associated_data", "context"},
    "decrypt": {"ciphertext", "associated_data", "context"},
    "rotate": set[str](),
}
OPERATOR = "hvs.operator-of-the-tests"


@dataclass
class Key:
    type: str = "aes256-gcm96"
    derived: bool = False
    min_decryption_version: int = 1
    versions: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rotate()

    @property
    def latest(self) -> int:
        return max(self.versions)

    def rotate(self) -> None:
        number = max(self.versions, default=0) + 1
        if self.type in AEAD:
            self.versions[number] = os.urandom(AEAD[self.type][1])
        elif self.type.startswith("rsa-"):
            self.versions[number] = rsa.generate_private_key(65537, int(self.type[4:]))
        else:
            self.versions[number] = b"signs alone"

    def _cipher(self, version: int, context: bytes) -> Any:
        made, size = AEAD[self.type]
        key = self.versions[version]
        if self.derived:
            key = HKDF(hashes.SHA256(), size, salt=None, info=context).derive(key)
        return made(key)

    def encrypt(self, plain: bytes, associated: bytes, context: bytes) -> bytes:
        if self.type not in AEAD:
            return self.versions[self.latest].public_key().encrypt(plain, OAEP)
        nonce = os.urandom(12)
        return nonce + self._cipher(self.latest, context).encrypt(nonce, plain, associated)

    def decrypt(self, version: int, sealed: bytes, associated: bytes, context: bytes) -> bytes:
        if self.type not in AEAD:
            return self.versions[version].decrypt(sealed, OAEP)
        return self._cipher(version, context).decrypt(sealed[:12], sealed[12:], associated)


OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


@dataclass
class Transit:
    """`keys` by `mount/name`; `policies` are the capabilities of a token by path, where `*` stands for anything.
    `down` answers every call with a status; `calls` are method and path of those that were made.
    """

    url: str = ""
    namespace: str | None = None
    mounts: set[str] = field(default_factory=lambda: {"transit"})
    keys: dict[str, Key] = field(default_factory=dict)
    policies: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: {OPERATOR: {"*": {"create", "read", "update"}}}
    )
    sealed: bool = False
    down: int | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def allowed(self, token: str | None, path: str, capability: str) -> bool:
        rules = self.policies.get(token or "", {})
        return any(fnmatch.fnmatch(path, rule) and capability in may for rule, may in rules.items())

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        self.calls.append((method, path))
        if self.down is not None:
            return self.down, {"errors": ["internal error of the tests hvs.should-never-be-told"]}
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if not path.startswith("/v1/"):
            return self._foreign(f"{method} {path}")
        if headers.get("X-Vault-Request") != "true":
            return self._foreign("no X-Vault-Request header")
        if headers.get("X-Vault-Namespace") != self.namespace:
            return 403, {"errors": ["permission denied"]}
        path = path.removeprefix("/v1/")
        mount = next((one for one in self.mounts if path.startswith(f"{one}/")), None)
        if headers.get("X-Vault-Token") not in self.policies:
            return 403, {"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}
        if mount is None:
            return 404, {"errors": [f'no handler for route "{path}". route entry not found.']}
        return self._in(mount, method, path, headers.get("X-Vault-Token"), body)

    def _in(self, mount: str, method: str, path: str, token: str | None, body: bytes) -> tuple[int, Any]:
        words = path.removeprefix(f"{mount}/").split("/")
        match (method, *words):
            case ("GET", "keys", name):
                capability, verb = "read", "keys"
            case ("POST", "keys", name, "rotate"):
                capability, verb = "update", "rotate"
            case ("POST", ("encrypt" | "decrypt") as verb, name):
                capability = "update" if f"{mount}/{name}" in self.keys or verb == "decrypt" else "create"
            case _:
                return self._foreign(f"{method} {path}")
        if not self.allowed(token, path, capability):
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        given: dict[str, str] = {}
        if verb != "keys":
            given = json.loads(body or b"{}")
            if set(given) - FIELDS[verb]:
                return self._foreign(f"{verb} with {sorted(set(given) - FIELDS[verb])}")
        key = self.keys.get(f"{mount}/{name}")
        return getattr(self, f"_{verb}")(f"{mount}/{name}", key, given)

    def _foreign(self, what: str) -> tuple[int, Any]:
        self.unknown.append(what)
        return 500, {"errors": [f"the API has no {what}"]}

    def _keys(self, name: str, key: Key | None, given: dict[str, str]) -> tuple[int, Any]:
        if key is None:
            return 404, {"errors": []}
        seals = key.type not in SIGNING
        told = {
            "type": key.type, "derived": key.derived, "deletion_allowed": False, "exportable": False,
            "allow_plaintext_backup": False, "keys": dict.fromkeys(map(str, key.versions), 1442851412),
            "min_decryption_version": key.min_decryption_version, "min_encryption_version": 0,
            "name": name.rpartition("/")[2], "latest_version": key.latest, "supports_encryption": seals,
            "supports_decryption": seals, "supports_derivation": key.type in AEAD, "supports_signing": not seals,
            "imported_key": False, "auto_rotate_period": "0s",
        }  # fmt: skip
        return 200, {"data": told}

    def _rotate(self, name: str, key: Key | None, given: dict[str, str]) -> tuple[int, Any]:
        if key is None:
            return 400, {"errors": ["key not found"]}
        key.rotate()
        return 204, None

    def _encrypt(self, name: str, key: Key | None, given: dict[str, str]) -> tuple[int, Any]:
        if key is None:  # whoever may create a key has one made by encrypting with it
            key = self.keys[name] = Key(derived="context" in given)
        wrong = self._wrong(key, given)
        if wrong:
            return 400, {"errors": [wrong]}
        sealed = key.encrypt(*(_plain(given, one) for one in ("plaintext", "associated_data", "context")))
        text = f"vault:v{key.latest}:{base64.b64encode(sealed).decode()}"
        return 200, {"data": {"ciphertext": text, "key_version": key.latest}}

    def _decrypt(self, name: str, key: Key | None, given: dict[str, str]) -> tuple[int, Any]:
        if key is None:
            return 400, {"errors": ["encryption key not found"]}
        wrong = self._wrong(key, given)
        match = CIPHERTEXT.fullmatch(given.get("ciphertext", ""))
        if wrong or match is None:
            return 400, {"errors": [wrong or "invalid ciphertext: no prefix"]}
        version = int(match[1])
        if version < key.min_decryption_version:
            return 400, {"errors": ["ciphertext or signature version is disallowed by policy (too old)"]}
        if version not in key.versions:
            return 400, {"errors": ["invalid ciphertext: version is too new"]}
        try:
            sealed = base64.b64decode(match[2], validate=True)
            plain = key.decrypt(version, sealed, _plain(given, "associated_data"), _plain(given, "context"))
        except InvalidTag:
            return 400, {"errors": ["cipher: message authentication failed"]}
        except ValueError:
            return 400, {"errors": ["invalid ciphertext: could not decrypt given ciphertext"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}

    def _wrong(self, key: Key, given: dict[str, str]) -> str | None:
        if key.type in SIGNING:
            return f"message encryption not supported for key type {key.type}"
        if key.derived and not given.get("context"):
            return "missing 'context' for key derivation; the key was created using a derived key"
        if given.get("associated_data") and key.type not in AEAD:
            return "associated_data is only supported with AEAD ciphers"
        return None


def _plain(given: dict[str, str], name: str) -> bytes:
    return base64.b64decode(given.get(name, ""), validate=True)


@contextlib.contextmanager
def transit_server() -> Iterator[Transit]:
    """Serves on a port of loopback until the block ends."""
    found = Transit(keys={"transit/quarterdeck": Key()})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without it each answer of two packets waits for an acknowledgement.
        disable_nagle_algorithm = True

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = found.answer(self.command, self.path, self.headers, body)
            data = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            if status in {301, 307}:
                self.send_header("Location", "http://203.0.113.1/v1/")
            self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any  # noqa: N815 - the names that the library asks for

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
