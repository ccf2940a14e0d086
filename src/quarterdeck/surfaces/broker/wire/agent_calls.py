"""What agents send and are answered (contract: broker §1.6, §3)."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

Text = Annotated[str, Meta(max_length=200)]
Base64 = Annotated[str, Meta(max_length=400_000)]


class PublicKey(Struct, kw_only=True):
    public_key: Text
    public_key_algorithm: Text | UnsetType | None = UNSET


class Heartbeat(Struct, kw_only=True):
    """What an agent may say of itself; it is believed by nobody who decides."""

    status: Text | UnsetType | None = UNSET
    agent_version: Text | UnsetType | None = UNSET
    cluster_name: Text | UnsetType | None = UNSET
    capabilities: Annotated[list[Text], Meta(max_length=200)] | UnsetType | None = UNSET


class Alive(Struct, kw_only=True):
    status: str
    server_time: str
    next_heartbeat_seconds: int


class ClaimedJob(Struct, kw_only=True):
    """`claim_expires_at`: until then the job is the agent's."""

    id: str
    job_type: str
    payload: dict[str, Any]
    correlation_id: str
    claim_expires_at: str


class Completion(Struct, kw_only=True):
    """`status` is `succeeded` or `failed`."""

    status: Text
    error: Annotated[str, Meta(max_length=16_384)] | UnsetType | None = UNSET


class DataKey(Struct, kw_only=True):
    """Good for one envelope of a job that the agent holds, for five minutes. Both forms are standard base64."""

    algorithm: str
    plaintext: str
    ciphertext: str
    kms_key_id: str


class Envelope(Struct, kw_only=True):
    """A value under a data key; texts are standard base64."""

    algorithm: Text
    ciphertext: Base64
    nonce: Text
    dek_ciphertext: Annotated[str, Meta(max_length=2000)]
    dek_kms_key_id: Text | UnsetType | None = UNSET


class NewWrap(Struct, kw_only=True):
    """`value` is of earlier agents, and refused."""

    request_id: Text
    key_name: Annotated[str, Meta(min_length=1, max_length=400)]
    value: Base64 | UnsetType | None = UNSET
    envelope: Envelope | UnsetType | None = UNSET


class KeptWrap(Struct, kw_only=True):
    wrap_id: str
    request_id: str
    key_name: str
    byte_length: int
    content_hash: str
    expires_at: str


class Sealed(Struct, kw_only=True):
    """Sealed to the agent's key on file; texts are standard base64."""

    algorithm: str
    ciphertext: str
    nonce: str
    ephemeral_public_key: str


class TakenWrap(Struct, kw_only=True):
    """A value, this once. `content_hash` is the SHA-256 of what `sealed` opens to."""

    wrap_id: str
    request_id: str
    key_name: str
    byte_length: int
    content_hash: str
    algorithm: str
    sealed: Sealed
