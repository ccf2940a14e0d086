"""One running installation: its data, its services, its background work."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from quarterdeck.access import Access
from quarterdeck.deploy.deployments import jobs as deployment_jobs
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.execution.execute import execute
from quarterdeck.deploy.execution.operating import operate
from quarterdeck.deploy.execution.order import DeploymentOrder, RuntimeOrder
from quarterdeck.deploy.observation import reviving
from quarterdeck.deploy.observation.observer import Observer
from quarterdeck.deploy.resources import runtime as runtime_control
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.targets.machine import fingerprint
from quarterdeck.identity import setup
from quarterdeck.identity.sessions import Signer
from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.db import Database, open_database
from quarterdeck.kernel.db.migrate import migrate, pending
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.instance import identity
from quarterdeck.kernel.jobs.frames import LogLine
from quarterdeck.kernel.jobs.handlers import WorkerHandlers, worker_handlers
from quarterdeck.kernel.jobs.service import Jobs
from quarterdeck.kernel.logs import Line, Logs
from quarterdeck.kernel.settings import Settings
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault

log = structlog.get_logger("quarterdeck")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SLOTS = 4


def register_handlers(handlers: WorkerHandlers = worker_handlers) -> None:
    """What a worker with the capability `deploy` can do; the same in this process and in `qd worker`."""
    if handlers.find(deployment_jobs.RETIRE) is None:
        handlers.register("deployment.execute", DeploymentOrder)(execute)
        handlers.register(deployment_jobs.RETIRE, RuntimeOrder)(operate)
        handlers.register(runtime_control.CONTROL, RuntimeOrder)(operate)
        handlers.register(reviving.REVIVE, RuntimeOrder)(operate)


@dataclass
class Instance:
    """Open one with `Instance.open(settings)`; `start` brings up its background work, `stop` ends it."""

    settings: Settings
    data: DataDirectory
    database_address: str | Path
    db: Database
    bus: Bus
    vault: Vault
    logs: Logs
    access: Access
    signer: Signer
    uid: str
    placement: Placement
    jobs: Jobs
    edge: Edge | None
    observer: Observer
    setup_token: Secret[str] | None

    @classmethod
    def open(cls, settings: Settings) -> Instance:
        """Lock the data directory, bring the database to this schema, unlock the vault.

        Raises `Conflict` when another process has the directory or the schema is newer than this program.
        """
        data = DataDirectory.open(settings.data_dir)
        data.lock()
        try:
            return cls._opened(settings, data)
        except BaseException:
            data.release()
            raise

    @classmethod
    def _opened(cls, settings: Settings, data: DataDirectory) -> Instance:
        if os.geteuid() == 0:
            # Applications run as users of their own and have to reach their directories below this one.
            data.path.chmod(0o711)
        address: str | Path = settings.database_url.reveal() if settings.database_url else data.database
        for file in (data.database, data.logs):
            file.touch(mode=0o600)
            file.chmod(0o600)
        data.runtime.mkdir(mode=0o711, exist_ok=True)
        if pending(address):
            log.info("migrated", revisions=migrate(address))
        bus = Bus()
        vault = Vault(LocalBackend(data.master_key))
        db = open_database(address, vault=vault, bus=bus)
        try:
            vault.unlock(db)
            who = db.write_sync(identity)
            db.write_sync(setup.default_organization)
            exists = db.read_sync(setup.administrator_exists)
            logs = Logs(address if settings.database_url else data.logs)
        except BaseException:
            db.close_sync()
            raise
        open_door = settings.host in LOOPBACK and not settings.public_url and not settings.trusted_proxy
        placement = Placement(
            root=str(data.runtime),
            instance=who.uid,
            docker_host=os.environ.get("DOCKER_HOST"),
            edge_enabled=not settings.no_edge,
            edge_http_port=settings.edge_http_port,
            edge_https_port=settings.edge_https_port,
        )
        register_handlers()
        kinds = [*deployment_jobs.kinds(placement, logs), runtime_control.kind(placement), reviving.kind(placement)]
        for kind in kinds:
            jobs.kinds.replace(kind)
        edge = None
        if not settings.no_edge:
            edge = Edge(data.runtime, http_port=settings.edge_http_port, https_port=settings.edge_https_port)

        async def keep_lines(stream: str, lines: Sequence[LogLine]) -> None:
            await logs.store(stream, [_line(line) for line in lines])

        return cls(
            settings=settings,
            data=data,
            database_address=address,
            db=db,
            bus=bus,
            vault=vault,
            logs=logs,
            access=Access(),
            signer=Signer(who.key),
            uid=who.uid,
            placement=placement,
            jobs=Jobs(db, owner=f"process:{who.uid}", lines=keep_lines),
            edge=edge,
            observer=Observer(db, logs, root=data.runtime, docker_host=placement.docker_host),
            setup_token=None if exists or open_door else Secret(db.ids.token(16)),
        )

    async def start(self) -> None:
        """Dispatch jobs, run the in-process worker, seal the audit trail, keep the edge up, watch what runs."""
        self._tasks: list[asyncio.Task[None]] = []
        await self.db.read(deployment_jobs.mask_active, self.placement, self.logs)
        await self.jobs.start(
            self,
            capabilities=frozenset({"deploy", f"local:{fingerprint()}"}),
            slots=SLOTS,
            worker=not self.settings.no_worker,
        )
        self._keep(audit.Sealer(self.db).run(), "audit-sealer")
        self._keep(self.observer.run(), "runtime-observer")
        if self.edge is not None and await self.edge.routes():
            self._keep(self.edge.keep_running(), "edge")

    def _keep(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def stop(self) -> None:
        """Hand jobs back, end background work, close everything. Applications and the edge keep running."""
        await self.jobs.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.edge is not None:
            await self.edge.close()
        await self.close()

    async def close(self) -> None:
        with contextlib.suppress(Exception):
            await self.logs.shut()
        await self.db.close()
        self.data.release()

    async def health(self) -> dict[str, Any]:
        """Facts and problems for the doctor: what is there, what is missing, in a few words each."""
        facts: dict[str, Any] = {"database": self.db.dialect, "diskFree": f"{self.data.free():.0%}"}
        problems = []
        shortage = self.data.shortage()
        if shortage is not None:
            problems.append(shortage.message)
        facts["docker"] = await self._docker()
        facts["worker"] = "in-process" if not self.settings.no_worker else "remote"
        facts["workers"] = len(self.jobs.sessions)
        if self.edge is not None:
            status = await self.edge.status()
            facts["edge"] = "running" if status.running else "stopped"
            if status.ports is not None:
                facts["edgeHttpPort"] = status.ports.http
            if status.routes and not status.running:
                problems.append("The edge is not running although there are routes.")
        for number, problem in enumerate(problems, 1):
            facts[f"problem{number}"] = problem
        return {"facts": facts, "problems": problems}

    async def _docker(self) -> str:
        from quarterdeck.fleet.docker import system
        from quarterdeck.fleet.docker.address import engine_address
        from quarterdeck.fleet.docker.engine import Engine

        try:
            async with await Engine.connect(engine_address(os.environ)) as engine:
                return (await system.version(engine)).version
        except Problem as problem:
            return problem.code


def _line(line: LogLine) -> Line:
    return Line(
        time=datetime.fromtimestamp(line.time / 1_000_000, UTC),
        source="quarterdeck" if line.source == "quarterdeck" else "application",
        stream=line.stream if line.stream in {"stdout", "stderr"} else "system",  # type: ignore[arg-type]
        phase=line.phase,
        level=line.level,
        message=line.message,
    )
