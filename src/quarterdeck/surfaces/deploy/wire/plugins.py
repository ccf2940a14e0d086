"""Shapes below /api/plugins. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.surfaces.deploy.wire.extensions import SystemPluginsItem


class SystemPluginsListResponse(Struct, kw_only=True, rename="camel"):
    items: list[SystemPluginsItem]
