"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class BindingReadiness(Struct, kw_only=True, rename="camel"):
    status: Literal["ready", "blocked", "not-implemented"]
    reason: str | UnsetType = UNSET


class Connection(Struct, kw_only=True, rename="camel"):
    host: str
    port: float | UnsetType = UNSET
    database_name: str | UnsetType = UNSET
    masked_connection: str
    secret_ref: str | UnsetType = UNSET
