"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class LoginMethod(Struct, kw_only=True, rename="camel"):
    key: Literal["local-password", "github", "google", "oidc"]
    configured: bool
    enabled: bool
    reason: str | UnsetType = UNSET
