"""What there is and how it is: `ls`, `status`, `open`."""

from __future__ import annotations

from typing import Any, Literal

from quarterdeck.cli import names, profiles, states
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Common
from quarterdeck.cli.phases import moment
from quarterdeck.cli.profiles import Profile
from quarterdeck.cli.serving import archived, serves
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.terminal import Terminal, since
from quarterdeck.kernel.clock import SystemClock

COMMON = Common()
What = Literal["resources", "projects", "environments", "servers"]


def ls(
    what: What = "resources",
    /,
    *,
    project: str | None = None,
    environment: str | None = None,
    common: Common = COMMON,
) -> None:
    """List resources with their state, or what else there is.

    qd ls
    qd ls --project storefront -o json
    qd ls servers

    Parameters
    ----------
    what
        resources, projects, environments or servers.
    project
        Only what belongs to this project.
    environment
        Only what belongs to environments of this name.
    """
    with session(common) as opened:
        if what == "resources":
            _resources(opened, project, environment)
        else:
            _others(opened, what, project)


def _resources(opened: Session, project: str | None, environment: str | None) -> None:
    terminal = opened.terminal
    found = [
        one
        for one in names.everything(opened.api)
        if (project is None or names.same(one.project, project))
        and (environment is None or names.same(one.environment, environment))
    ]
    found.sort(key=lambda one: one.path)
    if not found and terminal.format == "text":
        terminal.say("There is no resource yet.\nTry:   qd deploy ./folder")
        return
    serving = serves(opened.api, found) if terminal.format != "name" else {}
    rows, items = [], []
    for one in found:
        now = serving.get(one.id)
        status = one.resource.get("lastDeploymentStatus")
        last = terminal.state(states.deployment(status)) if status else ""
        if status and now is not None and now.version not in {None, one.resource["deploymentCount"]}:
            last += f" v{one.resource['deploymentCount']}"
        rows.append([one.path, now.text(terminal) if now else "", last, names.url_of(one.resource) or ""])
        items.append({**one.resource, **(now.facts() if now else {}), "path": one.path, "url": rows[-1][-1] or None})
    columns = ["RESOURCE", "RUNS", "LAST DEPLOYMENT", "ADDRESS"]
    terminal.table(items, columns, rows, names=[one.id for one in found])


def _others(opened: Session, what: What, project: str | None) -> None:
    api, terminal = opened.api, opened.terminal
    items = api.items(f"{what}.list")
    known = {row["id"]: row for row in api.items("projects.list")} if what == "environments" or project else {}
    if project is not None:
        key = "id" if what == "projects" else "projectId"
        items = [row for row in items if row.get(key) in known and names.same(known[row[key]], project)]
    columns, cells = {
        "projects": (["PROJECT", "NAME", "STATE"], lambda row: [row["slug"], row["name"], row["lifecycleStatus"]]),
        "environments": (
            ["ENVIRONMENT", "KIND", "STATE"],
            lambda row: [
                f"{known.get(row['projectId'], {}).get('slug', '?')}/{row['name']}",
                row["kind"],
                row["lifecycleStatus"],
            ],
        ),
        "servers": (
            ["SERVER", "HOST", "PROVIDER", "EDGE"],
            lambda row: [row["name"], row["host"], row["providerKey"], (row.get("edgeProxy") or {}).get("status", "")],
        ),
    }[what]
    rows = [[str(cell) for cell in cells(row)] for row in items]  # type: ignore[no-untyped-call]
    terminal.table(items, columns, rows, names=[str(row["id"]) for row in items])


def status(resource: str | None = None, /, *, common: Common = COMMON) -> None:
    """Say how a resource is; without one, which server this is, whether it answers, and who you are there.

    qd status
    qd status storefront/production/web

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    """
    if resource is None:
        _whereabouts(common)
        return
    with session(common) as opened:
        found = names.resource(opened.api, resource)
        health = opened.api.read("resources.health", {"mode": "live"}, resourceId=found.id)
        terminal = opened.terminal
        if terminal.structured:
            terminal.document({**health, "path": found.path})
            return
        if terminal.format == "name":
            terminal.line(health["overall"])
            return
        latest = health.get("latestDeployment") or {}
        wrong = (one.get("message") for one in health.get("checks") or [] if one["status"] == "failed")
        rows = [("state", "archived")] if archived(opened.api, found.id) else []
        rows += [
            ("health", terminal.state(states.health(health["overall"]))),
            *(("", f"{said[:1].upper()}{said[1:].rstrip('.')}.") for said in dict.fromkeys(wrong) if said),
            ("runtime", terminal.state(states.health(health["runtime"]["lifecycle"]))),
            ("address", (health.get("publicAccess") or {}).get("url") or "none"),
        ]
        if latest:
            ago = f", {_ago(latest.get('finishedAt') or latest['createdAt'])}"
            rows.append(("deployment", f"{terminal.state(states.deployment(latest['status']))}  {latest['id']}{ago}"))
        rows.append(("console", f"{opened.console}/projects/{found.path}"))
        terminal.line(found.path)
        for label, text in rows:
            terminal.line(f"  {label:<11} {text}")


def _ago(text: str) -> str:
    return since((SystemClock().now() - moment(text)).total_seconds())


def _whereabouts(common: Common) -> None:
    name, profile = profiles.chosen(common.profile)
    terminal = Terminal(common)
    version = _version(profile)
    facts: dict[str, Any] = {"url": profile.url, "profile": name, "version": version, "user": None}
    if profile.token:
        api = Api(profile, name=name)
        try:
            context = api.read("organizations.current-context")
            facts["user"] = context["user"].get("email") or context["user"].get("displayName")
            facts["organization"] = context["currentOrganization"]["name"]
            facts["role"] = context["currentOrganization"]["role"]
            facts["tasks"] = _task_figures(api)
        finally:
            api.close()
    text = [f"{facts['url']}   Quarterdeck {version}"]
    if facts["user"] or facts.get("organization"):
        text.append(f"{facts['user'] or profile.user} in {facts.get('organization')}, {facts.get('role')}")
        if facts["tasks"]:
            text.append(_task_words(facts["tasks"]))
    else:
        text.append("signed out")
    terminal.answer(facts, name=profile.url, text="\n".join(text))
    if not profile.token:
        raise Failure(
            f"You are not signed in to {profile.url}.",
            exit=Exit.NOT_SIGNED_IN,
            code="not_signed_in",
            hint=f"qd login {profile.url}",
        )


def _task_figures(api: Api) -> dict[str, Any] | None:
    """The figures of agent tasks; None for who may not see them, or where there are none."""
    try:
        figures: dict[str, Any] = api.read("dashboard.stats")
    except Failure as failure:
        if failure.exit in {Exit.NOT_ALLOWED, Exit.NOT_FOUND}:
            return None
        raise
    return figures


def _task_words(figures: dict[str, Any]) -> str:
    def count(key: str) -> int:
        return int(figures.get(key) or 0)

    return (
        f"Tasks: {count('activeTasks')} active, {count('suspendedTasks')} suspended, {count('queuedTasks')} queued; "
        f"today {count('completedToday')} completed, {count('failedToday')} failed. "
        f"Machines: {count('onlineMachines')} of {count('totalMachines')} online, "
        f"{count('slotsUsed')} of {count('slotsTotal')} slots in use."
    )


def _version(profile: Profile) -> str:
    api = Api(Profile(profile.url, authorities=profile.authorities))
    try:
        return str(api.call("GET", "/api/version")["version"])
    finally:
        api.close()


def open_page(resource: str | None = None, /, *, console: bool = False, common: Common = COMMON) -> None:
    """Open the address of a resource in a browser; without a display or in a pipe only print it.

    qd open shop
    qd open shop --console

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id. Without one: the console.
    console
        The page of the resource in the console.
    """
    with session(common) as opened:
        if resource is None:
            address, name = opened.console + "/", opened.api.profile.url
        else:
            found = names.resource(opened.api, resource)
            name = found.id
            page = f"{opened.console}/projects/{found.path}"
            shown = opened.api.read("resources.show", {"includeAccessSummary": True}, resourceId=found.id)
            address = page if console else names.url_of(shown) or page
        terminal = opened.terminal
        terminal.answer({"url": address, "resourceId": name}, name=name, text=address)
        if terminal.format == "text" and terminal.out.isatty() and not terminal.no_input:
            import webbrowser

            webbrowser.open(address)
