"""Everything that a page shows, read in one unit each; log lines come from their own store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import func, or_, select

from quarterdeck.console.domain import asking, backups, home, infra_asking, ledger, sources, trail
from quarterdeck.console.domain import deployments as attempts
from quarterdeck.console.domain import resources as things
from quarterdeck.console.domain.live import line_views
from quarterdeck.console.domain.parts import partly
from quarterdeck.console.domain.places import deployment_at, environment_at, project_at, resource_at
from quarterdeck.console.ports import Place, SourceChoice
from quarterdeck.console.views.backups import BackupView
from quarterdeck.console.views.deployments import (
    DeploymentRow,
    DeploymentView,
    LineViews,
    LogView,
    RollbackView,
)
from quarterdeck.console.views.home import Home
from quarterdeck.console.views.ledger import AuditAsked, AuditList, Found, HostRow, JobList, JobView
from quarterdeck.console.views.projects import Choice, EnvironmentView, ProjectRow, ProjectView, VariableRow
from quarterdeck.console.views.resources import Inspection, ResourceHead, ResourceView, Settings
from quarterdeck.console.views.shell import Count, Viewer
from quarterdeck.deploy.deployments import inspection
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.observation import observations
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.credentials.model import ServerCredential
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel import verifying
from quarterdeck.kernel.audit import AuditEvent
from quarterdeck.kernel.blockers import in_words
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.surfaces.shared.auditing import note_export
from quarterdeck.workspace import environments, projects, variables
from quarterdeck.workspace.model import Environment
from quarterdeck.workspace.projects import organization_of

OVERVIEW_LINES, MOST_PROJECTS = 1000, 200


class Reads:
    """`who` is the caller that the unit of work knows from its context."""

    instance: Any
    registry: tuple[DeletionBlocker, ...] = ()

    async def viewer(self, who: Principal) -> Viewer:
        access = self.instance.access
        await access.ready(self.instance.db)
        granted = access.permissions(who.id, who.organization_id)
        if who.scopes:
            granted &= who.scopes
        made: Viewer = await self.instance.db.read(_viewer, granted, partly(access, who))
        return made

    async def counts(self, who: Principal) -> Mapping[str, Count]:
        seen = await self._seen_by(who)
        found: Mapping[str, Count] = await self.instance.db.read(home.counts, self.instance.access, seen)
        return found

    async def home(self, who: Principal) -> Home:
        view: Home = await self.instance.db.read(home.view, self.instance, await self._seen_by(who))
        return view

    async def _seen_by(self, who: Principal) -> frozenset[str]:
        await self.instance.access.ready(self.instance.db)
        return home.seen_by(self.instance.access, who)

    async def projects(self, who: Principal) -> tuple[ProjectRow, ...]:
        rows: tuple[ProjectRow, ...] = await self.instance.db.read(_projects)
        return rows

    async def project(self, who: Principal, slug: str) -> ProjectView:
        view: ProjectView = await self.instance.db.read(_project, slug)
        return view

    async def environment(self, who: Principal, project: str, environment: str) -> EnvironmentView:
        def read(tx: Tx) -> EnvironmentView:
            one, owner = environment_at(tx, project, environment)
            return things.environment(tx, owner, one)

        view: EnvironmentView = await self.instance.db.read(read)
        return view

    async def environment_variables(
        self,
        who: Principal,
        project: str,
        environment: str,
    ) -> tuple[VariableRow, ...]:
        def read(tx: Tx) -> tuple[VariableRow, ...]:
            one, owner = environment_at(tx, project, environment)
            owners = variables.environment_owners(one.id, owner.id, owner.organization_id)
            return things.variable_rows(variables.rows(tx, owners), "environment")

        rows: tuple[VariableRow, ...] = await self.instance.db.read(read)
        return rows

    async def resource(self, who: Principal, place: Place) -> ResourceView:
        view: ResourceView = await self.instance.db.read(lambda tx: things.view(tx, resource_at(tx, place)))
        if view.deployment is None:
            return view
        row = view.deployment.row
        log = await self._log(f"deployment:{row.ref}", OVERVIEW_LINES, ended=row.state not in ACTIVE)
        return replace(view, log=log)

    async def resource_head(self, who: Principal, place: Place) -> ResourceHead:
        head: ResourceHead = await self.instance.db.read(lambda tx: things.head(tx, resource_at(tx, place)))
        return head

    async def deployments(
        self,
        who: Principal,
        place: Place,
        before: int | None,
        limit: int,
    ) -> tuple[DeploymentRow, ...]:
        rows: tuple[DeploymentRow, ...] = await self.instance.db.read(
            lambda tx: attempts.rows(tx, resource_at(tx, place), before=before, limit=limit)
        )
        return rows

    async def deployment(self, who: Principal, place: Place, number: int) -> DeploymentView:
        def read(tx: Tx) -> DeploymentView:
            found = resource_at(tx, place)
            return attempts.view(tx, found, deployment_at(tx, found, number))

        view: DeploymentView = await self.instance.db.read(read)
        return view

    async def deployment_log(self, who: Principal, place: Place, number: int, limit: int) -> LogView:
        attempt: Deployment = await self.instance.db.read(lambda tx: deployment_at(tx, resource_at(tx, place), number))
        return await self._log(attempts.stream_of(attempt), limit, ended=attempt.status not in ACTIVE)

    async def runtime_log(self, who: Principal, place: Place, limit: int) -> LogView | None:
        resource: Resource = await self.instance.db.read(lambda tx: resource_at(tx, place).resource)
        log = await self._log(f"runtime:{resource.ref}", limit, ended=False)
        return log if log.lines or resource.serving_id else None

    async def whole_deployment_log(self, who: Principal, place: Place, number: int) -> AsyncIterator[LineViews]:
        attempt: Deployment = await self.instance.db.read(lambda tx: deployment_at(tx, resource_at(tx, place), number))
        return self._whole(attempts.stream_of(attempt))

    async def whole_runtime_log(self, who: Principal, place: Place) -> AsyncIterator[LineViews]:
        resource: Resource = await self.instance.db.read(lambda tx: resource_at(tx, place).resource)
        return self._whole(f"runtime:{resource.ref}")

    async def _whole(self, stream: str) -> AsyncIterator[LineViews]:
        phase = None
        async for page in self.instance.logs.pages(stream):
            yield line_views(page, phase)
            phase = page[-1].phase

    async def _log(self, stream: str, limit: int, *, ended: bool) -> LogView:
        lines = await self.instance.logs.read(stream, tail=limit)
        state = await self.instance.logs.state(stream)
        shown = line_views(lines)
        first = shown[0].number if shown else state.head + 1
        return LogView(
            stream, shown, shown[-1].number if shown else state.head, first - 1 - state.watermark, ended or state.closed
        )

    async def rollback_plan(self, who: Principal, place: Place, number: int) -> RollbackView:
        view: RollbackView = await self.instance.db.read(
            lambda tx: attempts.rollback(tx, resource_at(tx, place), number)
        )
        return view

    async def variables(self, who: Principal, place: Place) -> tuple[VariableRow, ...]:
        rows: tuple[VariableRow, ...] = await self.instance.db.read(
            lambda tx: things.reaching_rows(tx, resource_at(tx, place))
        )
        return rows

    async def settings(self, who: Principal, place: Place) -> Settings:
        found: Settings = await self.instance.db.read(
            lambda tx: things.settings(tx, resource_at(tx, place), self.registry)
        )
        return found

    async def project_blockers(self, who: Principal, slug: str) -> tuple[str, ...]:
        standing = await self.instance.db.read(lambda tx: projects.blockers(tx, project_at(tx, slug), self.registry))
        return tuple(in_words(*one) for one in standing)

    async def hosts(self, who: Principal) -> tuple[HostRow, ...]:
        rows: tuple[HostRow, ...] = await self.instance.db.read(ledger.hosts, self.instance)
        return rows

    async def verify_audit(self, who: Principal) -> str:
        ref: str = await self.instance.db.write(lambda tx: verifying.ask(tx).short_ref)
        return ref

    async def backups(self, who: Principal) -> BackupView:
        return await asyncio.to_thread(backups.view, self.instance)

    async def servers(self, who: Principal) -> tuple[Choice, ...]:
        choices: tuple[Choice, ...] = await self.instance.db.read(_servers)
        return choices

    async def jobs(self, who: Principal, *, state: str, before: str, limit: int) -> JobList:
        seats = ledger.seats(self.instance)
        found: JobList = await self.instance.db.read(ledger.jobs, seats, state=state, before=before, limit=limit)
        return found

    async def job(self, who: Principal, ref: str) -> JobView:
        acts = ("cancel", "retry", "mark-recovered", "dead-letter")
        may = ledger.May(*(self.instance.access.decide(who, f"deploy:operator-work.{act}").allowed for act in acts))
        view: JobView = await self.instance.db.read(ledger.job, ref, ledger.seats(self.instance), may)
        return view

    async def audit(self, who: Principal, asked: AuditAsked, *, before: str, limit: int) -> AuditList:
        return await trail.page(self.instance.db, asked, before, limit)

    async def audit_export(
        self, who: Principal, asked: AuditAsked, form: str, said: Mapping[str, str]
    ) -> AsyncIterator[list[AuditEvent]]:
        await self.instance.db.write(note_export, form, said)
        return trail.everything(self.instance.db, asked)

    async def search(self, who: Principal, words: str, limit: int) -> tuple[Found, ...]:
        found: tuple[Found, ...] = ()
        for permission, look in (("resources.list", ledger.search), ("servers.list", ledger.search_servers)):
            if self.instance.access.decide(who, f"deploy:{permission}").allowed:
                found += await self.instance.db.read(look, words, limit)
        if self.instance.access.decide(who, "tasks:tasks.view").allowed:
            found += await self.instance.db.read(asking.search, self.instance.access, words, limit)
        found += await self.instance.db.read(infra_asking.search, self.instance.access, words, limit)
        return found[:limit]

    async def inspect(self, who: Principal, source: SourceChoice) -> Inspection:
        found = await inspection.inspect(
            self.instance.db,
            self.instance.glances,
            sources.source(source),
            runtime=sources.runtime(source),
            network=sources.network(source),
        )
        return sources.shown(found)


def _viewer(tx: Tx, granted: frozenset[str], parts: frozenset[str]) -> Viewer:
    user = tx.get(User, tx.principal.id)
    organization = tx.get(Organization, tx.principal.organization_id) if tx.principal.organization_id else None
    assert user is not None  # noqa: S101 - authenticated a moment ago
    return Viewer(
        name=user.display_name or user.username,
        username=user.username,
        email=user.email,
        organization=organization.name if organization else "",
        permissions=granted,
        partly=parts,
    )


def _projects(tx: Tx) -> tuple[ProjectRow, ...]:
    found = projects.newest(tx, MOST_PROJECTS)
    ids = [project.id for project in found]
    if not ids:
        return ()
    stages = _counted(tx, Environment.project_id, ids)
    standing: dict[int, list[Resource]] = {}
    for resource in tx.scalars(select(Resource).where(Resource.project_id.in_(ids), Resource.lifecycle != "deleted")):
        standing.setdefault(resource.project_id, []).append(resource)
    everything = [one for group in standing.values() for one in group]
    latest, seen = things.latest_of(tx, everything), observations.all_of(tx, everything)
    rows = []
    for project in found:
        group = standing.get(project.id, [])
        states = [things.state_of(one, latest.get(one.id), seen.get(one.id)) for one in group]
        newest = max((latest[one.id] for one in group if one.id in latest), key=lambda one: one.id, default=None)
        rows.append(
            ProjectRow(
                project.ref,
                project.name,
                project.slug,
                project.description or "",
                project.lifecycle,
                stages.get(project.id, 0),
                len(group),
                worst(states),
                (newest.finished_at or newest.created_at) if newest else None,
            )
        )
    return tuple(rows)


def _counted(tx: Tx, column: Any, ids: list[int]) -> dict[int, int]:
    query = select(column, func.count()).where(column.in_(ids)).group_by(column)
    return {row[0]: row[1] for row in tx.session.execute(query)}


def worst(states: list[tuple[str, str]]) -> tuple[str, str] | None:
    """The state that a person should see first: what failed, then what moves, then what is merely odd."""
    from quarterdeck.console.state import tone

    order = ("bad", "ask", "run", "warn", "good", "idle", "off")
    deployed = [state for state in states if state != ("runtime", "not-deployed") and state[0] != "lifecycle"]
    return min(deployed, key=lambda state: order.index(tone(*state).tone), default=None)


def _project(tx: Tx, slug: str) -> ProjectView:
    project = project_at(tx, slug)
    return ProjectView(
        ref=project.ref,
        name=project.name,
        slug=project.slug,
        description=project.description or "",
        lifecycle=project.lifecycle,
        version=projects.version(project),
        environments=tuple(things.environment(tx, project, one) for one in environments.of_project(tx, project)),
    )


def _servers(tx: Tx) -> tuple[Choice, ...]:
    found = tx.scalars(
        select(Server)
        .where(
            Server.organization_id == organization_of(tx),
            Server.lifecycle == "active",
            or_(Server.provider == LOCAL, Server.id.in_(select(ServerCredential.server_id))),
        )
        .order_by(Server.id)
    )
    return tuple(Choice(server.ref, server.name) for server in found)
