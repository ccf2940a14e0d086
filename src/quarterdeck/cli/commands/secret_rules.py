"""`qd secret project`, `workflow` and `policy`: which request for a secret takes which way. All of `qd secret`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter, validators

from quarterdeck.cli import secret_naming
from quarterdeck.cli.commands import secret_agents, secret_places, secret_requests, secrets
from quarterdeck.cli.failure import usage
from quarterdeck.cli.names import Row, counted
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.secret_options import Flag, Provider, seconds, span
from quarterdeck.cli.secret_session import about, session

COMMON, CHANGING = Common(), Changing()
Operation = Literal["read", "patch", "update", "rotate", "reveal"]
People = Annotated[int | None, Parameter(validator=validators.Number(gte=1, lte=20))]
Priority = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=1_000_000))]
KEPT = (
    "min_approvers", "approver_role_id", "wrap_ttl_created_seconds", "wrap_ttl_approved_seconds",
    "wrap_ttl_claimed_seconds", "request_ttl_seconds", "require_justification", "allow_self_approval",
    "notification_channels", "enabled", "description", "steps", "grant_seconds", "break_glass",
)  # fmt: skip
"""What a change of a workflow sends, since it replaces what it is not told."""
FRESH: Row = {
    "min_approvers": 1, "wrap_ttl_created_seconds": 604_800, "wrap_ttl_approved_seconds": 3600,
    "wrap_ttl_claimed_seconds": 300, "request_ttl_seconds": 1_209_600, "require_justification": True, "enabled": True,
}  # fmt: skip
"""A new workflow, but for what is said: the times of the one that every organization begins with."""
secret: App = secrets.secret
"""With all its verbs."""
project = App(name="project", help="Projects that secrets are asked for.")
workflow = App(name="workflow", help="How many people agree to a request, and how long everything lasts.")
policy = App(name="policy", help="Which request takes which workflow.")


def projects(*, common: Common = COMMON) -> None:
    """List the projects that secrets are asked for, with their environments.

    qd secret project list
    """
    with session(common) as opened:
        found = secret_naming.pages(opened.api, "secret-projects.list")
        if not found and opened.terminal.format == "text":
            opened.terminal.say("There is no project yet.\nTry:   qd secret project add shop")
            return
        places = secret_naming.pages(opened.api, "secret-environments.list")
        rows = []
        for row in found:
            own = [one for one in places if one["project_id"] == row["id"]]
            told = ", ".join(f"{one['name']}{' (production)' if one['kind'] == 'prod' else ''}" for one in own)
            rows.append([str(row["name"]), str(row["status"]), told, str(row["id"])])
        columns = ["PROJECT", "STATE", "ENVIRONMENTS", "ID"]
        opened.terminal.table(found, columns, rows, names=[str(row["id"]) for row in found])


def add_project(name: str, /, *, changing: Changing = CHANGING) -> None:
    """Let secrets be asked for a project. Where there is none of that name it is made.

    qd secret project add shop

    Parameters
    ----------
    name
        What it is called.
    """
    with session(changing) as opened, about(conflict="qd secret project list"):
        made: Row = opened.api.change("secret-projects.create", {"name": name}, what="project")
        opened.done(made, name=str(made["id"]), text=f"Secrets can be asked for {name}.")


def workflows(*, common: Common = COMMON) -> None:
    """List the workflows: how many people agree, and how long everything lasts.

    qd secret workflow list
    """
    with session(common) as opened:
        found = secret_naming.pages(opened.api, "secret-workflows.list")
        rows = [
            [
                str(row["name"]) + (" (default)" if row.get("is_default") else ""),
                "enabled" if row["enabled"] else "disabled",
                ", ".join(f"{one['name']}: {one['approvers']}" for one in row["steps"])
                or counted(max(int(row["min_approvers"]), 1), "person").replace("persons", "people"),
                span(row["request_ttl_seconds"]),
                span(row["wrap_ttl_approved_seconds"]),
                span(row["grant_seconds"]) if row["grant_seconds"] else "",
                "yes" if row["break_glass"] else "",
                str(row["id"]),
            ]
            for row in found
        ]
        columns = ["WORKFLOW", "STATE", "AGREE", "WAITS", "KEPT", "AGAIN", "EMERGENCIES", "ID"]
        opened.terminal.table(found, columns, rows, names=[str(row["id"]) for row in found])


def add_workflow(
    name: str,
    /,
    *,
    approvers: People = None,
    waits: str | None = None,
    keep: str | None = None,
    again: str | None = None,
    emergencies: Flag = False,
    description: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Make a workflow. Policies send requests to it.

    qd secret workflow add ten-minutes --approvers 1 --waits 1h --keep 10m --again 10m

    Parameters
    ----------
    name
        What it is called.
    approvers
        How many people have to agree. Default: 1.
    waits
        How long a request waits for them. Default: 14d.
    keep
        How long a value is kept for whoever asked, from the approval on. Default: 1h.
    again
        How long the same person may read the same again without asking anew. Default: not at all.
    emergencies
        Somebody may go ahead without approval, and is reviewed afterwards.
    description
        What it is for.
    """
    body = {**FRESH, "name": name, **_workflow(approvers, waits, keep, again, description)}
    body |= {"break_glass": True} if emergencies else {}
    with session(changing) as opened, about(conflict="qd secret workflow list"):
        made: Row = opened.api.change("secret-workflows.create", body, what="workflow")
        opened.done(made, name=str(made["id"]), text=f"Made the workflow {name}.")


def change_workflow(
    workflow: str,
    /,
    *,
    approvers: People = None,
    waits: str | None = None,
    keep: str | None = None,
    again: str | None = None,
    emergencies: Literal["yes", "no"] | None = None,
    state: Literal["enabled", "disabled"] | None = None,
    description: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Change a workflow. What is not given stays.

    qd secret workflow change standard --keep 10m --again 0

    Parameters
    ----------
    workflow
        Its name or id.
    approvers
        How many people have to agree.
    waits
        How long a request waits for them.
    keep
        How long a value is kept for whoever asked, from the approval on.
    again
        How long the same person may read the same again without asking anew; 0 for not at all.
    emergencies
        Whether somebody may go ahead without approval, and is reviewed afterwards.
    state
        Whether policies may send requests to it.
    description
        What it is for.
    """
    body = _workflow(approvers, waits, keep, again, description)
    body |= {"break_glass": emergencies == "yes"} if emergencies is not None else {}
    body |= {"enabled": state == "enabled"} if state is not None else {}
    if not body:
        raise usage("Say what to change.", "qd secret workflow change NAME --keep 10m")
    with session(changing) as opened, about(not_found="qd secret workflow list"):
        row = secret_naming.workflow(opened, workflow)
        if approvers is not None and row["steps"]:
            raise usage(
                f"{row['name']} has steps, which say how many agree in each.", "Change these in the console.",
                code="workflow_with_steps",
            )  # fmt: skip
        kept = {key: row[key] for key in KEPT if row.get(key) is not None}
        answer: Row = opened.api.change("secret-workflows.replace", {**kept, **body}, workflowId=str(row["id"]))
        opened.done(answer, name=str(row["id"]), text=f"Changed the workflow {row['name']}.")


def _workflow(
    approvers: int | None, waits: str | None, keep: str | None, again: str | None, description: str | None
) -> Row:
    body: dict[str, Any] = {
        "min_approvers": approvers,
        "request_ttl_seconds": None if waits is None else seconds(waits, "--waits"),
        "wrap_ttl_approved_seconds": None if keep is None else seconds(keep, "--keep"),
        "grant_seconds": None if again is None else seconds(again, "--again"),
        "description": description,
    }
    return {key: value for key, value in body.items() if value is not None}


def policies(*, common: Common = COMMON) -> None:
    """List the policies in the order in which they are asked.

    qd secret policy list
    """
    with session(common) as opened:
        found = secret_naming.pages(opened.api, "secret-policies.list")
        ways = {str(row["id"]): str(row["name"]) for row in secret_naming.pages(opened.api, "secret-workflows.list")}
        known = secret_naming.projects(opened, [row["selector"] for row in found])
        rows = [
            [
                str(row["priority"]),
                str(row["name"]),
                "enabled" if row["enabled"] else "disabled",
                _selector(row["selector"], known) or "everything",
                ways.get(str(row["workflow_id"]), str(row["workflow_id"])),
                "direct reads" if row.get("direct_reveal_allowed") else "",
                str(row["id"]),
            ]
            for row in found
        ]
        columns = ["PRIORITY", "POLICY", "STATE", "FITS", "WORKFLOW", "LETS", "ID"]
        opened.terminal.table(found, columns, rows, names=[str(row["id"]) for row in found])


def _selector(selector: Row, known: dict[str, str]) -> str:
    words = {key.removesuffix("_id"): known.get(str(value), value) for key, value in selector.items()}
    return ", ".join(f"{key}={value}" for key, value in words.items())


def add_policy(
    name: str,
    /,
    *,
    workflow: str,
    project: str | None = None,
    environment: str | None = None,
    kind: Literal["prod", "non_prod"] | None = None,
    provider: Provider | None = None,
    prefix: str | None = None,
    operation: Operation | None = None,
    priority: Priority = 100,
    direct: Flag = False,
    changing: Changing = CHANGING,
) -> None:
    """Send requests to a workflow. All that is said has to fit; the highest priority is asked first.

    qd secret policy add shop-production --workflow ten-minutes --project shop --environment production

    Parameters
    ----------
    name
        What it is called.
    workflow
        The workflow that these requests take.
    project
        Requests for this project.
    environment
        Requests for this environment, by name.
    kind
        Requests for production, or for everything else.
    provider
        Requests for what it keeps.
    prefix
        Requests for references that begin so.
    operation
        Requests that do this.
    priority
        From 0 to 1000000.
    direct
        Let those who may read directly do so without approval. Never in production.
    """
    selector: Row = {
        "environment": environment,
        "environment_kind": kind,
        "provider_type": provider,
        "secret_ref_prefix": prefix,
        "operation": operation,
    }
    with session(changing) as opened, about(conflict="qd secret policy list"):
        if project is not None:
            selector["project_id"] = secret_naming.project(opened, project)["id"]
        body: Row = {
            "name": name,
            "selector": {key: value for key, value in selector.items() if value is not None},
            "workflow_id": secret_naming.workflow(opened, workflow)["id"],
            "priority": priority,
            "enabled": True,
        }
        body |= {"direct_reveal_allowed": True} if direct else {}
        made: Row = opened.api.change("secret-policies.create", body, what="policy")
        opened.done(made, name=str(made["id"]), text=f"Made the policy {name}.")


def trial(
    ref: str,
    /,
    *,
    provider: Provider,
    operation: Operation = "read",
    project: str | None = None,
    environment: str | None = None,
    common: Common = COMMON,
) -> None:
    """Say what would happen to a request. Nothing is asked for.

    qd secret policy try apps/db --provider vault --project shop --environment production

    Parameters
    ----------
    ref
        Where in its store the secret is.
    provider
        What keeps it.
    operation
        What would be asked for.
    project
        For which project.
    environment
        For which environment of it. Without one it counts as production.
    """
    with session(common) as opened, about(not_found="qd secret project list"):
        body: Row = {"provider_type": provider, "secret_ref": ref, "operation": operation}
        body |= {"project_id": secret_naming.project(opened, project)["id"]} if project is not None else {}
        body |= {"environment": environment} if environment is not None else {}
        answer: Row = opened.api.change("secret-policies.try", body)
        terminal = opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(answer, name=str(answer["workflow_id"]), text="")
            return
        said = ", as production" if answer["production"] else ""
        terminal.line(f"It takes the workflow {terminal.plain(answer['workflow_name'])}{said}.")
        terminal.line(f"  {terminal.plain(answer['explanation'])}")
        if answer["direct_reveal_allowed"]:
            terminal.line("  Those who may read directly need no approval.")
        if answer["direct_reveal_refused"]:
            terminal.line("  Its rule would let it be read without approval, which nothing in production does.")
        for one in answer["rules"]:
            mark = terminal.mark("good" if one["outcome"] == "taken" else "off")
            terminal.line(f"  {mark} {one['priority']:>7}  {terminal.plain(one['policy_name'])}: "
                          f"{terminal.plain(one['reason'])}")  # fmt: skip


project.command(projects, name="list")
project.command(add_project, name="add")
workflow.command(workflows, name="list")
workflow.command(add_workflow, name="add")
workflow.command(change_workflow, name="change")
policy.command(policies, name="list")
policy.command(add_policy, name="add")
policy.command(trial, name="try")
for _app in (secret_requests.request, secret_places.connection, secret_agents.agent, project, workflow, policy):
    secret.command(_app)
secret.command(secret_places.found)
