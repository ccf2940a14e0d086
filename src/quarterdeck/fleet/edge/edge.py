"""The edge of a host: one Caddy, its routes, and where each of them leads."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import structlog

from quarterdeck.fleet.edge.admin import AdminClient, ConfigurationRefused
from quarterdeck.fleet.edge.batches import Batches, Change, changed
from quarterdeck.fleet.edge.candidates import Candidate, ProbeAnswer, candidate_of, probe
from quarterdeck.fleet.edge.configuration import EdgeOptions, ports_of, render_caddy
from quarterdeck.fleet.edge.holders import Holder
from quarterdeck.fleet.edge.host import LocalProxyHost, ProxyHost
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.ports import PORT_CONFLICT, Ports, choose_ports, port_conflict, require_free, url_for
from quarterdeck.fleet.edge.process import Identity
from quarterdeck.fleet.edge.program import Account
from quarterdeck.fleet.edge.refusals import explained
from quarterdeck.fleet.edge.routes import Route, check_route, check_routes, decode_route, encode_route
from quarterdeck.fleet.edge.supervision import Supervisor, cannot_listen
from quarterdeck.fleet.edge.upstreams import Upstreams
from quarterdeck.kernel.errors import Conflict, NotFound, Problem, Unavailable
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.unreadable import UNREADABLE

T = TypeVar("T")

JsonObject = dict[str, Any]

log = structlog.get_logger(__name__)
GENERATION = 12
"""Digits of a digest that name a configuration."""


class EdgeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`version` is that of the running program, None where it is not the one that we bring. `generation` names the
    configuration that was loaded last by the beginning of its digest; `loaded` says whether it is the one that runs.
    """

    running: bool
    pid: int | None
    ports: Ports | None
    routes: tuple[str, ...]
    version: str | None = None
    generation: str | None = None
    loaded: bool = False


class Edge:
    """`root` is the target directory of the host; the edge lives in `<root>/edge`.

    Any number of processes may hold an `Edge` of one directory at once: they change routes in turn and share one Caddy.
    One of them is given the `options`; the others find them there. `account` and `program` are those of this host's
    proxy; another `host` has its own.
    """

    def __init__(
        self,
        root: Path,
        *,
        http_port: int | None = None,
        https_port: int | None = None,
        address: str | None = None,
        options: EdgeOptions | None = None,
        account: Account | None = None,
        program: Path | None = None,
        host: ProxyHost | None = None,
    ) -> None:
        self.layout = Layout(root / "edge")
        self._named = (http_port, https_port, address)
        self._given = options
        self._account = account
        self._host = host or LocalProxyHost(account, program)
        self._files = self._host.files
        self._admin = AdminClient(self._host.through(self.layout.admin_socket))
        group = account.gid if account else None
        self._supervisor = Supervisor(self._host, self.layout, self._admin, group=group)
        self._upstreams = Upstreams(self._files, self.layout, group=group)
        self._batches = Batches(self._apply)
        self._ports: Ports | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends this object, not the proxy."""
        await self._admin.close()

    async def ensure_running(self) -> Identity:
        """Adopts the Caddy of this directory or starts it, and loads the routes that stand in the directory.

        Raises `Conflict` (`edge_proxy_host_port_conflict`), `Unavailable` (`edge_proxy_start_failed`) or
        `ConfigurationRefused` when an older configuration serves because the present one cannot.
        """
        await self._prepare_directory()
        async with self._turn():
            return await self._ensure(await self._read_routes())

    async def keep_running(self) -> None:
        """Starts the proxy again whenever it dies; returns when somebody asked it to stop. Run it as a task."""
        pause = 0.1
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                identity = await self.ensure_running()
                await self._host.wait_for_end(identity)
            except Problem as problem:
                log.warning("edge_not_running", code=problem.code, problem=problem.message)
            else:
                if await self._supervisor.recorded() is None:
                    return
                log.warning("edge_died", pid=identity.pid)
            pause = 0.1 if loop.time() - began > 60 else min(pause * 2, 30)
            await asyncio.sleep(pause)

    async def change_routes(self, *, put: Iterable[Route] = (), remove: Iterable[str] = ()) -> bool:
        """Removes and puts routes with at most one reload; a change that changes nothing reloads nothing. Answers
        whether the proxy had to be reloaded.

        Raises `Invalid`, `Conflict` (`edge_proxy_route_conflict`) or `ConfigurationRefused`; then all is as before.
        """
        wanted = tuple(put)
        for route in wanted:
            check_route(route)
        return await self._batches.submit(Change(put=wanted, remove=tuple(remove)))

    async def put_route(self, route: Route) -> bool:
        return await self.change_routes(put=[route])

    async def remove_route(self, route_id: str) -> bool:
        return await self.change_routes(remove=[route_id])

    async def load_again(self) -> None:
        """Loads the routes anew, with the certificate files that they name: these are read only then."""
        async with self._turn():
            routes = await self._read_routes()
            await self._ensure(routes)
            await self._load(routes, self.ports, again=True)

    async def routes(self) -> dict[str, Route]:
        return await self._read_routes()

    async def switch(self, route_id: str, upstream: str) -> str | None:
        """The cut-over. Answers the upstream before, None for the first; raises `NotFound` for an unknown route."""
        return await self._upstreams.switch(route_id, upstream)

    async def take_down(self, route_id: str) -> str | None:
        """Leads the route nowhere (503). Answers the upstream before."""
        return await self._upstreams.take_down(route_id)

    async def upstream(self, route_id: str) -> str | None:
        return await self._upstreams.current(route_id)

    async def forget(self, route_id: str) -> None:
        """Removes what says where a route leads that is not there; nothing of one that is."""
        async with self._files.lock(self.layout.routes_lock):
            await self._upstreams.forget(route_id)

    async def candidate(self, route_id: str, upstream: str) -> Candidate:
        """Shows `upstream` behind the private door of the route; see `probe`."""
        route = (await self._read_routes()).get(route_id)
        if route is None:
            raise NotFound(
                f"The edge has no route {route_id}.",
                code="edge_proxy_route_missing",
                hint="Put the route first, then show its candidate.",
                routeId=route_id,
            )
        await self._upstreams.set_candidate(route_id, upstream)
        return candidate_of(route, self.layout)

    async def probe(self, candidate: Candidate, path: str, *, timeout_seconds: float = 5) -> ProbeAnswer:
        """One request to a candidate; see `candidates.probe`."""
        through = self._host.through(self.layout.candidate_socket)
        return await probe(candidate, through, path, timeout_seconds=timeout_seconds)

    async def clear_candidate(self, route_id: str) -> None:
        await self._upstreams.clear_candidate(route_id)

    async def requests_in_flight(self, upstream: str) -> int:
        """Requests and WebSockets that this upstream is answering at the moment."""
        return (await self._admin.in_flight()).get(upstream, 0)

    async def drain(self, upstream: str, grace_seconds: float) -> int:
        """Waits until nothing is in flight, at most the grace. Answers what is left then (0 = drained)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_seconds
        pause = 0.02
        quiet = 0
        while True:
            left = await self.requests_in_flight(upstream)
            # A request that read the upstream file just before the cut-over is counted a moment later: look twice.
            quiet = quiet + 1 if left == 0 else 0
            remaining = deadline - loop.time()
            if quiet >= 3 or (remaining <= 0 and quiet == 0):
                return left
            await asyncio.sleep(pause if quiet else min(pause, max(remaining, 0.001)))
            pause = 0.02 if quiet else min(pause * 1.5, 0.5)

    async def stop(self, *, grace_seconds: float = 10) -> bool:
        """Ends the proxy. Whether there was one; a process that is not certainly ours is left alone."""
        async with self._files.lock(self.layout.routes_lock):
            identity = await self._supervisor.recorded()
            if identity is None or not await self._host.lives(identity):
                identity = await self._supervisor.adopt()
            return identity is not None and await self._supervisor.end(identity, grace_seconds=grace_seconds)

    async def status(self) -> EdgeStatus:
        identity = await self._supervisor.recorded()
        running = await self._host.lives(identity) and await self._admin.answers()
        kept = await self._files.read(self.layout.current)
        serves = identity if running else None
        return EdgeStatus(
            running=running,
            pid=serves.pid if serves else None,
            ports=await self._kept_ports(),
            routes=tuple(sorted(await self._read_routes())),
            version=await self._host.version(serves) if serves else None,
            generation=hashlib.sha256(kept).hexdigest()[:GENERATION] if kept else None,
            loaded=running and _same(kept, (await self._admin.configuration())[0]),
        )

    async def in_the_way(self) -> list[str]:
        """Who has the ports that the proxy would listen on now, in a sentence for each; ask it of one that does not
        run. Nobody is in the way of an edge that would take other ports instead.
        """
        kept = await self._kept_ports()
        http, https, _ = self._named
        secure = https is not None or any(route.tls != "disabled" for route in (await self._read_routes()).values())
        wanted = [http or (kept.http if kept else None), (https or (kept.https if kept else None)) if secure else None]
        found = [(port, await self._holder(port)) for port in wanted if port is not None]
        return [f"Port {port} belongs to {holder.named}." for port, holder in found if holder is not None]

    async def answers(self) -> bool:
        """Whether the proxy runs and has a configuration."""
        return await self._admin.answers()

    async def metrics(self) -> str:
        return await self._admin.metrics()

    @property
    def ports(self) -> Ports:
        """Known once the edge has been running; raises `Unavailable` before."""
        if self._ports is None:
            raise Unavailable(
                "The edge has not been started yet, so its ports are not chosen.", code="edge_proxy_unavailable"
            )
        return self._ports

    def url_for(self, hostname: str, *, tls: bool = False) -> str:
        return url_for(hostname, self.ports, tls=tls)

    async def _apply(self, changes: list[Change]) -> bool:
        await self._prepare_directory()
        async with self._turn():
            before = await self._read_routes()
            after = changed(before, changes)
            check_routes(after.values())
            await self._ensure(before)
            for route_id in after.keys() - before.keys():
                await self._upstreams.prepare(route_id)
            try:
                reloaded = await self._load(after, self.ports)
            except Problem:
                for route_id in after.keys() - before.keys():
                    await self._upstreams.forget(route_id)
                raise
            for route_id, route in after.items():
                if before.get(route_id) != route:
                    await self._files.write_atomic(self.layout.route(route_id), encode_route(route))
            for route_id in before.keys() - after.keys():
                await self._files.remove(self.layout.route(route_id))
                await self._upstreams.forget(route_id)
            return reloaded

    async def _ensure(self, routes: dict[str, Route]) -> Identity:
        identity = await self._supervisor.adopt()
        secure = any(route.tls != "disabled" for route in routes.values())
        kept = await self._kept_ports()
        if identity is None:
            ports = await self._choose_ports(kept, secure=secure)
            wanted = render_caddy(routes.values(), self.layout, ports, await self._options())
            generations = [wanted, *await self._older_generations(wanted)]
            identity, taken = await self._supervisor.start(generations, ports)
            await self._keep_generation(taken)
        else:
            ports = await self._running_ports(kept, secure=secure)
        await self._load(routes, ports)
        await self._keep_ports(ports)
        return identity

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Holds the routes lock. A port conflict names who has the port, where that is known."""
        async with self._files.lock(self.layout.routes_lock):
            try:
                yield
            except Conflict as conflict:
                port = conflict.details.get("port")
                if conflict.code != PORT_CONFLICT or not isinstance(port, int):
                    raise
                raise port_conflict(port, await self._holder(port)) from conflict

    async def _holder(self, port: int) -> Holder | None:
        """The first of those who are in the way of our own proxy at a port."""
        own = await self._supervisor.recorded()
        found = await self._host.holders(port, await self._address())
        return next((holder for holder in found if holder.identity != own), None)

    async def _address(self) -> str:
        kept, address = await self._kept_ports(), self._named[2]
        return address if address is not None else kept.address if kept else ""

    async def _choose_ports(self, kept: Ports | None, *, secure: bool) -> Ports:
        """The ports to start with. A proxy that holds one of them for a directory that stood here before us is ended;
        raises `Conflict` for everybody else who does.
        """
        while True:
            sockets = await self._host.sockets()
            try:
                return choose_ports(sockets, *self._named, kept=kept, secure=secure)
            except Conflict as conflict:
                found = await self._host.holders(int(conflict.details["port"]), await self._address())
                ended = [one.identity.pid for one in found if await self._host.end_forsaken(self.layout, one.identity)]
                if not ended:
                    raise
                log.warning("edge_forsaken_ended", pids=ended, port=conflict.details["port"])

    async def _running_ports(self, kept: Ports | None, *, secure: bool) -> Ports:
        """Where a running edge shall listen: where it does, unless an operator has named another place since."""
        if kept is None:
            running, _ = await self._admin.configuration()
            try:
                kept = ports_of(running or {})
            except (KeyError, IndexError, TypeError) as error:
                raise Unavailable(
                    "The edge runs a configuration that is not ours.",
                    code="edge_proxy_unavailable",
                    hint="Stop the Caddy of this directory; Quarterdeck starts it again with its own routes.",
                ) from error
        http, https, address = self._named
        wanted = Ports(
            http=http or kept.http, https=https or kept.https, address=kept.address if address is None else address
        )
        # The proxy itself would share a taken port silently.
        if wanted.http != kept.http:
            require_free(await self._host.sockets(), wanted.http, wanted.address)
        if secure and wanted.https != kept.https:
            require_free(await self._host.sockets(), wanted.https, wanted.address)
        return wanted

    async def _load(self, routes: dict[str, Route], ports: Ports, *, again: bool = False) -> bool:
        wanted = render_caddy(routes.values(), self.layout, ports, await self._options())
        running, tag = await self._admin.configuration()
        if running == wanted and not again:
            await self._keep_generation(wanted)
            return False
        try:
            point("edge.load")
            await self._admin.load(wanted, tag)
            point("edge.loaded")
        except ConfigurationRefused as refused:
            said = "\n".join(getattr(refused, "__notes__", []))
            log.warning("edge_configuration_refused", said=said)
            conflict = cannot_listen(said)
            if conflict is not None:
                raise conflict from refused
            raise explained(refused, routes.values()) from refused
        await self._keep_generation(wanted)
        log.info("edge_reloaded", routes=len(routes))
        return True

    async def _keep_generation(self, configuration: JsonObject) -> None:
        content = msgspec.json.format(msgspec.json.encode(configuration), indent=1)
        current = await self._files.read(self.layout.current)
        if current == content:
            return
        if current is not None:
            await self._files.write_atomic(self.layout.previous, current)
        await self._files.write_atomic(self.layout.current, content)

    async def _older_generations(self, wanted: JsonObject) -> list[JsonObject]:
        """What may serve instead of a configuration that cannot: only what listens on the same ports."""
        older = []
        for path in (self.layout.current, self.layout.previous):
            with contextlib.suppress(*UNREADABLE, LookupError, TypeError):
                generation = msgspec.json.decode(await self._files.read(path) or b"", type=JsonObject)
                here = generation["apps"]["http"]["servers"]["http"]["listen"]
                if generation != wanted and here == wanted["apps"]["http"]["servers"]["http"]["listen"]:
                    older.append(generation)
        return older

    async def _options(self) -> EdgeOptions:
        """What was given to this object, which is kept for the others, else what was kept."""
        kept = await self._files.read(self.layout.options)
        if self._given is None:
            return self._decoded(kept, EdgeOptions, self.layout.options) if kept else EdgeOptions()
        given = msgspec.json.encode(self._given)
        if given != kept and (kept or self._given != EdgeOptions()):
            await self._files.write_atomic(self.layout.options, given)
        return self._given

    async def _kept_ports(self) -> Ports | None:
        content = await self._files.read(self.layout.ports)
        return self._decoded(content, Ports, self.layout.ports) if content else None

    @staticmethod
    def _decoded(content: bytes, kind: type[T], path: Path) -> T:
        try:
            return msgspec.json.decode(content, type=kind)
        except UNREADABLE as error:
            raise Unavailable(
                f"The edge's file {path.name} cannot be read.",
                code="edge_proxy_file_unreadable",
                hint=f"Mend or remove {path}, then try again.",
                phase="proxy-bootstrap",
            ) from error

    async def _keep_ports(self, ports: Ports) -> None:
        self._ports = ports
        content = msgspec.json.encode(ports)
        if await self._files.read(self.layout.ports) != content:
            await self._files.write_atomic(self.layout.ports, content)

    async def _read_routes(self) -> dict[str, Route]:
        routes = {}
        for name in await self._files.list(self.layout.routes):
            content = await self._files.read(self.layout.routes / name)
            if name.endswith(".json") and content is not None:
                try:
                    route = decode_route(content)
                except UNREADABLE as error:
                    raise Unavailable(
                        f"The edge's route file {name} cannot be read; no route is changed until it can.",
                        code="edge_proxy_route_unreadable",
                        hint=f"Mend or remove {self.layout.routes / name}, then deploy its resource again.",
                        phase="proxy-route-realization",
                    ) from error
                routes[route.id] = route
        return routes

    async def _prepare_directory(self) -> None:
        layout, account = self.layout, self._account
        if account is None:
            await self._files.make_directory(layout.directory)
            passable: dict[str, Any] = {}
        else:
            # Its account may make its sockets here, but not touch what is not its own.
            await self._files.make_directory(layout.directory, mode=0o1770, group=account.gid)
            passable = {"mode": 0o710, "group": account.gid}
        await self._files.make_directory(layout.routes)
        for path in (layout.upstreams, layout.candidates, layout.empty):
            await self._files.make_directory(path, **passable)
        for path in (layout.log, layout.configuration_home, layout.data):
            await self._files.make_directory(path)
            await self._host.own(path)


def _same(kept: bytes | None, running: JsonObject | None) -> bool:
    with contextlib.suppress(*UNREADABLE):
        return kept is not None and bool(msgspec.json.decode(kept) == running)
    return False
