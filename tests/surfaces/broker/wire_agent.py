"""An agent made of the documented protocol alone (contract: broker §2, §3): its own cryptography and words."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class WireAgent:
    """`lodge` carries its requests; it knows the server by its routes only."""

    def __init__(self, lodge: Any, agent_id: str, secret: str) -> None:
        self.lodge = lodge
        self.id = agent_id
        self.secret = secret
        self.key = X25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"x-agent-secret": self.secret}
        return await self.lodge.send(method, f"/api/v1/agents/{self.id}{path}", body, token=None, headers=headers)

    async def begin(self) -> None:
        answer = await self.call("PUT", "/public-key", {"public_key": b64(self.public)})
        assert answer.status_code == 204, answer.text
        answer = await self.call("POST", "/heartbeat")
        assert answer.status_code == 204, answer.text

    async def claim(self) -> dict[str, Any] | None:
        answer = await self.call("POST", "/jobs/claim")
        assert answer.status_code in {200, 204}, answer.text
        return answer.json() if answer.status_code == 200 else None

    async def complete(self, job: str, status: str = "succeeded", error: str | None = None) -> int:
        body = {"status": status, **({"error": error} if error else {})}
        return int((await self.call("POST", f"/jobs/{job}/complete", body)).status_code)

    def opened(self, given: dict[str, Any]) -> bytes:
        """A value as the server gives it, with the hash that it names."""
        sealed = given["sealed"]
        assert sealed["algorithm"] == "x25519-hkdf-aes-gcm"
        ephemeral = base64.b64decode(sealed["ephemeral_public_key"])
        shared = self.key.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        key = HKDF(hashes.SHA256(), 32, ephemeral + self.public, b"secrets-bridge.wrap.v1").derive(shared)
        plain = AESGCM(key).decrypt(base64.b64decode(sealed["nonce"]), base64.b64decode(sealed["ciphertext"]), b"")
        assert hashlib.sha256(plain).hexdigest() == given["content_hash"]
        return plain

    async def deliver(self, request: str, key_name: str, value: bytes) -> Any:
        answer = await self.call("POST", "/dek")
        assert answer.status_code == 201, answer.text
        made = answer.json()
        nonce = os.urandom(12)
        cipher = AESGCM(base64.b64decode(made["plaintext"])).encrypt(nonce, value, b"")
        envelope = {
            "algorithm": "aes-256-gcm",
            "ciphertext": b64(cipher),
            "nonce": b64(nonce),
            "dek_ciphertext": made["ciphertext"],
            "dek_kms_key_id": made["kms_key_id"],
        }
        return await self.call("POST", "/wraps", {"request_id": request, "key_name": key_name, "envelope": envelope})
