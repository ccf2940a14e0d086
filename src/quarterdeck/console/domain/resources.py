"""Resources as rows, heads, pages and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from quarterdeck.console.domain import deployments as attempts
from quarterdeck.console.domain.places import Found, environment_slug
from quarterdeck.console.state import tone
from quarterdeck.console.views.deployments import PRESENT
from quarterdeck.console.views.projects import EnvironmentView, ResourceRow, VariableRow
from quarterdeck.console.views.resources import CheckRow, ResourceHead, ResourceView, RouteRow, Serving, Settings
from quarterdeck.deploy.deployments import routes
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.observation import observations
from quarterdeck.deploy.observation.model import Observation
from quarterdeck.deploy.resources import build_places, resources
from quarterdeck.deploy.resources.drift import drift
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.variables import reaching
from quarterdeck.deploy.sources.spec import INLINE
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel.blockers import in_words
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.workspace import variables
from quarterdeck.workspace.model import Environment, Project, Variable

HISTORY = 8
RUNTIMES = {
    "docker-container": "container",
    "docker-compose-stack": "stack",
    "host-process": "host process",
    "static-site": "static site",
}


def rows(tx: Tx, project: Project, environment: Environment) -> tuple[ResourceRow, ...]:
    """Everything that stands in an environment, by name."""
    found = list(
        tx.scalars(
            select(Resource)
            .where(Resource.environment_id == environment.id, Resource.lifecycle != "deleted")
            .order_by(Resource.slug)
            .limit(500)
        )
    )
    latest = latest_of(tx, found)
    seen = observations.all_of(tx, found)
    running = attempts.running_phases(tx, latest.values())
    return tuple(
        row(tx, Found(one, environment, project), latest.get(one.id), seen.get(one.id), running) for one in found
    )


def latest_of(tx: Tx, found: list[Resource]) -> dict[int, Deployment]:
    """The newest attempt of each. What serves is read with it, so that nobody asks for it row by row."""
    ids = {one for each in found for one in (each.latest_id, each.serving_id) if one}
    if not ids:
        return {}
    rows = tx.hold(tx.scalars(select(Deployment).where(Deployment.id.in_(ids))))
    newest = {one.latest_id for one in found}
    return {one.resource_id: one for one in rows if one.id in newest}


def row(
    tx: Tx, found: Found, latest: Deployment | None, seen: Observation | None, running: dict[int, str]
) -> ResourceRow:
    resource = found.resource
    state, serving = state_of(resource, latest, seen), serving_of(tx, resource)
    return ResourceRow(
        ref=resource.ref,
        name=resource.name,
        slug=resource.slug,
        kind=resource.kind,
        project=found.project.slug,
        environment=environment_slug(found.environment),
        state=None if state == ("runtime", "not-deployed") else state,
        doing=PRESENT.get(running.get(latest.id, ""), "")
        if latest and latest.status in ACTIVE
        else ended(state, latest),
        url=url_of(tx, resource),
        number=serving.number if serving else None,
        changed=(latest.finished_at or latest.created_at) if latest else None,
    )


def state_of(resource: Resource, latest: Deployment | None, seen: Observation | None) -> tuple[str, str]:
    """What a person wants to know first: what moves, else what is wrong, else how it runs (`seen`: what serves)."""
    if resource.lifecycle != "active":
        return ("lifecycle", resource.lifecycle)
    if latest is None:
        return ("runtime", "not-deployed")
    if latest.status in ACTIVE:
        return ("deployment", latest.status)
    if resource.serving_id is None and latest.status == "succeeded":
        return ("runtime", "not-deployed")  # a preview that was cleaned up
    if resource.wanted == "stopped":
        return ("runtime", "stopped")
    if seen is not None and seen.lifecycle != "running":
        return ("runtime", seen.lifecycle)
    if latest.status != "succeeded":
        return ("deployment", latest.status)
    # Right after a cut-over nothing has been observed yet; that it was verified is known.
    return ("runtime", seen.lifecycle) if seen else ("deployment", latest.status)


def ended(state: tuple[str, str], latest: Deployment | None) -> str:
    """`v3 failed`: an attempt that did not work out is told by its number, because another version may serve."""
    if latest is None or state[0] != "deployment" or latest.status in {*ACTIVE, "succeeded"}:
        return ""
    return f"v{latest.number} {tone('deployment', latest.status).word.lower()}"


def serving_of(tx: Tx, resource: Resource) -> Deployment | None:
    return tx.get(Deployment, resource.serving_id) if resource.serving_id else None


def url_of(tx: Tx, resource: Resource) -> str | None:
    """The address where the serving version answers."""
    serving = serving_of(tx, resource)
    return routes.url(serving.route, tx.get(Server, serving.server_id)) if serving else None


def source_words(source: dict[str, Any] | None) -> str:
    """`team/shop, main`: where it comes from, in a few characters."""
    if not source:
        return ""
    if source.get("kind") in INLINE:
        return f"a {INLINE[source['kind']]} kept here"
    name = str(source.get("repositoryFullName") or source.get("displayName") or source.get("locator") or "")
    return f"{name}, {source['gitRef']}" if source.get("gitRef") else name


def head(tx: Tx, found: Found) -> ResourceHead:
    resource = found.resource
    latest = tx.get(Deployment, resource.latest_id) if resource.latest_id else None
    active = attempts.single(tx, found, latest) if latest and latest.status in ACTIVE else None
    server = tx.get(Server, latest.server_id) if latest else None
    state = state_of(resource, latest, observations.of(tx, resource))
    word = f"{active.phase} v{active.number}" if active and active.phase else ended(state, latest)
    blocked = f"v{active.number} is being deployed." if active else ""
    if not blocked and resource.source is None:
        blocked = "It has no source yet. Set one in Settings."
    if not blocked and found.environment.lifecycle != "active":
        blocked = f"{found.environment.name} is {found.environment.lifecycle}."
    if not blocked and found.project.lifecycle != "active":
        blocked = f"{found.project.name} is archived."
    return ResourceHead(
        ref=resource.ref,
        name=resource.name,
        slug=resource.slug,
        kind=resource.kind,
        lifecycle=resource.lifecycle,
        project=found.project.slug,
        project_name=found.project.name,
        environment=environment_slug(found.environment),
        environment_name=found.environment.name,
        source=source_words(resource.source),
        server=server.name if server else "",
        url=url_of(tx, resource),
        state=state,
        state_word=word,
        active=active,
        blocked=blocked,
        version=str(resource.version),
        builder=_builder(tx, resource),
    )


def _builder(tx: Tx, resource: Resource) -> str:
    """The name of the server that the source has its images built on."""
    ref = build_places.reference(resource.source or {})
    if ref is None:
        return ""
    found = tx.first(select(Server).where(Server.ref == ref, Server.organization_id == resource.organization_id))
    return found.name if found is not None else ref


def view(tx: Tx, found: Found) -> ResourceView:
    """The overview; its log is read beside it, from the store of lines."""
    resource = found.resource
    latest = tx.get(Deployment, resource.latest_id) if resource.latest_id else None
    return ResourceView(
        head=head(tx, found),
        deployment=attempts.view(tx, found, latest) if latest else None,
        log=None,
        history=attempts.rows(tx, found, limit=HISTORY),
        total=resource.deployment_count,
        routes=route_rows(tx, resource),
        serving=serving(tx, resource),
        undeployed=tuple(str(one["path"]) for one in drift(tx, resource, latest)),
    )


def route_rows(tx: Tx, resource: Resource) -> tuple[RouteRow, ...]:
    """The names of the serving version, else those that the next one would get."""
    current = serving_of(tx, resource)
    if current is None:
        return ()
    server = tx.get(Server, current.server_id)
    names = [str(name) for name in (current.route or {}).get("hostnames") or ()]
    stopped = resource.wanted == "stopped"
    ready = server is not None and server.proxy_status == "ready" and not stopped
    rows = []
    for name in names:
        address = routes.url({**(current.route or {}), "hostnames": [name]}, server) or f"http://{name}/"
        rows.append(
            RouteRow(
                address,
                address.partition("://")[2].rstrip("/"),
                "" if ready else "the application is stopped" if stopped else "the edge is not ready",
                "ready" if ready else "not-ready",
            )
        )
    return tuple(rows)


def serving(tx: Tx, resource: Resource) -> Serving | None:
    current = serving_of(tx, resource)
    if current is None:
        return None
    seen = observations.of(tx, resource)
    lifecycle = "stopped" if resource.wanted == "stopped" else (seen.lifecycle if seen else "unknown")
    health = {"running": "healthy", "stopped": "stopped", "exited": "unhealthy"}.get(lifecycle, "unknown")
    if lifecycle in {"starting", "restarting"}:
        health = "starting"
    runs = seen is not None and lifecycle != "stopped"
    checks = service_rows(seen.services or {}) if seen is not None and runs else []
    if seen is not None and seen.message and not checks:
        checks.append(CheckRow("Process", "passed" if lifecycle == "running" else "failed", seen.message))
    kind = str((current.plan or {}).get("execution_kind") or (current.runtime or {}).get("kind") or "docker-container")
    return Serving(
        number=current.number,
        since=current.finished_at,
        image=attempts.short(str((current.artifact or {}).get("image") or "")),
        runtime=lifecycle,
        health=health,
        runtime_kind=RUNTIMES.get(kind, kind.replace("-", " ")),
        checks=tuple(checks),
    )


def service_rows(services: Mapping[str, str | None]) -> list[CheckRow]:
    """How each service of a stack is, from what was seen of it: what is wrong with it, None where it is well."""
    return [
        CheckRow(name, "passed" if wrong is None else "failed", wrong or "Runs, or has ended as it should.")
        for name, wrong in services.items()
    ]


def environment(tx: Tx, project: Project, one: Environment) -> EnvironmentView:
    return EnvironmentView(
        ref=one.ref,
        name=one.name,
        slug=environment_slug(one),
        kind=one.kind,
        lifecycle=one.lifecycle,
        project=project.slug,
        resources=rows(tx, project, one),
    )


def variable_rows(found: list[Variable], own: str) -> tuple[VariableRow, ...]:
    """The winners by key, masked; `own` names the scope that may be changed here."""
    return tuple(
        VariableRow(entry.key, entry.value, entry.exposure, entry.is_secret, entry.scope, entry.scope == own)
        for entry in map(variables.masked, variables.effective(found))
    )


def reaching_rows(tx: Tx, found: Found) -> tuple[VariableRow, ...]:
    return variable_rows(reaching(tx, found.resource), "resource")


def settings(tx: Tx, found: Found, registry: tuple[DeletionBlocker, ...]) -> Settings:
    """The profiles as form values, and what stands in the way of deleting."""
    resource = found.resource
    health = resource.health or {}
    http = health.get("http") or {}
    standing = resources.blockers(tx, resource, registry)
    return Settings(
        version=str(resource.version),
        values={
            "source": _texts(resource.source) | _texts((resource.source or {}).get("metadata")),
            "runtime": _texts(resource.runtime) or {"strategy": "auto"},
            "network": _texts(resource.network) or {"upstreamProtocol": "http", "exposureMode": "reverse-proxy"},
            "health": {
                **_texts(health),
                "enabled": "yes" if health.get("enabled") else "",
                "path": str(http.get("path", "")),
                "expectedStatusCode": str(http.get("expectedStatusCode", "")),
            },
            "access": _texts(resource.access) or {"generatedAccessMode": "inherit", "pathPrefix": "/"},
        },
        delete_blockers=tuple(in_words(*one) for one in standing),
    )


def _texts(profile: dict[str, Any] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (profile or {}).items() if isinstance(value, (str, int))}
