"""How the organization wants its tasks to be run."""

from __future__ import annotations

from typing import Any

import msgspec

from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.tasks.wire import settings as wire
from quarterdeck.tasks import settings

MANAGE = "tasks:settings.manage"


def _shown(values: dict[str, Any]) -> wire.Settings:
    return msgspec.convert(values, wire.Settings)


@route("GET", "/api/admin/settings", permission=MANAGE)
async def show(call: Call) -> wire.Settings:
    """All settings, chosen or not."""
    return _shown(await call.read(settings.shown))


@route(
    "PUT",
    "/api/admin/settings",
    permission=MANAGE,
    errors=((400, "setting_fixed"), (400, "setting_invalid"), (400, "pipeline_invalid")),
)
async def change(call: Call, body: wire.SettingsChange) -> wire.Settings:
    """Change some settings; what is left out stays."""
    return _shown(await call.write(settings.change, msgspec.to_builtins(body)))
