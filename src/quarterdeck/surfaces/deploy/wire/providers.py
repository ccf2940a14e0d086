"""Shapes below /api/providers. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.surfaces.deploy.wire.extensions import SystemProvidersItem


class SystemProvidersListResponse(Struct, kw_only=True, rename="camel"):
    items: list[SystemProvidersItem]
