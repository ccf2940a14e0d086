"""Agents, connections and discovered secrets for their pages, and what people do with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from quarterdeck.broker.agents import leaving, listing, minting, standing
from quarterdeck.broker.agents.model import Agent
from quarterdeck.broker.connections import connections
from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.discovered import listing as found_listing
from quarterdeck.broker.discovered.model import DiscoveredSecret
from quarterdeck.broker.tenancy import environments, projects
from quarterdeck.broker.work import by_hand
from quarterdeck.broker.work.placing import SERVER_ALLOWED
from quarterdeck.broker.work.types import DISCOVER
from quarterdeck.console.domain.confirming import require_typed
from quarterdeck.console.domain.secret_rules import seconds
from quarterdeck.console.views.secret_places import (
    WITHIN,
    AgentRow,
    ConnectionDraft,
    ConnectionRow,
    FoundAsked,
    FoundList,
    FoundRow,
    NewAgent,
)
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace.model import Project


class SecretPlaces:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def secret_agents(self, who: Principal) -> tuple[AgentRow, ...]:
        def read(tx: Tx) -> tuple[AgentRow, ...]:
            return tuple(_agent(tx, worker, agent) for worker, agent in listing.visible(tx))

        found: tuple[AgentRow, ...] = await self.instance.db.read(read)
        return found

    async def secret_agent(self, who: Principal, uid: str) -> AgentRow:
        for row in await self.secret_agents(who):
            if row.uid == uid:
                return row
        raise NotFound("There is no such agent.", code="agent_not_found", hint="See the list of agents.")

    async def mint_secret_agent(self, who: Principal, *, name: str, scope: Mapping[str, str]) -> NewAgent:
        made: minting.Minted = await self.instance.db.write(minting.mint, name, dict(scope) or None)
        return NewAgent(made.worker.uid, made.worker.name, made.secret.reveal())

    async def rotate_secret_agent(self, who: Principal, uid: str, *, grace: int) -> NewAgent:
        made: minting.Minted = await self.instance.db.write(minting.rotate, uid, timedelta(seconds=grace))
        return NewAgent(made.worker.uid, made.worker.name, made.secret.reveal())

    async def revoke_secret_agent(self, who: Principal, uid: str, reason: str, confirmation: str) -> None:
        def revoke(tx: Tx) -> Worker:
            require_typed(confirmation, listing.locked(tx, uid)[0].name)
            return leaving.revoke(tx, uid, reason or None)

        worker: Worker = await self.instance.db.write(revoke)
        if worker.revoked_at is None:
            await self.instance.workers.dial_again(worker.id)
        else:
            await self.instance.workers.send_away(worker.id)

    async def secret_connections(self, who: Principal) -> tuple[ConnectionRow, ...]:
        def read(tx: Tx) -> tuple[ConnectionRow, ...]:
            return tuple(_connection(tx, one) for one in connections.listed(tx))

        found: tuple[ConnectionRow, ...] = await self.instance.db.read(read)
        return found

    async def secret_connection(self, who: Principal, uid: str) -> ConnectionRow:
        found: ConnectionRow = await self.instance.db.read(lambda tx: _connection(tx, connections.find(tx, uid)))
        return found

    async def save_secret_connection(self, who: Principal, uid: str, draft: ConnectionDraft) -> str:
        credential = Secret(draft.credential) if draft.credential else None
        rhythm = seconds(draft.rhythm, "discover_seconds")

        def save(tx: Tx) -> str:
            provider = connections.find(tx, uid).provider_type if uid else draft.provider
            config: dict[str, Any] = {word: value for word, value in draft.config.items() if value}
            if provider not in WITHIN and draft.by_server:
                config[SERVER_ALLOWED] = True
            if uid:
                return connections.change(
                    tx, uid, config=config, credential=credential, discover_seconds=rhythm
                ).uid  # fmt: skip
            project_uid, _, environment = draft.place.partition("/")
            project = projects.usable(tx, project_uid) if project_uid else None
            if environment:
                environments.named(tx, project, environment)
            return connections.create(
                tx,
                draft.name,
                provider,
                config,
                credential,
                project=project,
                environment_name=environment or None,
                agent_scope=draft.scope,
                discover_seconds=rhythm,
            ).uid

        made: str = await self.instance.db.write(save)
        return made

    async def switch_secret_connection(self, who: Principal, uid: str, *, on: bool) -> None:
        await self.instance.db.write(lambda tx: connections.change(tx, uid, enabled=on))

    async def discover_secrets(self, who: Principal, uid: str) -> None:
        def look(tx: Tx) -> None:
            kept = connections.find(tx, uid)
            if not kept.enabled:
                raise Conflict(
                    f"The connection {kept.name!r} is switched off.", code="connection_disabled", hint="Switch it on."
                )
            by_hand.ask(tx, DISCOVER, dict(kept.agent_scope), {by_hand.CONFIG: {connections.NAMED: kept.name}})

        await self.instance.db.write(look)

    async def delete_secret_connection(self, who: Principal, uid: str, confirmation: str) -> None:
        def delete(tx: Tx) -> None:
            require_typed(confirmation, connections.find(tx, uid).name)
            connections.delete(tx, uid)

        await self.instance.db.write(delete)

    async def found_secrets(self, who: Principal, asked: FoundAsked, limit: int) -> FoundList:
        key, mark, value = asked.label.partition(":")
        wanted = found_listing.Wanted(
            cluster=asked.cluster or None,
            provider=asked.provider or None,
            ref_prefix=asked.prefix or None,
            status=asked.status or None,
            labels={key: value} if mark and key else {},
            limit=limit,
            offset=asked.start,
        )

        def read(tx: Tx) -> FoundList:
            some, total = found_listing.page(tx, wanted)
            return FoundList(tuple(_found(one) for one in some), total)

        found: FoundList = await self.instance.db.read(read)
        return found


def _agent(tx: Tx, worker: Worker, agent: Agent) -> AgentRow:
    status: str = standing.status(agent, worker, tx.now)
    if status == "active" and worker.last_seen_at is None:
        status = "enrolled"
    return AgentRow(
        uid=worker.uid,
        name=worker.name,
        state=("agent", status, None),
        scope={str(word): str(value) for word, value in agent.scope.items()},
        seen=worker.last_seen_at,
        created=worker.created_at,
        key=agent.public_key is not None,
        own=agent.secret_hash is None and status != "revoked",
    )


def _connection(tx: Tx, one: Connection) -> ConnectionRow:
    project = tx.get(Project, one.project_id) if one.project_id is not None else None
    where = " / ".join(filter(None, (project.name if project is not None else "", one.environment_name or "")))
    return ConnectionRow(
        uid=one.uid,
        name=one.name,
        provider=one.provider_type,
        config={str(word): str(value) for word, value in one.config.items() if word != SERVER_ALLOWED},
        has_credential=one.credential is not None,
        where=where or "every project",
        scope={str(word): str(value) for word, value in one.agent_scope.items()},
        enabled=one.enabled,
        rhythm=one.discover_seconds,
        looked=one.discovered_at,
        health=one.health_error or "",
        changed=one.updated_at,
        by_server=one.config.get(SERVER_ALLOWED) is True,
    )


def _found(one: DiscoveredSecret) -> FoundRow:
    return FoundRow(
        uid=one.uid,
        ref=one.secret_ref,
        cluster=one.cluster_name,
        provider=one.provider_type,
        state=("agent", one.status, None),
        labels=tuple(sorted((str(key), str(value)) for key, value in one.labels.items())),
        seen=one.last_seen_at,
        first=one.first_seen_at,
    )
