"""Named volumes of an engine."""

from __future__ import annotations

import msgspec

from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.filters import Labels, filters
from quarterdeck.kernel.errors import NotFound


class Volume(msgspec.Struct, rename="pascal"):
    name: str
    driver: str = ""
    mountpoint: str = ""
    created_at: str = ""
    labels: dict[str, str] | None = None


class Volumes(msgspec.Struct, rename="pascal"):
    volumes: list[Volume] | None = None


async def create(engine: Engine, name: str, labels: Labels) -> Volume:
    """A local volume; one that exists already is given back unchanged."""
    return await engine.post("/volumes/create", Volume, {"Name": name, "Labels": dict(labels)})


async def inspect(engine: Engine, volume: str) -> Volume:
    return await engine.get(f"/volumes/{volume}", Volume)


async def find(engine: Engine, volume: str) -> Volume | None:
    try:
        return await inspect(engine, volume)
    except NotFound:
        return None


async def listed(engine: Engine, labels: Labels | None = None) -> list[Volume]:
    return (await engine.get("/volumes", Volumes, filters(labels))).volumes or []


async def remove(engine: Engine, volume: str, *, force: bool = False) -> bool:
    """False if it was gone already; one in use is a Conflict."""
    try:
        await engine.request("DELETE", f"/volumes/{volume}", query={"force": str(int(force))})
    except NotFound:
        return False
    return True
