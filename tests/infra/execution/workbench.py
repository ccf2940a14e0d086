"""A runner's attempt in memory: the ledger's side of it, and orders as a server makes them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.infra.execution import reviewing
from quarterdeck.infra.execution.executing import execute
from quarterdeck.infra.execution.machine import Machine
from quarterdeck.infra.execution.orders import InfraOrder, Module, SavedPlan
from quarterdeck.kernel.jobs.handlers import JobInfo
from quarterdeck.kernel.jobs.refusals import canceled, fenced
from real.git_server import repository
from support.state_server import StateServer

FULL: dict[str, Any] = {
    "id": "c1", "user_id": "u1", "zone_id": "z1", "status": "QUEUED", "provider": "aws", "git_access_token": "",
    "project_name": "ledger", "environment_stage": "staging", "region": "eu-west-1", "terraform_version": "1.11.4",
    "network": {
        "provision_network": True, "cidr_block": "10.20.0.0/16", "network_id": None, "single_nat_gateway": True,
        "allowed_cidr_blocks": ["10.0.0.0/8"], "status": "ACTIVE",
    },
    "cluster": {
        "cluster_version": "1.32", "instance_types": ["t3.large"], "node_min_size": 2, "node_max_size": 6,
        "node_desired_size": 3, "cluster_admins": [{"username": "ops", "groups": ["system:masters"]}],
        "provider_config": {"enable_karpenter": True}, "cluster_endpoint": None,
    },
    "dns": {"enabled": True, "zone_id": "Z123", "domain_name": "ledger.example.net", "provider_config": {}},
    "repositories": {"apps_destination_repo": "https://git.example.net/acme/ledger-apps"},
    "databases": [
        {"name": "main", "engine": "postgres", "engine_version": "16", "min_capacity": 0.5, "max_capacity": 4,
         "port": 5432, "backup_retention_days": 7, "iam_auth": False},
    ],
    "caches": [{"name": "sessions", "engine": "redis", "node_type": "cache.t4g.micro", "num_cache_nodes": 2,
                "multi_az": True}],
    "queues": [{"name": "mails", "fifo": True, "visibility_timeout": 60}, {"name": "work"}],
    "topics": [{"name": "orders", "subscriptions": [{"protocol": "https", "endpoint": "https://example.net/hook"}]}],
    "nosql_tables": [{"name": "carts", "hash_key": "id", "hash_key_type": "S", "range_key": "at",
                      "range_key_type": "N", "point_in_time_recovery": True}],
    "secrets": [{"name": "session-key", "generate": True, "length": 40, "special_chars": False}],
    "container_registries": [{"name": "ledger-api"}],
    "storage_buckets": [{"name": "uploads", "versioning": True, "cors_origins": ["https://ledger.example.net"]}],
}  # fmt: skip
MINIMAL: dict[str, Any] = {"project_name": "ledger", "environment_stage": "development", "region": "eu-west-1"}
LOCAL = Module(kind="bundled", name="local")


class Ledger:
    """Implements `JobContext`; everything recorded and logged is kept. `on` hears each report before it is taken."""

    def __init__(self) -> None:
        self.job = JobInfo(1, "job", "infra.run", 1, 1, "infra-job:1")
        self.canceled = asyncio.Event()
        self.lost = False
        self.told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.records: list[tuple[str, Any]] = []
        self.lines: list[tuple[str, str]] = []
        self.on: Callable[[str, Any], None] = lambda kind, data: None
        self.hears: Callable[[str], None] = lambda line: None

    def _check(self) -> None:
        if self.lost:
            raise fenced(1, 1)
        if self.canceled.is_set():
            raise canceled(1)

    async def record(self, kind: str, data: Any) -> Any:
        self._check()
        msgspec.json.encode(data)
        self.records.append((kind, data))
        self.on(kind, data)

    def log(self, lines: Iterable[str], stream: str = "stdout", *, source="", phase=None, level="info") -> None:
        for line in lines:
            self.lines.append((stream, line))
            self.hears(line)

    async def drain(self) -> None:
        pass

    async def sleep(self, seconds: float) -> None:
        self._check()
        await asyncio.sleep(min(seconds, 0.01))
        self._check()

    def read(self, order):
        raise AssertionError("the order is given")

    def of(self, kind: str) -> list[Any]:
        return [data for told, data in self.records if told == kind]

    @property
    def phases(self) -> list[str]:
        return [data["phase"] for data in self.of("phase")]

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)


@dataclass
class Bench:
    """One machine that works for one server."""

    directory: Path
    server: StateServer
    own: bool = False
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    ledger: Ledger = field(default_factory=Ledger)
    _jobs: int = 0

    @property
    def machine(self) -> Machine:
        return Machine(self.directory, lambda: self.server.url, self.own, self.environment)

    def order(self, job_type: str, snapshot: dict[str, Any] | None = None, **more: Any) -> InfraOrder:
        self._jobs += 1
        job = f"{job_type.lower().replace('_', '-')}-{self._jobs}"
        return InfraOrder(
            job=job,
            job_type=job_type,
            module=more.pop("module", LOCAL),
            place=self.server.place(job),
            snapshot=FULL if snapshot is None else snapshot,
            **more,
        )

    async def run(self, order: InfraOrder) -> dict[str, Any]:
        """As a worker runs it, with a ledger of its own."""
        self.ledger = Ledger()
        return await self.attempt(order)

    async def attempt(self, order: InfraOrder) -> dict[str, Any]:
        """As `run`, with the ledger that a test has prepared."""
        return await execute(self.ledger, order, self.machine)

    async def plan(self, snapshot: dict[str, Any] | None = None, **more: Any) -> SavedPlan:
        """A PLAN job, and what a DEPLOY is given of it."""
        order = self.order("PLAN", snapshot, **more)
        await self.run(order)
        (report,) = self.ledger.of("plan")
        reviewed = reviewing.digest(report["summary"], report["changes"], "plan")
        return SavedPlan(job=order.job, sha256=report["sha256"], size=report["size"], reviewed=reviewed)

    async def deploy(self, snapshot: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Plan, then apply exactly that."""
        plan = await self.plan(snapshot, **more)
        return await self.run(self.order("DEPLOY", snapshot, plan=plan, **more))

    @property
    def left(self) -> list[str]:
        """What attempts have left on the machine's disk."""
        return sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*"))


@dataclass
class Forge:
    """Repositories of modules, at the address of a git server."""

    directory: Path
    url: str

    def module(self, files: dict[str, str], *, path: str = "", name: str = "modules", **more: Any) -> Module:
        """The module of a new repository with these files, at its one commit."""
        made = repository(self.directory / name, files)
        return Module(kind="git", url=f"{self.url}/{name}", commit=made, path=path, **more)


def running(command: str) -> dict[str, str]:
    """The files of a module whose one resource runs this when it is made."""
    resource = f'resource "terraform_data" "x" {{\n  provisioner "local-exec" {{\n    command = "{command}"\n  }}\n}}\n'
    return {"main.tf": resource}


def processes_in(directory: Path) -> list[int]:
    """Those whose working directory is below this one."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError):
                if (place / "cwd").readlink().is_relative_to(directory):
                    found.append(int(place.name))
    return found


def terraform_in(directory: Path) -> int:
    """The terraform that works below this directory."""
    return next(pid for pid in processes_in(directory) if Path(f"/proc/{pid}/comm").read_text().strip() == "terraform")
