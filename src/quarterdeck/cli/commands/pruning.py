"""What is out of date: `prune deployments|logs|preview`."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from quarterdeck.cli import names
from quarterdeck.cli.client import Api
from quarterdeck.cli.commands.work import instant
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Changing
from quarterdeck.cli.session import session

CHANGING = Changing()
prune = App(name="prune", help="Delete archived deployments, old log lines, or what a preview runs.")


def deployments(
    *,
    before: str,
    resource: str | None = None,
    server: str | None = None,
    deployment: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Delete deployments that were archived long ago, with their logs. Without --yes it only says which.

    What serves, can be given back, or is named by another deployment stays.

    qd prune deployments --before 90d
    qd prune deployments --before 2026-01-01 --resource shop --yes

    Parameters
    ----------
    before
        An age (90d, 12h) or an instant; what was archived before it goes.
    resource
        Only of this resource.
    server
        Only on this server.
    deployment
        Only this one (dep_…).
    """
    with session(changing) as opened:
        body = _choice(opened.api, before, resource, server, deployment, changing)
        answer = opened.api.change("deployments.prune", body)
        opened.sent()
        count = len(answer["affectedDeploymentIds"])
        kept = f", {answer['guardedCount']:.0f} are still needed" if answer["guardedCount"] else ""
        text = f"Would delete {count}{kept}. Add --yes to delete." if answer["dryRun"] else f"Deleted {count}{kept}."
        opened.terminal.answer(answer, name="\n".join(answer["affectedDeploymentIds"]), text=text)


def logs(
    *,
    before: str,
    resource: str | None = None,
    server: str | None = None,
    deployment: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Delete old log lines of deployments. Without --yes it only says how many.

    qd prune logs --before 90d
    qd prune logs --before 30d --resource shop --yes

    Parameters
    ----------
    before
        An age (90d, 12h) or an instant; lines from before it go.
    resource
        Only of this resource.
    server
        Only of what was deployed to this server.
    deployment
        Only of this deployment (dep_…).
    """
    with session(changing) as opened:
        body = _choice(opened.api, before, resource, server, deployment, changing)
        answer = opened.api.change("deployments.logs.prune", body)
        opened.sent()
        of = f"of {answer['affectedDeploymentCount']:.0f} deployments"
        if answer["dryRun"]:
            text = f"Would delete {answer['matchedCount']:.0f} lines {of}. Add --yes to delete."
        else:
            text = f"Deleted {answer['prunedCount']:.0f} lines {of}."
        opened.terminal.answer(answer, name=f"{answer['prunedCount']:.0f}", text=text)


def preview(resource: str, /, *, changing: Changing = CHANGING) -> None:
    """Tear a preview down: what runs, its artefacts, and the way to it. The resource and its history stay.

    Only a resource of an environment of the kind preview can be meant.

    qd prune preview shop/pr-7/web
    qd prune preview res_4k2m9x0q7c1z --yes

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    """
    with session(changing) as opened:
        api = opened.api
        found = names.resource(api, resource)
        source = api.read("resources.show", {"includeLatestDeployment": False}, resourceId=found.id).get("source")
        if source is None:
            raise Failure(f"{found.path} has no source.", exit=Exit.CONFLICT, code="resource_source_missing")
        opened.terminal.confirm(f"Tear {found.path} down?")
        body = {
            "sourceFingerprint": source["sourceBindingFingerprint"],
            "trustedContext": {"resourceId": found.id},
        }
        answer = api.change("deployments.cleanup-preview", body)
        opened.sent()
        text = (
            f"{found.path} was clean already." if answer["status"] == "already-clean" else f"Cleaned up: {found.path}."
        )
        opened.terminal.answer(answer, name=found.id, text=text)


def _choice(
    api: Api, before: str, resource: str | None, server: str | None, deployment: str | None, changing: Changing
) -> dict[str, Any]:
    body: dict[str, Any] = {"before": instant(before), "dryRun": not changing.yes}
    if resource is not None:
        body["resourceId"] = names.resource(api, resource).id
    if server is not None:
        body["serverId"] = names.server(api, server)["id"]
    if deployment is not None:
        body["deploymentId"] = deployment
    return body


prune.command(deployments)
prune.command(logs)
prune.command(preview)
