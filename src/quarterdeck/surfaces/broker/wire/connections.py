"""Connections: where secrets are kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Provider = Literal["vault", "aws-sm", "kubernetes", "file", "quarterdeck"]
ConnectionName = Annotated[str, Meta(min_length=1, max_length=200)]
Credential = Annotated[str, Meta(max_length=16_384)]
Rhythm = Annotated[int, Meta(ge=0, le=2_592_000)]


class NewConnection(Struct, kw_only=True):
    """`config` depends on the provider; `credential` is what it is opened with, empty where the agent brings its own.
    `project_id` and `environment` narrow for what requests may name it. `discover_seconds`: how often agents look for
    secrets there, 0 for never.
    """

    name: ConnectionName
    provider_type: Provider
    config: dict[str, Any] | UnsetType = UNSET
    credential: Credential | UnsetType | None = UNSET
    project_id: str | UnsetType | None = UNSET
    environment: str | UnsetType | None = UNSET
    agent_scope: dict[str, str] | UnsetType = UNSET
    discover_seconds: Rhythm = 0


class ConnectionChange(Struct, kw_only=True):
    """What is left out stays. A credential is never told again."""

    config: dict[str, Any] | UnsetType = UNSET
    credential: Credential | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    discover_seconds: Rhythm | UnsetType = UNSET


class Connection(Struct, kw_only=True):
    id: str
    name: str
    provider_type: Provider
    config: dict[str, Any]
    has_credential: bool
    agent_scope: dict[str, str]
    enabled: bool
    discover_seconds: int
    created_at: str
    updated_at: str
    project_id: str | UnsetType = UNSET
    environment: str | UnsetType = UNSET
    discovered_at: str | UnsetType = UNSET
    checked_at: str | UnsetType = UNSET
    health_error: str | UnsetType = UNSET
