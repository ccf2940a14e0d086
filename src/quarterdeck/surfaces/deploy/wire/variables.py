"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class MaskedVariable(Struct, kw_only=True, rename="camel"):
    key: str
    value: str
    scope: str
    exposure: Literal["build-time", "runtime"]
    is_secret: bool
    kind: str


class OwnedEntrie(Struct, kw_only=True, rename="camel"):
    key: str
    value: str
    scope: str
    exposure: Literal["build-time", "runtime"]
    is_secret: bool
    kind: str
    updated_at: str | UnsetType = UNSET
