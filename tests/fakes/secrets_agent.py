"""An agent that is not ours: what the documented program sends, in its order (contract: broker §2 and §3), and what it
makes of the answers. It knows nothing of the server but its address, and has its own cryptography.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

INFO = b"secrets-bridge.wrap.v1"


class ClaimLost(Exception):
    """409 on an outcome: another agent has the job."""


class Failed(Exception):
    """Why the agent reports a job as failed."""


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


@dataclass
class SecretsAgent:
    """`backend` is what its provider keeps: references, each a JSON object as text. `client` has the origin of the
    server as its base.
    """

    client: httpx.AsyncClient
    id: str
    secret: str
    backend: dict[str, str] = field(default_factory=dict)
    private: X25519PrivateKey | None = field(default_factory=X25519PrivateKey.generate)
    cluster_name: str = ""
    log: list[str] = field(default_factory=list)
    heartbeats_ended: bool = False

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"X-Agent-Secret": self.secret, "Accept": "application/json"}
        content = None
        if body is not None:
            headers["Content-Type"], content = "application/json", json.dumps(body)
        return await self.client.request(method, f"/api/v1/agents/{self.id}{path}", headers=headers, content=content)

    # Boot and heartbeat.

    async def boot(self) -> None:
        await self.register()
        await self.heartbeat()

    async def register(self) -> None:
        if self.private is None:
            return
        body = {"public_key": b64(self.private.public_key().public_bytes_raw()), "public_key_algorithm": "x25519"}
        answer = await self.call("PUT", "/public-key", body)
        if answer.status_code != 204:  # only logged
            self.log.append(f"public key: HTTP {answer.status_code} {answer.text[:512]}")

    async def heartbeat(self, said: dict[str, Any] | None = None) -> dict[str, Any] | None:
        answer = await self.call("POST", "/heartbeat", said)
        if answer.status_code == 401:
            self.heartbeats_ended = True
            return None
        assert answer.status_code == (204 if said is None else 200), answer.text
        return None if said is None else dict(answer.json())

    # The loop of claims.

    async def claim(self) -> dict[str, Any] | None:
        answer = await self.call("POST", "/jobs/claim")
        if answer.status_code == 204:
            return None
        if answer.status_code != 200:
            self.log.append(f"claim: HTTP {answer.status_code} {answer.text[:512]}")
            return None
        return dict(answer.json())

    async def tick(self) -> str | None:
        """Claim one job and carry it out. Answers its id."""
        job = await self.claim()
        if job is None:
            return None
        try:
            await self.execute(job)
        except Failed as failed:
            await self.complete(job["id"], "failed", str(failed))
        else:
            await self.complete(job["id"], "succeeded")
        return str(job["id"])

    async def complete(self, job_id: str, status: str, error: str = "") -> None:
        body = {"status": status, **({"error": error} if error else {})}
        answer = await self.call("POST", f"/jobs/{job_id}/complete", body)
        if answer.status_code == 409:
            raise ClaimLost(answer.text)
        assert answer.status_code == 204, answer.text

    async def execute(self, job: dict[str, Any]) -> None:
        payload = job["payload"]
        match job["job_type"]:
            case "patch":
                await self.patch(payload)
            case "read":
                await self.read(payload)
            case "discover":
                scope = payload.get("scope", "")
                assert isinstance(scope, str), "a scope is a text"
            case _:
                self.log.append(f"{job['job_type']}: nothing is done")

    # Executors.

    async def patch(self, payload: dict[str, Any]) -> None:
        ref, wraps = payload.get("target_secret_ref"), payload.get("wraps") or []
        if not (payload.get("target_provider_type") and ref and wraps and all(one.get("wrap_id") for one in wraps)):
            raise Failed("patch: type, ref and wraps are required")
        given = {}
        for one in wraps:
            given[one["key_name"]] = (await self.fetch(one["wrap_id"])).decode()
        self.backend[ref] = json.dumps({**self.bundle(ref), **given})

    async def read(self, payload: dict[str, Any]) -> None:
        ref, request = payload.get("target_secret_ref"), payload.get("request_id")
        if not (payload.get("target_provider_type") and ref and request):
            raise Failed("read: request, type and ref are required")
        bundle = self.bundle(ref)
        wanted = payload.get("target_keys") or sorted(bundle)
        found = {name: bundle[name] for name in wanted if name in bundle}
        if not found:
            raise Failed("read: none of the keys was found")
        for name, value in found.items():
            text = value if isinstance(value, str) else json.dumps(value)
            answer = await self.deliver(request, name, text.encode())
            if answer.status_code != 201:
                raise Failed(f"wrap: HTTP {answer.status_code} {answer.text[:512]}")

    def bundle(self, ref: str) -> dict[str, Any]:
        try:
            found = json.loads(self.backend[ref])
        except (KeyError, ValueError):
            return {}
        return dict(found)

    # Cryptography.

    async def fetch(self, wrap_id: str) -> bytes:
        answer = await self.call("GET", f"/wraps/{wrap_id}")
        if answer.status_code != 200:
            raise Failed(f"wrap: HTTP {answer.status_code} {answer.text[:512]}")
        return self.opened(answer.json())

    def opened(self, told: dict[str, Any]) -> bytes:
        """With the checks of the documented program, the rule against a downgrade among them."""
        sealed, value = told.get("sealed"), told.get("value")
        if (sealed is None) is (value is None):
            raise Failed("wrap: exactly one of sealed and value")
        if sealed is None or self.private is None:
            raise Failed("wrap: a value in the clear while a key is held")
        if sealed["algorithm"] != "x25519-hkdf-aes-gcm":
            raise Failed("wrap: unknown algorithm")
        ephemeral, mine = raw(sealed["ephemeral_public_key"]), self.private.public_key().public_bytes_raw()
        agreed = self.private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        key = HKDF(algorithm=hashes.SHA256(), length=32, salt=ephemeral + mine, info=INFO).derive(agreed)
        plain = AESGCM(key).decrypt(raw(sealed["nonce"]), raw(sealed["ciphertext"]), b"")
        if hashlib.sha256(plain).hexdigest() != told["content_hash"] or len(plain) != told["byte_length"]:
            raise Failed("wrap: the hash is another")
        return plain

    async def deliver(self, request: str, key_name: str, value: bytes) -> httpx.Response:
        answer = await self.call("POST", "/dek")
        if answer.status_code not in {200, 201}:
            raise Failed(f"dek: HTTP {answer.status_code} {answer.text[:512]}")
        dek = answer.json()
        assert dek["algorithm"] == "aes-256-gcm"
        nonce = os.urandom(12)
        envelope = {
            "algorithm": "aes-256-gcm",
            "ciphertext": b64(AESGCM(raw(dek["plaintext"])).encrypt(nonce, value, b"")),
            "nonce": b64(nonce),
            "dek_ciphertext": dek["ciphertext"],
            "dek_kms_key_id": dek.get("kms_key_id"),
        }
        return await self.call("POST", "/wraps", {"request_id": request, "key_name": key_name, "envelope": envelope})
