"""One running installation: its data, its services, its background work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from quarterdeck import __version__, front_door
from quarterdeck.access import Access, facts, seeding
from quarterdeck.broker.composition import Broker as BrokeredSecrets
from quarterdeck.broker.execution import handler as broker_jobs
from quarterdeck.broker.execution.machine import Machine as SecretsMachine
from quarterdeck.broker.gitops.switch import Gitops
from quarterdeck.broker.policies.compiling import Compiled
from quarterdeck.deploy.deployments import (
    clearing_again,
    following,
    old_lines,
    ordering,
    orphans,
    orphans_on_servers,
    previews,
    tidying_servers,
)
from quarterdeck.deploy.deployments import jobs as deployment_jobs
from quarterdeck.deploy.deployments import retention as deployment_retention
from quarterdeck.deploy.deployments.glancing import Glances
from quarterdeck.deploy.deployments.placement import Placement, limits
from quarterdeck.deploy.execution.execute import execute
from quarterdeck.deploy.execution.operating import clean_up, operate
from quarterdeck.deploy.execution.order import CleanupOrder, DeploymentOrder, RuntimeOrder
from quarterdeck.deploy.observation import log_archives, reviving
from quarterdeck.deploy.observation.distant import Distant
from quarterdeck.deploy.observation.edges import keep_own
from quarterdeck.deploy.observation.observer import Observer
from quarterdeck.deploy.observation.places import LocalPlace
from quarterdeck.deploy.resources import runtime as runtime_control
from quarterdeck.deploy.sources.folders import Folders
from quarterdeck.fleet.edge import certificates
from quarterdeck.fleet.edge.bootstrap import BOOTSTRAP, EdgeOrder, bring_up
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.ports import LOOPBACK as LOOPBACK_ADDRESS
from quarterdeck.fleet.edge.ports import free_ports
from quarterdeck.fleet.engines.installing import INSTALL, EngineOrder, install
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.servers import engines, provider_lines, proxies, uninstalling
from quarterdeck.fleet.servers.looking import Looking
from quarterdeck.fleet.servers.taking_away import TakingAway
from quarterdeck.fleet.targets.machine import fingerprint
from quarterdeck.fleet.terminals import keeping as terminals_kept
from quarterdeck.fleet.terminals.broker import Broker
from quarterdeck.fleet.workers import retention as worker_retention
from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.identity import retention as identity_retention
from quarterdeck.identity import setup
from quarterdeck.identity.attempts import Attempts
from quarterdeck.identity.machine import Machine
from quarterdeck.identity.oidc.relying_party import RelyingParty
from quarterdeck.identity.sessions import Signer
from quarterdeck.infra.artefacts import places as saved_plans
from quarterdeck.infra.artefacts.artefacts import Artefacts
from quarterdeck.infra.clouds.federating import OwnCredentials
from quarterdeck.infra.composition import Infrastructure
from quarterdeck.infra.execution import handler as infra_jobs
from quarterdeck.infra.execution.machine import Machine as InfraMachine
from quarterdeck.kernel import audit, jobs, kept_in, retention
from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.db import Database, open_database
from quarterdeck.kernel.db.migrate import current, migrate, pending
from quarterdeck.kernel.db.relay import Relay
from quarterdeck.kernel.db.sole import SoleServer
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.events import jobs as event_jobs
from quarterdeck.kernel.http.own_address import own_address
from quarterdeck.kernel.http.vouching import Vouching
from quarterdeck.kernel.instance import identity
from quarterdeck.kernel.jobs.handlers import WorkerHandlers, worker_handlers
from quarterdeck.kernel.jobs.reconciling import keep_reconciling
from quarterdeck.kernel.jobs.service import Jobs
from quarterdeck.kernel.logs import Logs
from quarterdeck.kernel.presence import CHANGED, Neighbour, Standing, joining
from quarterdeck.kernel.protocols import Capability
from quarterdeck.kernel.retention import own as kernel_retention
from quarterdeck.kernel.settings import Settings
from quarterdeck.kernel.telemetry import Metrics
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.choosing import vault_of
from quarterdeck.kernel.vault.following import follow as follow_data_keys
from quarterdeck.kernel.vault.vault import Vault
from quarterdeck.notify import machines
from quarterdeck.notify import retention as notify_retention
from quarterdeck.notify.bots import sending as chat_sending
from quarterdeck.notify.door import Door
from quarterdeck.notify.hooks import sending as webhook_sending
from quarterdeck.tasks import telling
from quarterdeck.tasks.composition import AgentTasks
from quarterdeck.tasks.settings.thresholds import thresholds
from quarterdeck.tasks.terminals import TaskTerminals, subject
from quarterdeck.tasks.tunnels import jobs as tunnels_carried
from quarterdeck.tasks.workspaces import retention as workspaces_kept

if TYPE_CHECKING:
    from quarterdeck.tasks.own_machine import OwnMachine

log = structlog.get_logger("quarterdeck")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SLOTS = 4
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - looked for, not listened on
RETENTION = (
    kernel_retention, facts, identity_retention, provider_lines, deployment_retention, old_lines, log_archives, orphans,
    orphans_on_servers,
    clearing_again, tidying_servers, worker_retention, notify_retention, workspaces_kept, tunnels_carried,
    terminals_kept,
)  # fmt: skip
"""Rooms that say what of theirs is kept for how long; importing one registers its categories."""
TELLING = (webhook_sending, chat_sending, machines, telling)
"""Rooms whose import registers what the server sends by jobs of its own, and who hears of what."""
HAND_BACK_SECONDS = 5.0
EDGE_LOOK_SECONDS = 5.0
PAUSE_SECONDS = 2.0


def handlers_with(edges: Edges, infra: InfraMachine) -> WorkerHandlers:
    """What a worker with the capabilities `deploy` and `infra` can do, with the edges of its process and its directory;
    the same in this process and in `qd worker`.
    """
    handlers = WorkerHandlers(worker_handlers)
    handlers.register("deployment.execute", DeploymentOrder)(partial(execute, edges=edges))
    for kind in (following.RETIRE, runtime_control.CONTROL, reviving.REVIVE):
        handlers.register(kind, RuntimeOrder)(partial(operate, edges=edges))
    handlers.register(BOOTSTRAP, EdgeOrder)(partial(bring_up, edges=edges))
    handlers.register(INSTALL, EngineOrder)(partial(install, edges=edges))
    handlers.register(previews.CLEANUP, CleanupOrder)(partial(clean_up, edges=edges))
    infra_jobs.register(handlers, infra)
    broker_jobs.register(handlers, SecretsMachine(infra.directory, own=infra.own))
    return handlers


@dataclass
class Instance:
    """Open one with `Instance.open(settings)`; `start` brings up its background work, `stop` ends it."""

    settings: Settings
    data: DataDirectory
    database_address: str | Path
    db: Database
    sole: SoleServer | None
    relay: Relay | None
    standing: Standing | None
    vouching: Vouching
    bus: Bus
    vault: Vault
    logs: Logs
    artefacts: Artefacts
    access: Access
    signer: Signer
    uid: str
    placement: Placement
    jobs: Jobs
    worker_tokens: AccessTokens
    workers: WorkerControl
    terminals: Broker
    own_machine: OwnMachine | None
    edges: Edges
    edge: Edge | None
    observer: Observer
    distant: Distant
    looking: Looking
    taking_away: TakingAway
    glances: Glances
    relying_party: RelyingParty
    attempts: Attempts
    setup_token: Secret[str] | None
    capabilities: Sequence[Capability] = ()
    metrics: Metrics = field(default_factory=Metrics)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _handing_back: asyncio.Task[None] | None = None

    @classmethod
    def open(cls, settings: Settings) -> Instance:
        """Lock the data directory, bring the database to this schema, unlock the vault.

        Raises a `Problem` when another process has the directory or the PostgreSQL database, the schema is newer than
        this program, or directory, database, master key or key backend cannot be used; then nothing is left open.
        """
        if settings.agents:
            from quarterdeck.tasks.own_machine import require_root

            require_root()
        data = DataDirectory.open(settings.data_dir, settings.least_free_disk / 100)
        data.lock()
        with contextlib.ExitStack() as undo:
            undo.callback(data.release)
            data.require_whole()
            data.require_alone()
            opened = cls._opened(settings, data, undo)
            undo.pop_all()
        return opened

    @classmethod
    def _opened(cls, settings: Settings, data: DataDirectory, undo: contextlib.ExitStack) -> Instance:
        if os.geteuid() == 0:
            # Applications run as users of their own and have to reach their directories below this one.
            data.path.chmod(0o711)
        address: str | Path = settings.database_url.reveal() if settings.database_url else data.database
        kept_in.require_told(data, address)
        if isinstance(address, Path):
            for file in (data.database, data.logs):
                file.touch(mode=0o600)
                file.chmod(0o600)
        data.runtime.mkdir(mode=0o711, exist_ok=True)
        try:
            if (data.runtime / "processes").is_dir():
                Processes(data.runtime).enter_accounts()
        except Problem as problem:  # told again to whoever wants a number
            log.warning("user_numbers_not_kept", message=problem.message)
        sole = None
        name = f"process {os.getpid()} on {socket.gethostname()} ({data.path})"
        if settings.beside and isinstance(address, str):
            joining.require_schema(address)
        elif isinstance(address, str):
            sole = SoleServer(address, name)
            sole.take()
            undo.callback(sole.release)
        if not settings.beside and pending(address):
            here = current(address)
            if here is not None and isinstance(address, str):
                from quarterdeck.backups.taking import before_upgrade

                log.info("backed_up", file=str(before_upgrade(data, address, here)))
            log.info("migrated", revisions=migrate(address, backups=data.path / "backups"))
        bus = Bus()
        vault = vault_of(settings, data.master_key)
        access = Access()
        access.from_elsewhere = settings.beside
        roots = None if settings.source_roots is None else tuple(str(root) for root in settings.source_roots)
        machine = Machine(access)
        artefacts = saved_plans.chosen(settings, data.path, vault)
        facts = [access, machine, OwnCredentials.of(os.environ), Gitops(settings.gitops)]
        parts = [*facts, Folders(roots, machine), Door(base(settings)), artefacts, Compiled()]
        db = open_database(address, vault=vault, bus=bus, parts=parts)
        undo.callback(db.close_sync)
        relay = Relay(address, bus, sender=db.ids.uid(), name=name) if isinstance(address, str) else None
        if settings.beside:
            joining.unlock(vault, db, data.master_key)
            if not db.read_sync(setup.administrator_exists):
                raise joining.nobody("There is no administrator yet.")
        else:
            vault.unlock(db)
        if vault.elsewhere:
            log.warning(
                "data_keys_elsewhere",
                wrapped_by=vault.elsewhere,
                configured=vault.backend,
                hint="Wrap them by the one that is configured: quarterdeck vault rotate",
            )
        who = db.write_sync(identity)
        kept_in.note(data.path, address)
        organization = db.write_sync(setup.default_organization)
        if not settings.beside:
            db.write_sync(seeding.seed)
        exists = db.read_sync(setup.administrator_exists)
        attempts = Attempts()
        db.read_sync(attempts.recall)
        logs = Logs(address if settings.database_url else data.logs, bus=bus)
        undo.callback(logs.shut_sync)
        http_port, https_port = edge_ports(settings, data.runtime)
        placement = Placement(
            root=str(data.runtime),
            instance=who.uid,
            docker_host=os.environ.get("DOCKER_HOST"),
            edge_enabled=not settings.no_edge,
            edge_http_port=http_port,
            edge_https_port=https_port,
            limits=limits(settings),
        )
        edges = Edges(data.runtime)
        edge = None
        if not settings.no_edge and not settings.beside:
            decided = front_door.edge_options(settings)
            edge = edges.at(
                data.runtime,
                http_port=http_port,
                https_port=https_port,
                address=front_door.place(settings)[2],
                options=decided,
            )
        infrastructure = Infrastructure(db, logs, data.path)
        capabilities: list[Capability] = [AgentTasks(db, logs), infrastructure, BrokeredSecrets(db)]
        kinds = [
            *(kind for one in capabilities for kind in one.kinds()),
            *deployment_jobs.kinds(placement, logs),
            runtime_control.kind(placement),
            reviving.kind(placement),
            proxies.kind(EdgeOrder(str(data.runtime), not settings.no_edge, http_port, https_port, instance=who.uid)),
            engines.kind(who.uid),
            previews.kind(placement),
        ]
        for kind in kinds:
            jobs.kinds.register(kind)

        home = data.process_uid(db.ids, fingerprint())
        process = f"process:{home}"
        standing = None
        if isinstance(address, str):
            me = Neighbour(home, name, None, __version__, not settings.beside, db.clock.now())
            standing = Standing(db, me, (lambda _: False) if sole is None else sole.held_in)
        service = Jobs(
            db,
            owner=process,
            lines=jobs.into(logs),
            on_worker=handlers_with(edges, InfraMachine(data.path, infrastructure.address, own=True)),
            may_claim=(lambda: True) if sole is None else lambda: sole.held,
        )
        worker_tokens = AccessTokens(who.key)
        workers = WorkerControl(service, worker_tokens, thresholds)
        terminals = Broker(db, access, data.path / "recordings", process, TaskTerminals())
        workspaces_kept.occupied_by(
            "a person at its terminal", lambda _, task_id: terminals.held_by(subject(task_id)) is not None
        )
        own = None
        if settings.agents:  # what runs agents is imported where that is wanted alone
            from quarterdeck.tasks.own_machine import OwnMachine

            own = OwnMachine(db, workers, worker_tokens, terminals, data.path, organization.id)
        reached = (db, data.path, data.runtime, placement.docker_host, who.uid)
        return cls(
            settings=settings,
            data=data,
            database_address=address,
            db=db,
            sole=sole,
            relay=relay,
            standing=standing,
            vouching=Vouching(who.key, db.clock),
            bus=bus,
            vault=vault,
            logs=logs,
            artefacts=artefacts,
            access=access,
            signer=Signer(who.key),
            uid=who.uid,
            placement=placement,
            jobs=service,
            worker_tokens=worker_tokens,
            workers=workers,
            terminals=terminals,
            own_machine=own,
            edges=edges,
            edge=edge,
            observer=Observer(
                db,
                logs,
                LocalPlace(data.runtime, placement.docker_host, None if sole is None else data.restored_since),
                log_bytes=settings.runtime_log_size,
            ),
            distant=Distant(db, logs, edges, log_bytes=settings.runtime_log_size),
            glances=Glances(placement, db.ids),
            looking=Looking(*reached, connections=edges.connections, edge_ports=(http_port, https_port)),
            taking_away=TakingAway(*reached, connections=edges.connections),
            relying_party=RelyingParty(db, access),
            attempts=attempts,
            capabilities=capabilities,
            setup_token=None if exists or open_door(settings) else Secret(db.ids.token(16)),
        )

    async def start(self) -> None:
        """Dispatch jobs, run the in-process worker, seal the audit trail, deliver events, keep the edge up, watch. One
        that stands beside another server does none of this: it hears of it.
        """
        self.stopping = asyncio.Event()
        if self.relay is not None:
            self._keep(self.relay.run, "relay", by_all=True)
        if self.standing is not None:
            self._keep(self.standing.run, "presence", by_all=True)
        self._keep(partial(follow_data_keys, self.vault), "data-keys", by_all=True)
        if self.settings.beside:
            return
        await self.db.read(ordering.mask_active, self.logs)
        await self.db.write(uninstalling.recover)
        for capability in self.capabilities:
            await capability.ready()
        await self.jobs.start(
            self,
            capabilities=frozenset({"deploy", f"local:{fingerprint()}"}),
            slots=SLOTS,
            worker=not self.settings.no_worker,
            apart={name: kept for one in self.capabilities for name, kept in one.apart.items()},
        )
        await self.db.write(retention.schedule_all)
        self._keep(partial(keep_reconciling, self.db), "reconciler")
        self._keep(audit.Sealer(self.db).run, "audit-sealer")
        self._keep(partial(event_jobs.keep_delivering, self.db), "event-delivery")
        self._keep(self.observer.run, "runtime-observer")
        self._keep(self.distant.run, "server-observer")
        # Connections that are open stay open, with what runs over them under its lease. Capabilities speak to that, and
        # begin nothing while nothing may be claimed.
        for name, run in (work for one in self.capabilities for work in one.beside(self.jobs)):
            self._keep(run, name, by_all=True)
        self._keep(self.terminals.run, "terminals", by_all=True)
        self._keep(self.edges.connections.tend, "ssh-connections", by_all=True)
        if self.own_machine is not None:
            self._keep(self.own_machine.run, "own-machine", by_all=True)
        if self.sole is not None:
            self._keep(partial(self.sole.keep, self._lock_changed), "sole-server", by_all=True)
        if self.edge is not None:  # what runs on this machine is reached, whoever works
            self._keep(partial(keep_own, self.db, self.edge), "own-edge")
            self._keep(partial(keep_edge, self.edge), "edge", by_all=True)
            self._keep(partial(keep_door, self.edge, self.settings), "front-door", by_all=True)
            self._keep(partial(certificates.watch, self.edge, self.db.clock), "certificates", by_all=True)

    def _keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str, *, by_all: bool = False) -> None:
        """Work in the background. What changes rows, or what runs, is done by the one that works alone, and rests while
        the database's lock is lost; `by_all` is for what goes on in every server, whoever works.
        """
        if self.sole is not None and not by_all:
            work = partial(self.sole.while_held, work)
        self._tasks.append(asyncio.create_task(kept(work, name), name=name))

    def _lock_changed(self, held: bool) -> None:
        """The database's lock is lost, or held again. While it is lost another server may change what is granted."""
        self.access.from_elsewhere = not held
        self.access.changed()
        self.bus.publish(CHANGED)
        if held:
            self.jobs.wake()

    def leave(self) -> None:
        """Begin to stop: streams end, and what runs here is given back to the ledger while requests still finish."""
        self.stopping.set()
        self.hand_back()

    def hand_back(self) -> asyncio.Task[None]:
        """Take no more work, and give what runs here back to the ledger. Requests are answered meanwhile."""
        if self._handing_back is None:
            self._handing_back = asyncio.create_task(self._hand_back(), name="hand-back")
        return self._handing_back

    async def _hand_back(self) -> None:
        if self.own_machine is not None:
            await self.own_machine.stop(HAND_BACK_SECONDS)
        await self.jobs.stop(HAND_BACK_SECONDS)

    async def stop(self) -> None:
        """Hand jobs back, end background work, close everything. Applications and the edge keep running."""
        self.leave()
        if self.standing is not None:
            await self.standing.leave()
        handing_back = self.hand_back()
        await asyncio.wait([handing_back])
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(handing_back, *self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("background_work_failed", reason=repr(result)[:300])
        self._tasks.clear()
        await self.terminals.close()
        await self.edges.close()
        await self.close()

    async def close(self) -> None:
        """Close the stores and give the data directory free. Safe to call twice."""
        try:
            await self.logs.shut()
        except Exception:
            log.exception("logs_not_shut")
        await self.db.close()
        if self.sole is not None:
            self.sole.release()
        self.data.release()

    def close_sync(self) -> None:
        """`close`, for whoever opened the instance without starting it, on a thread without a loop."""
        self.logs.shut_sync()
        self.db.close_sync()
        if self.sole is not None:
            self.sole.release()
        self.data.release()

    def reached_at(self, port: int) -> None:
        """Say on which port this server listens, for programs beside it and for the other servers on its database;
        before `start`.
        """
        host = self.settings.host if self.settings.host not in ANY_ADDRESS else LOOPBACK_ADDRESS
        for capability in self.capabilities:
            capability.reached_at(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        if self.standing is not None:
            address = joining.advertised(self.settings, socket.gethostname(), port)
            self.standing.me = replace(self.standing.me, address=address)

    @property
    def can_deploy(self) -> bool:
        """Whether a worker that deploys is connected."""
        return any("deploy" in session.capabilities for session in self.jobs.sessions)

    async def health(self) -> dict[str, Any]:
        """Facts and problems for the doctor; see `doctor.examine`."""
        from quarterdeck.doctor import examine

        return await examine(self)

    async def providers(self) -> list[dict[str, Any]]:
        """What can be deployed to and what helps; see `providers.known`."""
        from quarterdeck.providers import known

        return await known(self)


def base(settings: Settings) -> str:
    """Where links of what is sent without a request lead: the public address, else where this listens."""
    return own_address(settings, "http", "")


def open_door(settings: Settings) -> bool:
    """Whether the first administrator may be made without a token: only this machine itself can knock."""
    return settings.host in LOOPBACK and not settings.public_url and not settings.trusted_proxy


def edge_ports(settings: Settings, runtime: Path) -> tuple[int | None, int | None]:
    """The ports that the edge is told. 0 means any free one, and the same one after a restart."""
    named = front_door.place(settings)[:2]
    if 0 not in named:
        return named
    if Layout(runtime / "edge").ports.exists():
        return named[0] or None, named[1] or None
    spare = iter(free_ports(2, LOOPBACK_ADDRESS))
    http, https = (next(spare) if port == 0 else port for port in named)
    return http, https


async def kept(work: Callable[[], Coroutine[Any, Any, None]], name: str, pause: float = PAUSE_SECONDS) -> None:
    """Run background work until canceled: what fails is told at once and begun anew."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("background_work_failed", work=name)
        await asyncio.sleep(pause)


async def keep_edge(edge: Edge) -> None:
    """Keep the edge running from the start of the server on, and again once somebody who stopped it starts it."""
    while True:
        await edge.keep_running()
        while not (await edge.status()).running:  # noqa: ASYNC110 - another process starts it
            await asyncio.sleep(EDGE_LOOK_SECONDS)


async def keep_door(edge: Edge, settings: Settings) -> None:
    """Tell what keeps the edge from serving the control plane once for each try; `kept` tries again."""
    try:
        await front_door.keep(edge, settings)
    except Problem as problem:
        log.warning("front_door_closed", code=problem.code, problem=problem.message, hint=problem.hint)
        await asyncio.sleep(EDGE_LOOK_SECONDS)
        return
    await asyncio.Event().wait()
