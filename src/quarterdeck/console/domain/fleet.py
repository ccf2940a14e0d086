"""Servers and their credentials: read for their pages, and changed by their forms."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.console.domain import machines, tidying
from quarterdeck.console.domain import resources as things
from quarterdeck.console.domain.engines import engine_view
from quarterdeck.console.domain.places import owners_of
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.fleet import (
    AttemptRow,
    CapacityView,
    CredentialRow,
    EngineView,
    Looked,
    Placed,
    RemovalStep,
    ServerChoice,
    ServerView,
    SurveyView,
)
from quarterdeck.console.words import exact
from quarterdeck.deploy.deployments import forgetting, rollups
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation import observations
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.credentials import access, credentials
from quarterdeck.fleet.credentials.access import AGENT, STORED, Shown, Way
from quarterdeck.fleet.credentials.keys import new_pair
from quarterdeck.fleet.engines.installing import PHASE
from quarterdeck.fleet.servers import engines, lifecycle, proxies, removal, servers
from quarterdeck.fleet.servers.looking import Draft
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs import Job
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.kernel.vault import Secret

SSH = "generic-ssh"
MOST, PLACED, LAST_LINES = 500, 100, 40
BUILDS = "source-link"
"""What is told of resources whose images are built on a server, among what stands in the way of deleting it."""


class Fleet:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any
    registry: tuple[DeletionBlocker, ...] = ()

    async def server(self, who: Principal, ref: str) -> ServerView:
        view: ServerView = await self.instance.db.read(_view, ref, self.registry)
        return view

    async def look(self, who: Principal, ref: str) -> Looked:
        server, found = await self.instance.looking.examine(ref)
        return machines.looked(found, await self.instance.db.read(_line_of, server))

    async def look_at_draft(self, who: Principal, choice: ServerChoice) -> Looked:
        draft = Draft("127.0.0.1", 22, servers.LOCAL)
        if choice.host:
            draft = Draft(choice.host, _port(choice.port), SSH, _way(choice))
        line = await self.instance.db.read(_line, choice.credential) if choice.host else ""
        return machines.looked(await self.instance.looking.examine_draft(draft), line)

    async def survey(self, who: Principal, ref: str) -> SurveyView:
        _, found = await self.instance.looking.survey(ref)
        return machines.survey(found)

    async def capacity(self, who: Principal, ref: str) -> CapacityView:
        _, found = await self.instance.looking.measure(ref)
        return machines.capacity(found)

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
        server, seen, plan = await self.instance.looking.engine(ref)
        engines.check_consent(server, plan, consent=True, plan_id=plan_id)
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
                    row.public_key,
                )
                for row in credentials.newest(tx, MOST)
            )

        rows: tuple[CredentialRow, ...] = await self.instance.db.read(read)
        return rows

    async def keep_key(self, who: Principal, *, name: str, username: str, key: str | None) -> str:
        self.instance.access.require(who, "deploy:credentials.create-ssh")

        def keep(tx: Tx) -> str:
            private = new_pair().private if key is None else Secret(key)
            return credentials.create(tx, name=name, private_key=private, username=username or None).ref

        ref: str = await self.instance.db.write(keep)
        return ref

    async def add_server(self, who: Principal, choice: ServerChoice) -> str:
        """What is said of signing in and of the host key is said of the server in the same unit."""
        if choice.host and (choice.credential or choice.expected_key):
            self.instance.access.require(who, "deploy:servers.configure-credential")

        def add(tx: Tx) -> str:
            made = servers.register(
                tx,
                name=choice.name,
                host=choice.host or "127.0.0.1",
                provider=SSH if choice.host else servers.LOCAL,
                target_kind="single-server",
                port=_port(choice.port) if choice.host else 22,
                proxy_kind=choice.edge,
            )
            way = _way(choice)
            if way is not None:
                access.configure(tx, made.ref, way)
            if choice.expected_key:
                access.accept_host_key(tx, made.ref, choice.expected_key)
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

    async def move_server(self, who: Principal, ref: str, *, host: str, port: str, fingerprint: str) -> None:
        await self.instance.looking.move(ref, host.strip(), _port(port), fingerprint=fingerprint.strip() or None)

    async def choose_edge(self, who: Principal, ref: str, kind: str) -> None:
        await self.instance.db.write(proxies.configure, ref, _edge(kind))

    async def bring_up_edge(self, who: Principal, ref: str) -> None:
        await self.instance.db.write(proxies.bootstrap, ref)

    async def trust_host_key(self, who: Principal, ref: str, fingerprint: str) -> None:
        await self.instance.db.write(access.accept_host_key, ref, fingerprint)

    async def deactivate_server(self, who: Principal, ref: str, reason: str) -> None:
        await self.instance.db.write(lifecycle.deactivate, ref, reason or None)

    async def delete_server(self, who: Principal, ref: str, confirmation: str, *, with_history: bool) -> None:
        server = await self.instance.db.read(servers.find, ref)
        if confirmation != server.name:
            raise Invalid(
                f"{confirmation[:60]!r} is not the name of this server.",
                hint=f"Type {server.name}.",
                field="confirmation",
            )
        await forgetting.remove(self.instance, ref, ref, self.registry, with_history=with_history)

    async def add_credential(self, who: Principal, *, name: str, username: str, key: str) -> None:
        await self.instance.db.write(credentials.create, name=name, private_key=Secret(key), username=username or None)

    async def delete_credential(self, who: Principal, ref: str) -> None:
        await self.instance.db.write(credentials.delete, ref, ref, self.registry)


def _view(tx: Tx, ref: str, registry: tuple[DeletionBlocker, ...]) -> ServerView:
    server = servers.find(tx, ref)
    shown = access.of_servers(tx, [server]).get(server.id)
    local, standing = server.provider == servers.LOCAL, lifecycle.blockers(tx, server, registry)
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
        removal=tuple(
            RemovalStep(one.kind, one.count, one.words, one.command) for one in removal.steps(server, standing)
        ),
        port=str(server.port),
        edge_facts=_edge_facts(server),
        placed=_placed(tx, server),
        builds=dict(standing).get(BUILDS, 0),
        policies=tidying.rows(tx, server.ref),
    )


def _placed(tx: Tx, server: Server) -> tuple[Placed, ...]:
    """What it serves, by name."""
    found = tx.hold(
        tx.scalars(
            select(Resource)
            .join(Deployment, Resource.serving_id == Deployment.id)
            .where(Deployment.server_id == server.id, Resource.lifecycle != "deleted")
            .order_by(Resource.name)
            .limit(PLACED)
        )
    )
    latest, seen = things.latest_of(tx, found), observations.all_of(tx, found)
    rows = []
    for resource in found:
        owners = owners_of(tx, resource)
        state = things.state_of(resource, latest.get(resource.id), seen.get(resource.id))
        rows.append(Placed(owners.title, owners.href, state))
    return tuple(rows)


def _edge_facts(server: Server) -> tuple[Fact, ...]:
    facts = [Fact("Kind", server.proxy_kind)]
    ports = [str(port) for port in (server.edge_http_port, server.edge_https_port) if port]
    if ports:
        facts.append(Fact("Listens on", " and ".join(ports)))
    if server.proxy_succeeded_at is not None:
        facts.append(Fact("Last seen well", exact(server.proxy_succeeded_at)))
    if server.proxy_error_code is not None:
        facts.append(Fact("Last error", server.proxy_error_code, True))
    return tuple(facts)


def _line(tx: Tx, credential: str) -> str:
    """What belongs into authorized_keys for a stored key, nothing for any other way."""
    if not credential or credential == "agent":
        return ""
    return credentials.find(tx, credential).public_key


def _line_of(tx: Tx, server: Server) -> str:
    shown = access.of_servers(tx, [server]).get(server.id)
    if shown is None or shown.row.kind == AGENT:
        return ""
    return (shown.stored.public_key if shown.stored else shown.row.public_key) or ""


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
    if server.deactivated_at is not None:
        facts.append(Fact("Deactivated", f"{exact(server.deactivated_at)} {server.deactivation_reason or ''}".strip()))
    return tuple(facts)


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
