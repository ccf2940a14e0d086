"""Agents as administrators see them (contract: broker §1.5)."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

Key = Annotated[str, Meta(max_length=200)]


class NewAgent(Struct, kw_only=True):
    """`scope` says which jobs it takes; `public_key` is an X25519 key of 32 bytes as standard base64."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    scope: dict[str, Any] | UnsetType | None = UNSET
    public_key: Key | UnsetType | None = UNSET
    public_key_algorithm: Annotated[str, Meta(max_length=40)] | UnsetType | None = UNSET


class MintedAgent(Struct, kw_only=True):
    """The secret is shown this once."""

    id: str
    name: str
    agent_secret: str


class Agent(Struct, kw_only=True):
    """`scope` is left out where it is empty, `last_seen_at` where it was never seen."""

    id: str
    name: str
    status: str
    created_at: str
    scope: dict[str, str] | UnsetType = UNSET
    last_seen_at: str | UnsetType = UNSET


class Revocation(Struct, kw_only=True):
    reason: Annotated[str, Meta(max_length=500)] | UnsetType | None = UNSET


class Rotation(Struct, kw_only=True):
    """For how long the secret of before counts beside the new one."""

    grace_seconds: Annotated[int, Meta(ge=0, le=86_400)] | UnsetType = UNSET
