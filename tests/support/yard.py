"""A host to carry deployment orders out on, the ledger's end of it, and applications to deploy there."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from pathlib import Path
from typing import Any

import httpx
import msgspec

from quarterdeck.deploy.execution import execute as executing
from quarterdeck.deploy.execution import operating
from quarterdeck.deploy.execution.order import (
    DeploymentOrder,
    Limits,
    Retained,
    RouteOrder,
    RuntimeOrder,
    Serving,
    TargetOrder,
    VariableValue,
)
from quarterdeck.fleet.docker import containers, execution, images, networks, volumes
from quarterdeck.fleet.docker.address import engine_address
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.jobs.refusals import canceled

SERVER = "import http.server,os;http.server.test(http.server.SimpleHTTPRequestHandler,port=int(os.environ['PORT']))"
NOBODY = "unix:///nonexistent/docker.sock"


class Ledger:
    """The ledger's end of one attempt, as far as an execution sees it: records are kept, a stop is told."""

    def __init__(self, done: dict[str, dict[str, Any]] | None = None) -> None:
        self.canceled = asyncio.Event()
        self.lost = False
        self.done: dict[str, dict[str, Any]] = done if done is not None else {}
        self.records: list[tuple[str, str]] = []
        self.lines: list[str] = []

    async def record(self, kind: str, data: Any) -> Any:
        msgspec.json.encode(data)  # what cannot travel cannot be told
        if self.canceled.is_set():
            raise canceled(1)
        if kind == "phase":
            self.records.append((data["phase"], data["status"]))
            if data["status"] in {"succeeded", "skipped"}:
                self.done[data["phase"]] = data.get("data") or {}
        return {"status": "running"}

    def log(self, lines: Any, *, stream: str = "", source: str = "", phase: str | None = None, level: str = "") -> None:
        for line in lines:
            msgspec.json.encode(line)
            self.lines.append(line)

    async def drain(self) -> None:
        pass


async def execute(context: Any, order: DeploymentOrder) -> dict[str, Any]:
    """In a process that does nothing else."""
    async with Edges() as edges:
        return await executing.execute(context, order, edges)


async def operate(context: Any, order: RuntimeOrder) -> dict[str, Any]:
    """In a process that does nothing else."""
    async with Edges() as edges:
        return await operating.operate(context, order, edges)


@dataclasses.dataclass
class Yard:
    """One host. `order` makes attempts of one resource; `serving` is what the last good one left."""

    root: Path
    docker_host: str
    port: int
    instance: str = dataclasses.field(default_factory=lambda: Ids().text(12))
    tls_port: int = dataclasses.field(default_factory=lambda: free_port())  # noqa: PLW0108 - defined below
    serving: Serving | None = None

    @property
    def target(self) -> TargetOrder:
        return TargetOrder("local", str(self.root), self.instance, self.docker_host, True, self.port, self.tls_port)

    def order(self, source: dict[str, Any], **more: Any) -> DeploymentOrder:
        given: dict[str, Any] = {
            "deployment": f"dep_{Ids().text(12)}",
            "number": 1,
            "resource": f"res_{self.instance}",
            "resource_slug": "app",
            "resource_kind": "application",
            "organization": "1",
            "trigger": "create",
            "target": self.target,
            "source": source,
            "runtime": {"strategy": "auto"},
            "network": None,
            "health": None,
            "route": RouteOrder(f"res_{self.instance}", "organization-1", [f"app-{self.instance}.localhost"]),
            "variables": [],
            "limits": Limits(build_seconds=60),
            "source_within": ["/"],
            "serving": self.serving,
        }
        return DeploymentOrder(**(given | more))

    async def deploy(self, order: DeploymentOrder, ledger: Ledger | None = None) -> dict[str, Any]:
        """Carry it out and let it serve."""
        answer = await execute(ledger or Ledger(), order)
        self.serving = Serving(order.deployment, answer["runtime"], order.route)
        return answer["runtime"]

    async def ask(self, path: str = "/") -> tuple[int, str]:
        """What the public is answered."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            host = {"Host": f"app-{self.instance}.localhost"}
            answer = await client.get(f"http://127.0.0.1:{self.port}{path}", headers=host)
            return answer.status_code, answer.text

    def processes(self) -> list[str]:
        return [status.instance for status in Processes(self.root).list()]

    async def running(self) -> list[str]:
        """Deployments that have a process or a container here."""
        found = self.processes()
        if self.docker_host != NOBODY:
            async with await Engine.connect(engine_address({"DOCKER_HOST": self.docker_host})) as engine:
                marks = {"quarterdeck.instance": self.instance, "quarterdeck.deployment": ""}
                rows = await containers.listed(engine, marks)
                found += [row.labels["quarterdeck.deployment"] for row in rows if row.labels["quarterdeck.deployment"]]
        return sorted(found)

    async def services(self) -> dict[str, list[tuple[str, str, str]]]:
        """Containers of the services of a stack: by service (container, attempt, state)."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        async with await Engine.connect(engine_address({"DOCKER_HOST": self.docker_host})) as engine:
            marks = {"quarterdeck.instance": self.instance, "quarterdeck.service": ""}
            for row in await containers.listed(engine, marks):
                seen = (row.id, row.labels["quarterdeck.attempt"], row.state)
                if row.labels["quarterdeck.service"]:
                    found.setdefault(row.labels["quarterdeck.service"], []).append(seen)
        return found

    async def inside(self, container: str, *command: str) -> str:
        """What a command says that is run in a container."""
        async with await Engine.connect(engine_address({"DOCKER_HOST": self.docker_host})) as engine:
            return (await execution.run(engine, container, command)).stdout.decode()

    async def images_of(self, container: str) -> str:
        async with await Engine.connect(engine_address({"DOCKER_HOST": self.docker_host})) as engine:
            return (await containers.inspect(engine, container)).image

    async def remove(self, container: str) -> None:
        async with await Engine.connect(engine_address({"DOCKER_HOST": self.docker_host})) as engine:
            await containers.remove(engine, container)

    async def volumes(self) -> list[str]:
        async with await Engine.connect(engine_address({"DOCKER_HOST": self.docker_host})) as engine:
            return [one.name for one in await volumes.listed(engine, {"quarterdeck.instance": self.instance})]

    async def operate(self, order: RuntimeOrder) -> dict[str, Any]:
        return await operate(Ledger(), order)

    def routes(self) -> list[str]:
        return sorted(path.stem for path in self.root.glob("edge/routes/*.json"))

    def leftovers(self) -> list[str]:
        places = [*self.root.glob("deployments/*"), *self.root.glob("locks/*")]
        candidates = [path for path in self.root.glob("edge/candidates/*") if path.read_bytes()]
        return [str(path.relative_to(self.root)) for path in [*places, *candidates]]

    async def clear(self) -> None:
        processes = Processes(self.root)
        for status in processes.list():
            await processes.remove(status.instance, 0)
        if (self.root / "edge").exists():
            async with Edge(self.root) as edge:
                await edge.stop(grace_seconds=1)
        if self.docker_host != NOBODY:
            async with await Engine.connect(engine_address({"DOCKER_HOST": self.docker_host})) as engine:
                for row in await containers.listed(engine, {"quarterdeck.instance": self.instance}):
                    await containers.remove(engine, row.id)
                for network in await networks.listed(engine, {"quarterdeck.instance": self.instance}):
                    await networks.remove(engine, network.name)
                for volume in await volumes.listed(engine, {"quarterdeck.instance": self.instance}):
                    await volumes.remove(engine, volume.name, force=True)
                for image in await images.listed(engine, {"quarterdeck.instance": self.instance}):
                    await images.remove(engine, image.id, force=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def folder(place: Path, name: str, **files: str) -> dict[str, Any]:
    """A source: a folder with these files (two underscores stand for a dot)."""
    directory = place.parent / "sources" / name
    directory.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (directory / file.replace("__", ".")).write_text(text)
    return {"kind": "local-folder", "locator": str(directory)}


def site(place: Path, text: str) -> dict[str, Any]:
    """Files alone."""
    return folder(place, f"site-{text}", index__html=text)


def program(place: Path, text: str, **more: Any) -> dict[str, Any]:
    """An application that runs as a host process and answers with `text`; keywords of an order."""
    source = folder(place, f"program-{text}", index__html=text, server=SERVER)
    return {
        "source": source,
        "runtime": {"strategy": "workspace-commands", "startCommand": "python3 server", "installCommand": "true"},
        **more,
    }


def container(text: str, **more: Any) -> dict[str, Any]:
    """An application that runs as a container of an image that is there, and answers with `text`."""
    command = f"mkdir -p /www && echo {text} > /www/index.html && trap 'exit 0' TERM; httpd -f -p 8080 -h /www & wait"
    return {
        "source": {"kind": "docker-image", "locator": "busybox:latest", "imageName": "busybox", "imageTag": "latest"},
        "runtime": {"strategy": "prebuilt-image", "startCommand": command},
        "network": {"internalPort": 8080, "upstreamProtocol": "http", "exposureMode": "reverse-proxy"},
        **more,
    }


def again(order: DeploymentOrder, ledger: Ledger) -> DeploymentOrder:
    """The order as it is made after a crash."""
    return msgspec.structs.replace(order, done={phase: dict(data) for phase, data in ledger.done.items()})


def given_back(yard: Yard, order: DeploymentOrder, ledger: Ledger) -> DeploymentOrder:
    """A rollback to an earlier attempt."""
    retained = Retained(order.deployment, ledger.done["package"], ledger.done["plan"])
    return msgspec.structs.replace(
        order, deployment=f"dep_{Ids().text(12)}", trigger="rollback", retained=retained, serving=yard.serving
    )


def secret(key: str, value: str) -> VariableValue:
    return VariableValue(key, value, "runtime", secret=True)
