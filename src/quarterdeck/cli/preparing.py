"""What a deployment needs before it can be asked for: project, environment, server and resource; made where missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from shlex import quote
from typing import Any

from quarterdeck.cli import names
from quarterdeck.cli.client import Api, loopback
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.names import Row
from quarterdeck.cli.session import Session
from quarterdeck.cli.sources import Source

LOCAL = "local-shell"
OWN = "This machine"
"""What the machine of the control plane is called, until somebody calls it otherwise."""
FEW = 5
KINDS = {
    "production": "production",
    "prod": "production",
    "staging": "staging",
    "test": "test",
    "dev": "development",
    "development": "development",
    "local": "local",
}
PLANNED = "<"
"""How ids begin that a plan would have got."""


@dataclass(frozen=True)
class Wish:
    """What the person said: a source, where it belongs, and the parts of its profiles that were given."""

    source: Source
    name: str
    project: str
    environment: str = "production"
    server: str | None = None
    runtime: dict[str, Any] = field(default_factory=dict)
    port: int | None = None
    service: str | None = None

    def network(self) -> dict[str, Any]:
        """The part of the network profile that was given."""
        given = {"internalPort": self.port, "targetServiceName": self.service}
        return {key: value for key, value in given.items() if value is not None}


@dataclass(frozen=True)
class Ready:
    project: str
    environment: str
    server: str
    resource: str
    path: str
    """`project/environment/resource`, in slugs."""
    server_name: str

    def body(self) -> dict[str, str]:
        return {
            "projectId": self.project,
            "environmentId": self.environment,
            "serverId": self.server,
            "resourceId": self.resource,
        }


def check_reach(api: Api, source: Source) -> None:
    """What lies on this machine can be deployed only where the server sees it: on its own machine."""
    here = source.kind == "folder" or (source.kind == "archive" and source.locator.startswith("/"))
    if here and not loopback(api.profile.url):
        raise usage(
            f"{source.locator} lies on this machine, and {api.profile.url} cannot see it.",
            "Push it to a repository and deploy that: qd deploy https://host/repository.git",
            code="source_not_reachable",
        )


def prepare(session: Session, wish: Wish) -> Ready:
    """Find or make everything, and bring the profiles of an existing resource to what was given."""
    api = session.api
    check_reach(api, wish.source)
    project = _project(session, wish.project)
    environment = _environment(session, project, wish.environment)
    resources = _below(
        api, "resources.list", environment, {"projectId": project["id"], "environmentId": environment["id"]}
    )
    known = names.pick(resources, wish.name)
    server = named_server(session, wish.server) if wish.server is not None else _server(session, known)
    if known is None:
        resource = _create(session, wish, project, environment)
    else:
        resource = known
        _update(session, wish, known)
    path = f"{project['slug']}/{environment['name']}/{resource['slug']}"
    return Ready(project["id"], environment["id"], server["id"], resource["id"], path, str(server["name"]))


def _below(api: Api, key: str, parent: Row, query: dict[str, Any]) -> list[Row]:
    """What lies below something; nothing when that would only be made."""
    return [] if str(parent["id"]).startswith(PLANNED) else api.items(key, query)


def _project(session: Session, text: str) -> Row:
    api = session.api
    found = names.pick(api.items("projects.list"), text)
    if found is not None:
        return found
    if text.startswith("prj_"):
        raise names.missing("project", text, [], "qd ls projects")
    made = api.change("projects.create", {"name": text}, what="project")
    session.terminal.detail(f"  Created the project {text}.")
    slug = text.lower()
    if not session.api.planning:
        slug = next((row["slug"] for row in api.items("projects.list") if row["id"] == made["id"]), slug)
    return {"id": made["id"], "name": text, "slug": slug}


def _environment(session: Session, project: Row, text: str) -> Row:
    found = names.pick(_below(session.api, "environments.list", project, {"projectId": project["id"]}), text)
    if found is not None:
        return found
    body = {"projectId": project["id"], "name": text, "kind": KINDS.get(text.lower(), "custom")}
    made = session.api.change("environments.create", body, what="environment")
    session.terminal.detail(f"  Created the environment {text}.")
    return {"id": made["id"], "name": text}


def named_server(session: Session, text: str) -> Row:
    """The server that goes by this name, id or address. The machine of the control plane goes by its own name also
    where it is no server yet: then it becomes one.
    """
    if text.lower() == OWN.lower():
        rows = session.api.items("servers.list")
        if names.pick(rows, text) is None:
            return _local([row for row in rows if _active(row)]) or _register(session)
    return names.server(session.api, text)


def _server(session: Session, resource: Row | None) -> Row:
    """Where the resource ran last; else the machine of the control plane, registered at first need."""
    api = session.api
    rows = api.items("servers.list")
    active = [row for row in rows if _active(row)]
    if resource is not None and resource.get("lastDeploymentId"):
        last = api.read("deployments.show", {"includeSnapshot": False}, deploymentId=resource["lastDeploymentId"])
        used = names.pick(active, last["deployment"]["serverId"])
        if used is not None:
            return used
    found = _local(active)
    if found is not None:
        return found
    if active and _local(rows) is not None:
        raise _choose(api, active, "The server's own machine is deactivated.")
    try:
        return _register(session)
    except Failure as failure:
        if failure.exit is not Exit.NOT_ALLOWED or not active:
            raise
        raise _choose(api, active, "The server's own machine is not registered, and you may not do that.") from None


def _active(row: Row) -> bool:
    return bool(row.get("lifecycleStatus", "active") == "active")


def _local(rows: list[Row]) -> Row | None:
    """The machine of the control plane among servers, newest first: the one that was registered first."""
    return next((row for row in reversed(rows) if row["providerKey"] == LOCAL), None)


def _register(session: Session) -> Row:
    body = {"name": OWN, "host": "127.0.0.1", "providerKey": LOCAL, "proxyKind": "caddy"}
    made = session.api.change("servers.register", body, what="server")
    session.terminal.detail("  Registered the server's own machine as a place to deploy to.")
    return {"id": made["id"], "name": OWN}


def _choose(api: Api, active: list[Row], why: str) -> Failure:
    """That a server has to be named, those first that are within reach."""
    seen = {one["serverId"]: one["status"] for one in api.call("GET", "/api/servers/health")["items"]}
    rows = sorted(active, key=lambda row: seen.get(row["id"]) == "unreachable")
    known = ", ".join(str(row["name"]) for row in rows[:FEW])
    count = "is 1 other server" if len(rows) == 1 else f"are {len(rows)} other servers"
    return usage(
        f"{why} There {count}: {known}.",
        f"Choose one with --server {quote(str(rows[0]['name']))}.",
        code="server_required",
    )


def _create(session: Session, wish: Wish, project: Row, environment: Row) -> Row:
    body: dict[str, Any] = {
        "projectId": project["id"],
        "environmentId": environment["id"],
        "name": wish.name,
        "source": wish.source.body(),
        "runtimeProfile": _runtime(wish, {}),
    }
    if wish.runtime.get("strategy") == "docker-compose":
        body["kind"] = "compose-stack"
    if wish.network():
        body["networkProfile"] = _network(wish, {})
    made = session.api.change("resources.create", body, what="resource")
    if session.api.planning:
        return {"id": made["id"], "name": wish.name, "slug": wish.name}
    shown = session.api.read("resources.show", resourceId=made["id"])
    resource: Row = shown["resource"]
    return resource


def _runtime(wish: Wish, now: dict[str, Any]) -> dict[str, Any]:
    """The runtime profile with what was given laid over what is; an image is never built."""
    profile = {"strategy": "auto", **now, **wish.runtime}
    if wish.source.kind == "image":
        profile["strategy"] = wish.runtime.get("strategy", "prebuilt-image")
    elif profile["strategy"] == "prebuilt-image" and "strategy" not in wish.runtime:
        profile["strategy"] = "auto"
    return profile


def _network(wish: Wish, now: dict[str, Any]) -> dict[str, Any]:
    """The network profile with what was given laid over what is."""
    profile = {**now, **wish.network()}
    if wish.service is not None and "internalPort" not in profile:
        raise usage(
            "--service needs to know the port of that service.",
            f"Add --port, as in --service {wish.service} --port 3000.",
        )
    return profile


def _update(session: Session, wish: Wish, resource: Row) -> None:
    api, identity = session.api, str(resource["id"])
    shown = api.read("resources.show", resourceId=identity)
    if (shown.get("lifecycle") or {}).get("status") == "archived":
        raise Failure(f"{resource['name']} is archived.", code="resource_archived", hint="Choose another --name.")
    now = {key: value for key, value in (shown.get("runtimeProfile") or {}).items() if key != "healthCheck"}
    runtime = _runtime(wish, now)
    source = shown.get("source") or {}
    wanted = _carried(wish.source.body(), source)
    parts = ("kind", "locator", "gitRef", "baseDirectory", "metadata")
    changed = any((source.get(key) or None) != (wanted.get(key) or None) for key in parts)
    steps = []
    if changed and not _same_place(source, wanted):
        steps.append(("resources.configure-source", {"source": wanted}))
    if runtime != {"strategy": "auto", **now}:
        steps.append(("resources.configure-runtime", {"runtimeProfile": runtime}))
    # An image goes with no strategy but its own, so that one is set before the image, and after it for anything else.
    for key, body in reversed(steps) if wanted["kind"] == "docker-image" else steps:
        api.change(key, body, resourceId=identity)
    network = shown.get("networkProfile") or {}
    profile = _network(wish, network)
    if profile != network:
        api.change("resources.configure-network", {"networkProfile": profile}, resourceId=identity)


def _carried(wanted: Row, source: Row) -> Row:
    """Where its images are built stays unless something else is said."""
    before = (source.get("metadata") or {}).get("buildServerId")
    given = wanted.get("metadata") or {}
    return {**wanted, "metadata": {"buildServerId": before, **given}} if before else wanted


def _same_place(source: Row, wanted: Row) -> bool:
    """Whether a source is the wanted one before it was brought to its normal form (a tree address, `.git`)."""
    if source.get("kind") != wanted["kind"] or (source.get("metadata") or {}) != wanted.get("metadata", {}):
        return False
    if wanted.get("gitRef") and source.get("gitRef") != wanted["gitRef"]:
        return False
    if wanted.get("baseDirectory") and source.get("baseDirectory") != wanted["baseDirectory"]:
        return False
    return wanted["locator"] in {source.get("locator"), source.get("originalLocator")}
