"""Servers and their credentials: read for their pages, and changed by their forms."""

from __future__ import annotations

from typing import Any

from quarterdeck.console.domain.engines import engine_view
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.fleet import (
    AttemptRow,
    CapacityView,
    CredentialRow,
    EngineView,
    Looked,
    LookedAt,
    ServerChoice,
    ServerView,
)
from quarterdeck.console.words import exact, size
from quarterdeck.deploy.deployments import rollups
from quarterdeck.fleet.capacity.values import Capacity
from quarterdeck.fleet.credentials import access, credentials
from quarterdeck.fleet.credentials.access import AGENT, STORED, Shown, Way
from quarterdeck.fleet.engines.installing import PHASE
from quarterdeck.fleet.servers import engines, lifecycle, proxies, servers
from quarterdeck.fleet.servers.looking import Draft
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.connectivity import Examined
from quarterdeck.kernel.blockers import in_words
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs import Job
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.kernel.vault import Secret

SSH = "generic-ssh"
MOST = 500
LAST_LINES = 40


class Fleet:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any
    registry: tuple[DeletionBlocker, ...] = ()

    async def server(self, who: Principal, ref: str) -> ServerView:
        view: ServerView = await self.instance.db.read(_view, ref, self.registry)
        return view

    async def look(self, who: Principal, ref: str) -> Looked:
        _, found = await self.instance.looking.examine(ref)
        return _looked(found)

    async def look_at_draft(self, who: Principal, choice: ServerChoice) -> Looked:
        draft = Draft(choice.host, _port(choice.port), SSH if choice.host else servers.LOCAL, _way(choice))
        if not choice.host:
            draft = Draft("127.0.0.1", 22, servers.LOCAL)
        return _looked(await self.instance.looking.examine_draft(draft))

    async def capacity(self, who: Principal, ref: str) -> CapacityView:
        _, found = await self.instance.looking.measure(ref)
        return _capacity(found)

    async def engine(self, who: Principal, ref: str) -> EngineView:
        server, seen, plan = await self.instance.looking.engine(ref)
        job: Job | None = await self.instance.db.read(engines.latest, server)
        lines: tuple[str, ...] = ()
        if job is not None:
            told = await self.instance.logs.read(f"server:{ref}", tail=LAST_LINES, since=job.created_at)
            lines = tuple(line.message for line in told if line.phase == PHASE)
        return engine_view(server, seen, plan, job, lines)

    async def use_engine(self, who: Principal, ref: str, plan_id: str) -> None:
        """The button is pressed below the plan: that is the consent."""
        _, seen, plan = await self.instance.looking.engine(ref)
        engines.check_consent(plan, consent=True, plan_id=plan_id)
        if seen.state == "ready":
            await self.instance.db.write(engines.adopt, ref, seen.version)
        else:
            await self.instance.db.write(engines.request, ref, [step.argv for step in plan.steps])

    async def refuse_engine(self, who: Principal, ref: str, reason: str) -> None:
        await self.instance.db.write(engines.refuse, ref, reason or None)

    async def credentials(self, who: Principal) -> tuple[CredentialRow, ...]:
        def read(tx: Tx) -> tuple[CredentialRow, ...]:
            return tuple(
                CredentialRow(
                    row.ref,
                    row.name,
                    row.username or "root",
                    row.rotated_at or row.created_at,
                    tuple(use.server.name for use in credentials.usage(tx, row)),
                )
                for row in credentials.newest(tx, MOST)
            )

        rows: tuple[CredentialRow, ...] = await self.instance.db.read(read)
        return rows

    async def add_server(self, who: Principal, choice: ServerChoice) -> str:
        def add(tx: Tx) -> str:
            made = servers.register(
                tx,
                name=choice.name,
                host=choice.host or "127.0.0.1",
                provider=SSH if choice.host else servers.LOCAL,
                target_kind="single-server",
                port=_port(choice.port),
                proxy_kind=choice.edge,
            )
            way = _way(choice)
            if way is not None:
                access.configure(tx, made.ref, way)
            return made.ref

        ref: str = await self.instance.db.write(add)
        return ref

    async def rename_server(self, who: Principal, ref: str, name: str) -> None:
        await self.instance.db.write(lifecycle.rename, ref, name)

    async def sign_in_to_server(self, who: Principal, ref: str, *, credential: str, username: str) -> None:
        way = _way(ServerChoice(host=ref, credential=credential, username=username))
        if way is None:
            raise Invalid("Choose how it is signed in to.", hint="Store a key first.", field="credential")
        await self.instance.db.write(access.configure, ref, way)

    async def choose_edge(self, who: Principal, ref: str, kind: str) -> None:
        await self.instance.db.write(proxies.configure, ref, _edge(kind))

    async def bring_up_edge(self, who: Principal, ref: str) -> None:
        await self.instance.db.write(proxies.bootstrap, ref)

    async def trust_host_key(self, who: Principal, ref: str, fingerprint: str) -> None:
        await self.instance.db.write(access.accept_host_key, ref, fingerprint)

    async def deactivate_server(self, who: Principal, ref: str, reason: str) -> None:
        await self.instance.db.write(lifecycle.deactivate, ref, reason or None)

    async def delete_server(self, who: Principal, ref: str, confirmation: str) -> None:
        def delete(tx: Tx) -> None:
            server = servers.find(tx, ref)
            if confirmation != server.name:
                raise Invalid(
                    f"{confirmation[:60]!r} is not the name of this server.",
                    hint=f"Type {server.name}.",
                    field="confirmation",
                )
            lifecycle.delete(tx, ref, ref, self.registry)

        await self.instance.db.write(delete)

    async def add_credential(self, who: Principal, *, name: str, username: str, key: str) -> None:
        await self.instance.db.write(credentials.create, name=name, private_key=Secret(key), username=username or None)

    async def delete_credential(self, who: Principal, ref: str) -> None:
        await self.instance.db.write(credentials.delete, ref, ref, self.registry)


def _view(tx: Tx, ref: str, registry: tuple[DeletionBlocker, ...]) -> ServerView:
    server = servers.find(tx, ref)
    shown = access.of_servers(tx, [server]).get(server.id)
    local = server.provider == servers.LOCAL
    chosen = "" if shown is None else "agent" if shown.row.kind == AGENT else shown.stored.ref if shown.stored else ""
    return ServerView(
        ref=server.ref,
        name=server.name,
        host=server.host,
        local=local,
        lifecycle=server.lifecycle,
        edge=server.proxy_status,
        edge_kind=server.proxy_kind,
        edge_problem=server.proxy_error_message or "",
        signing_in=_words(shown, local=local),
        credential=chosen,
        username=(shown.row.username or "") if shown else "",
        facts=_facts(tx, server, shown, local=local),
        attempts=tuple(
            AttemptRow(one.ref, one.status, one.reason, one.error_message or "", one.started_at)
            for one in proxies.latest(tx, server)
        ),
        blockers=tuple(in_words(*one) for one in lifecycle.blockers(tx, server, registry)),
    )


def _words(shown: Shown | None, *, local: bool) -> str:
    if shown is None:
        return "Needs no connection" if local else "Nothing said yet"
    name = shown.username or "root"
    if shown.row.kind == AGENT:
        return f"{name}, with the agent of the control plane's account"
    return f"{name}, with {shown.stored.name}" if shown.stored else f"{name}, with a key of its own"


def _facts(tx: Tx, server: Server, shown: Shown | None, *, local: bool) -> tuple[Fact, ...]:
    deployed = rollups.of_server(tx, server.id)
    facts = [
        Fact("Id", server.ref, True),
        Fact("Address", server.host if local else f"{server.host}, port {server.port}"),
        Fact("Signing in", _words(shown, local=local)),
    ]
    pinned = access.host_key(tx, server.id)
    if pinned is not None:
        facts.append(Fact("Host key", pinned.fingerprint, True))
    elif not local:
        facts.append(Fact("Host key", "Pinned at the first contact"))
    facts.append(Fact("Deployments", f"{deployed['deployments']['total']:,}"))
    ports = [str(port) for port in (server.edge_http_port, server.edge_https_port) if port]
    if ports:
        facts.append(Fact("Edge listens on", " and ".join(ports)))
    if server.deactivated_at is not None:
        facts.append(Fact("Deactivated", f"{exact(server.deactivated_at)} {server.deactivation_reason or ''}".strip()))
    return tuple(facts)


def _looked(found: Examined) -> Looked:
    return Looked(
        found.status,
        tuple(
            LookedAt(
                check.name.replace("-", " ").capitalize(),
                check.status,
                check.message,
                check.seconds,
                check.facts.get("shownFingerprint", ""),
            )
            for check in found.checks
        ),
    )


def _capacity(found: Capacity) -> CapacityView:
    bars = [
        (f"Disk {row.mount}", row.use_percent, f"{size(row.available)} free of {size(row.size)}") for row in found.disk
    ]
    bars += [(f"Inodes {row.mount}", row.use_percent, f"{row.free:,} free") for row in found.inodes]
    if found.memory.use_percent is not None:
        bars.append(("Memory", found.memory.use_percent, f"{size(found.memory.available)} free"))
    facts = []
    if found.cpu.load is not None:
        facts.append(Fact("Load", ", ".join(f"{value:g}" for value in found.cpu.load)))
    if found.cpu.logical_cores is not None:
        facts.append(Fact("Processors", str(found.cpu.logical_cores)))
    if not any(warned.code == "docker-unavailable" for warned in found.warnings):
        engine = found.engine
        facts += [
            Fact("Images", f"{size(engine.images)}, {size(engine.reclaimable_images)} unused"),
            Fact("Build cache", f"{size(engine.build_cache)}, {size(engine.reclaimable_build_cache)} unused"),
            Fact("Volumes", size(engine.volumes)),
        ]
    roots = {"runtime": "Releases and work", "state": "All data"}
    facts += [
        Fact(label, size(found.roots[name].size))
        for name, label in roots.items()
        if name in found.roots and found.roots[name].size is not None
    ]
    return CapacityView(tuple(bars), tuple(facts), tuple(warned.message for warned in found.warnings))


def _way(choice: ServerChoice) -> Way | None:
    if not choice.host or not choice.credential:
        return None
    username = choice.username or None
    if choice.credential == "agent":
        return Way(AGENT, username)
    return Way(STORED, username, credential_ref=choice.credential)


def _port(text: str) -> int:
    if not text.isdigit():
        raise Invalid(f"{text[:20]!r} is not a port.", hint="Use 1 to 65535.", field="port")
    return int(text[:9])


def _edge(kind: str) -> str:
    if kind not in {"caddy", "traefik", "none"}:
        raise Invalid(f"{kind[:20]!r} is no kind of edge.", hint="Choose one of the list.", field="edge")
    return kind
