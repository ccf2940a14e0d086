"""The engine itself: version, facts, disk usage, events, pruning."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

import msgspec

from quarterdeck.fleet.docker.engine import Count, Engine, decode, total
from quarterdeck.fleet.docker.filters import Labels, filters
from quarterdeck.fleet.docker.messages import lines

SLOW_SECONDS = 600.0


class Version(msgspec.Struct, rename="pascal"):
    version: str
    api_version: str
    min_api_version: str = msgspec.field(default="", name="MinAPIVersion")
    os: str = ""
    arch: str = ""
    kernel_version: str = ""


class Info(msgspec.Struct, rename="pascal"):
    id: str = msgspec.field(default="", name="ID")
    name: str = ""
    server_version: str = ""
    operating_system: str = ""
    architecture: str = ""
    ncpu: Count = msgspec.field(default=0, name="NCPU")
    mem_total: Count = 0
    docker_root_dir: str = ""
    driver: str = ""
    cgroup_driver: str = ""
    cgroup_version: str = "1"
    containers: Count = 0
    containers_running: Count = 0
    images: Count = 0


class SizedImage(msgspec.Struct, rename="pascal"):
    """`containers` are those made from it; the engine says -1 for what it has not counted."""

    size: Count = 0
    shared_size: Count = 0
    containers: Count = -1
    repo_tags: list[str] | None = None
    id: str = ""
    created: Count = 0
    labels: dict[str, str] | None = None

    @property
    def own_bytes(self) -> int:
        """What would be free without it."""
        return max(self.size - max(self.shared_size, 0), 0)

    @property
    def nameless(self) -> bool:
        return not self.repo_tags or self.repo_tags == ["<none>:<none>"]


class SizedCache(msgspec.Struct, rename="pascal"):
    size: Count = 0
    in_use: bool = False
    id: str = msgspec.field(default="", name="ID")
    type: str = ""
    created_at: str = ""
    last_used_at: str | None = None


class SizedContainer(msgspec.Struct, rename="pascal"):
    size_rw: Count = 0
    id: str = ""
    names: list[str] | None = None
    state: str = ""
    status: str = ""
    labels: dict[str, str] | None = None


class VolumeUsage(msgspec.Struct, rename="pascal"):
    size: Count = 0


class SizedVolume(msgspec.Struct, rename="pascal"):
    usage_data: VolumeUsage | None = None


class DiskUsage(msgspec.Struct, rename="pascal"):
    layers_size: Count = 0
    images: list[SizedImage] | None = None
    containers: list[SizedContainer] | None = None
    volumes: list[SizedVolume] | None = None
    build_cache: list[SizedCache] | None = None

    @property
    def build_cache_bytes(self) -> int:
        return total(record.size for record in self.build_cache or [])

    @property
    def container_bytes(self) -> int:
        return total(container.size_rw for container in self.containers or [])

    @property
    def volume_bytes(self) -> int:
        return total(max(volume.usage_data.size, 0) for volume in self.volumes or [] if volume.usage_data)


class Actor(msgspec.Struct, rename="pascal"):
    id: str = msgspec.field(default="", name="ID")
    attributes: dict[str, str] = {}


class Event(msgspec.Struct):
    """Something that happened in the engine; `time_nano` is its clock."""

    kind: str = msgspec.field(default="", name="Type")
    action: str = msgspec.field(default="", name="Action")
    actor: Actor = msgspec.field(default_factory=Actor, name="Actor")
    time_nano: int = msgspec.field(default=0, name="timeNano")


class Pruned(msgspec.Struct):
    """What a prune took away; each kind names its deletions in a field of its own."""

    space_reclaimed: Count = msgspec.field(default=0, name="SpaceReclaimed")
    containers: list[str] | None = msgspec.field(default=None, name="ContainersDeleted")
    networks: list[str] | None = msgspec.field(default=None, name="NetworksDeleted")
    volumes: list[str] | None = msgspec.field(default=None, name="VolumesDeleted")
    images: list[dict[str, str]] | None = msgspec.field(default=None, name="ImagesDeleted")
    caches: list[str] | None = msgspec.field(default=None, name="CachesDeleted")


async def version(engine: Engine) -> Version:
    return await engine.get("/version", Version)


async def info(engine: Engine) -> Info:
    return await engine.get("/info", Info)


async def ping(engine: Engine) -> None:
    await engine.request("GET", "/_ping")


async def disk_usage(engine: Engine) -> DiskUsage:
    """Slow on a busy engine (it walks layers and volumes): never in a request's path."""
    return await engine.get("/system/df", DiskUsage, seconds=SLOW_SECONDS)


async def events(
    engine: Engine, labels: Labels | None = None, *, since: str = "", until: str = "", **wanted: str | list[str]
) -> AsyncGenerator[Event, None]:
    """Events as they happen, forever unless `until`; close the iterator (`contextlib.aclosing`) to stop."""
    times = {key: value for key, value in (("since", since), ("until", until)) if value}
    async with engine.stream("GET", "/events", query=times | filters(labels, **wanted)) as answer:
        async for line in lines(answer.aiter_bytes()):
            if line.strip():
                yield decode(line, Event)


def prune_query(
    kind: Literal["containers", "networks", "volumes", "images"], labels: Labels, *, until: str = ""
) -> dict[str, str]:
    """Only what carries the labels is pruned: an empty filter would sweep away what is not ours."""
    if not labels:
        raise ValueError("pruning needs at least one label")
    others: dict[str, str | list[str]] = {"until": until} if until and kind != "volumes" else {}
    if kind == "images":
        others["dangling"] = "false"
    return filters(labels, **others)


async def prune(
    engine: Engine,
    kind: Literal["containers", "networks", "volumes", "images"],
    labels: Labels,
    *,
    until: str = "",
) -> Pruned:
    """Remove what nothing uses and all `labels` match; `until` (`24h`, a timestamp) keeps what is younger."""
    query = prune_query(kind, labels, until=until)
    if kind == "volumes" and tuple(map(int, engine.api_version.split("."))) >= (1, 42):
        query = filters(labels, all="true")
    return await engine.post(f"/{kind}/prune", Pruned, None, query, seconds=SLOW_SECONDS)


async def prune_cache(engine: Engine, record: str) -> Pruned:
    """Remove one record of the build cache, unless a build uses it."""
    query = {"all": "true", **filters(None, id=record)}
    return await engine.post("/build/prune", Pruned, None, query, seconds=SLOW_SECONDS)
