"""Shapes below /api/web/workspace-tunnel."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Kind = Literal["vscode", "cursor", "built-in"]
State = Literal["IDLE", "STARTING", "CONNECTED", "EXPIRED", "CLOSING", "CLOSED", "FAILED"]


class TunnelStart(Struct, kw_only=True, rename="camel"):
    """Without a kind: `vscode`."""

    kind: Annotated[Kind, Meta(description="The program that makes the tunnel.")] | UnsetType | None = UNSET


class Tunnel(Struct, kw_only=True, rename="camel"):
    """`authPrompt` tells what somebody has to do before it is there; `url` is where the editor opens."""

    task_id: int
    state: State
    url: str | None
    name: str | None
    auth_prompt: str | None
    started_at: str | None
    expires_at: str | None
    error: str | None
