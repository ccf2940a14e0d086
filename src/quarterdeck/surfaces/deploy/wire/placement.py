"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from msgspec import Struct


class Server2(Struct, kw_only=True, rename="camel"):
    id: str
    name: str
    host: str
    port: float
    provider_key: str
    target_kind: str
