"""Containers of an engine: create, start, look at, stop, remove."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.filters import Labels, filters
from quarterdeck.fleet.docker.specs import ContainerSpec, create_spec
from quarterdeck.kernel.answers import whole
from quarterdeck.kernel.errors import NotFound


class Health(msgspec.Struct, rename="pascal"):
    status: str = ""


class State(msgspec.Struct, rename="pascal"):
    status: str = ""
    running: bool = False
    restarting: bool = False
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    health: Health | None = None
    """None where neither the image nor the container has a health check."""


class Config(msgspec.Struct, rename="pascal"):
    image: str = ""
    env: list[str] | None = None
    cmd: list[str] | None = None
    labels: dict[str, str] | None = None
    tty: bool = False
    user: str = ""


class PortBinding(msgspec.Struct):
    host_ip: str = msgspec.field(default="", name="HostIp")
    host_port: str = msgspec.field(default="", name="HostPort")


class Endpoint(msgspec.Struct):
    ip_address: str = msgspec.field(default="", name="IPAddress")
    aliases: list[str] | None = msgspec.field(default=None, name="Aliases")


class NetworkSettings(msgspec.Struct, rename="pascal"):
    ports: dict[str, list[PortBinding] | None] | None = None
    networks: dict[str, Endpoint] | None = None


class HostConfig(msgspec.Struct, rename="pascal"):
    memory: int = 0
    nano_cpus: int = 0
    pids_limit: int | None = None
    network_mode: str = ""
    security_opt: list[str] | None = None
    port_bindings: dict[str, list[PortBinding] | None] | None = None


class Container(msgspec.Struct, rename="pascal"):
    """What inspecting a container tells."""

    id: str
    name: str
    image: str
    created: str
    state: State
    config: Config
    host_config: HostConfig
    network_settings: NetworkSettings
    restart_count: int = 0

    @property
    def labels(self) -> dict[str, str]:
        return self.config.labels or {}

    def address(self, network: str | None = None) -> str | None:
        """The container's own address on `network`, or on any of its networks."""
        joined = self.network_settings.networks or {}
        chosen = [joined[network]] if network in joined else list(joined.values()) if network is None else []
        return next((endpoint.ip_address for endpoint in chosen if endpoint.ip_address), None)

    def published(self, internal_port: int) -> int | None:
        """The host port in front of `internal_port`, as configured (also while the container is stopped)."""
        bindings = (self.host_config.port_bindings or {}).get(f"{internal_port}/tcp") or []
        return next((port for binding in bindings if (port := whole(binding.host_port))), None)


class Port(msgspec.Struct):
    private: int = msgspec.field(default=0, name="PrivatePort")
    public: int | None = msgspec.field(default=None, name="PublicPort")
    ip: str = msgspec.field(default="", name="IP")
    type: str = msgspec.field(default="tcp", name="Type")


class ListedHost(msgspec.Struct, rename="pascal"):
    network_mode: str = ""


class Listed(msgspec.Struct, rename="pascal"):
    """A row of the container list."""

    id: str
    names: list[str]
    image: str
    image_id: str = msgspec.field(name="ImageID")
    created: int
    state: str
    status: str
    labels: dict[str, str] = {}
    ports: list[Port] = []
    size_rw: int | None = None
    host_config: ListedHost = msgspec.field(default_factory=ListedHost)

    @property
    def name(self) -> str:
        return self.names[0].lstrip("/") if self.names else self.id[:12]


class Created(msgspec.Struct, rename="pascal"):
    id: str
    warnings: list[str] | None = None


class Exited(msgspec.Struct, rename="pascal"):
    status_code: int


async def create(engine: Engine, spec: ContainerSpec, *, name: str | None = None) -> str:
    """Create, do not start; returns the container's id. A taken name is a Conflict."""
    query = {"name": name} if name else {}
    return (await engine.post("/containers/create", Created, create_spec(spec), query)).id


async def start(engine: Engine, container: str) -> None:
    """Start; one that runs already is fine."""
    await engine.request("POST", f"/containers/{container}/start")


async def stop(engine: Engine, container: str, *, seconds: int | None = None) -> None:
    """Ask to end, and kill after `seconds` (default: the container's own); one that has ended already is fine."""
    query = {"t": str(seconds)} if seconds is not None else {}
    await engine.request("POST", f"/containers/{container}/stop", query=query, seconds=None)


async def restart(engine: Engine, container: str, *, seconds: int | None = None) -> None:
    query = {"t": str(seconds)} if seconds is not None else {}
    await engine.request("POST", f"/containers/{container}/restart", query=query, seconds=None)


async def kill(engine: Engine, container: str, *, signal: str = "KILL") -> None:
    await engine.request("POST", f"/containers/{container}/kill", query={"signal": signal})


async def remove(engine: Engine, container: str, *, force: bool = True, volumes: bool = True) -> bool:
    """Remove with its anonymous volumes; False if it was gone already."""
    query = {"force": str(int(force)), "v": str(int(volumes))}
    try:
        await engine.request("DELETE", f"/containers/{container}", query=query)
    except NotFound:
        return False
    return True


async def rename(engine: Engine, container: str, name: str) -> None:
    await engine.request("POST", f"/containers/{container}/rename", query={"name": name})


async def inspect(engine: Engine, container: str) -> Container:
    return await engine.get(f"/containers/{container}/json", Container)


async def find(engine: Engine, container: str) -> Container | None:
    """Like `inspect`, but None if there is no such container."""
    try:
        return await inspect(engine, container)
    except NotFound:
        return None


async def listed(engine: Engine, labels: Labels | None = None, *, stopped: bool = True, **wanted: str) -> list[Listed]:
    """Containers that carry all `labels` (an empty value matches any); `wanted` are further engine filters."""
    query = {"all": str(int(stopped))} | filters(labels, **wanted)
    return await engine.get("/containers/json", list[Listed], query)


async def wait(
    engine: Engine, container: str, *, condition: Literal["not-running", "next-exit", "removed"] = "not-running"
) -> int:
    """The exit code, when it has ended."""
    query = {"condition": condition}
    return (await engine.post(f"/containers/{container}/wait", Exited, None, query, seconds=None)).status_code


async def update(engine: Engine, container: str, changes: dict[str, Any]) -> None:
    """Change limits of a container while it runs (`Memory`, `NanoCpus`, `PidsLimit`, `RestartPolicy`)."""
    await engine.request("POST", f"/containers/{container}/update", body=changes)
