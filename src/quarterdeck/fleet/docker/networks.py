"""Networks of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.filters import Labels, filters
from quarterdeck.kernel.errors import Conflict, NotFound


class Network(msgspec.Struct, rename="pascal"):
    id: str
    name: str
    driver: str = ""
    internal: bool = False
    created: str | None = None
    labels: dict[str, str] | None = None
    containers: dict[str, Any] | None = None


class Created(msgspec.Struct, rename="pascal"):
    id: str


def create_body(name: str, labels: Labels, *, internal: bool = False) -> dict[str, Any]:
    return {"Name": name, "CheckDuplicate": True, "Driver": "bridge", "Internal": internal, "Labels": dict(labels)}


async def create(engine: Engine, name: str, labels: Labels, *, internal: bool = False) -> str:
    """A bridge network; a taken name is a Conflict."""
    return (await engine.post("/networks/create", Created, create_body(name, labels, internal=internal))).id


async def ensure(engine: Engine, name: str, labels: Labels) -> str:
    """The id of the network of this name, made if there is none."""
    found = await find(engine, name)
    if found is not None:
        return found.id
    try:
        return await create(engine, name, labels)
    except Conflict:  # another deployment has made it meanwhile
        return (await inspect(engine, name)).id


async def inspect(engine: Engine, network: str) -> Network:
    return await engine.get(f"/networks/{network}", Network)


async def find(engine: Engine, network: str) -> Network | None:
    try:
        return await inspect(engine, network)
    except NotFound:
        return None


async def listed(engine: Engine, labels: Labels | None = None) -> list[Network]:
    return await engine.get("/networks", list[Network], filters(labels))


async def connect(engine: Engine, network: str, container: str, *, aliases: Sequence[str] = ()) -> None:
    body = {"Container": container, "EndpointConfig": {"Aliases": list(aliases)}}
    await engine.request("POST", f"/networks/{network}/connect", body=body)


async def disconnect(engine: Engine, network: str, container: str, *, force: bool = False) -> None:
    await engine.request("POST", f"/networks/{network}/disconnect", body={"Container": container, "Force": force})


async def remove(engine: Engine, network: str) -> bool:
    """False if it was gone already; one in use is refused by the engine."""
    try:
        await engine.request("DELETE", f"/networks/{network}")
    except NotFound:
        return False
    return True
