"""What was deployed and what to do about it: `history`, `rollback`, `redeploy`, `cancel`, `attach`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from quarterdeck.cli import names, states
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.following import Watched, ended, status_of
from quarterdeck.cli.names import Found, Row
from quarterdeck.cli.options import Changing, Common, Following
from quarterdeck.cli.phases import moment
from quarterdeck.cli.serving import numbered, serves
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.states import ACTIVE
from quarterdeck.cli.terminal import since
from quarterdeck.kernel.clock import SystemClock


def watched_of(api: Api, deployment_id: str) -> Watched:
    """A deployment by its id, with the place of its resource and the name of its server."""
    body = api.read("deployments.show", {"includeSnapshot": False}, deploymentId=deployment_id)
    related: dict[str, Any] = body.get("relatedContext") or {}
    parts = [
        (related.get("project") or {}).get("slug"),
        (related.get("environment") or {}).get("name"),
        (related.get("resource") or {}).get("slug"),
    ]
    resource_id = body["deployment"]["resourceId"]
    path = "/".join(str(part) for part in parts) if all(parts) else resource_id
    return Watched(deployment_id, resource_id, path, (related.get("server") or {}).get("name"))


def _latest(found: Found) -> str:
    latest = found.resource.get("lastDeploymentId")
    if not latest:
        raise Failure(
            f"{found.path} was never deployed.",
            exit=Exit.CONFLICT,
            code="not_deployed",
            hint=f"qd redeploy {found.path}",
        )
    return str(latest)


def history(
    resource: str | None = None, /, *, limit: int = 20, archived: bool = False, common: Common = Common()
) -> None:
    """List the deployments of a resource, newest first.

    qd history shop
    qd history shop --archived

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    limit
        How many.
    archived
        With those that were archived.
    """
    with session(common) as opened:
        found = names.resource(opened.api, resource)
        listed = [one for one in numbered(opened.api, found.resource) if archived or not one[1].get("archivedAt")]
        listed = listed[:limit]
        now = SystemClock().now()
        runs = serves(opened.api, [found])[found.id]
        serving = runs.deployment if runs.runtime in {"running", "restarting", "degraded"} else None
        rows = [
            [
                f"v{number}",
                opened.terminal.state(states.deployment(row["status"])) + (" serves" if row["id"] == serving else ""),
                str(row.get("triggerKind") or ""),
                str(row.get("sourceCommitSha") or "")[:7],
                since((now - moment(row["createdAt"])).total_seconds()),
                row["id"],
            ]
            for number, row in listed
        ]
        items = [{"number": number, **row} for number, row in listed]
        columns = ["VERSION", "STATE", "TRIGGER", "COMMIT", "WHEN", "DEPLOYMENT"]
        opened.terminal.table(items, columns, rows, names=[row["id"] for _, row in listed])


def rollback(resource: str | None = None, /, *, to: str | None = None, following: Following = Following()) -> None:
    """Give back an earlier version from what is retained of it; nothing is built, and databases are not touched.

    qd rollback shop
    qd rollback shop --to 41
    qd rollback shop --to dep_4k2m9x0q7c1z

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    to
        The version: its number in `qd history`, or a deployment's id. Default: the one before.
    """
    with session(following) as opened:
        api = opened.api
        found = names.resource(api, resource)
        latest = _latest(found)
        target = _candidate(api, found, latest) if to is None else _named(api, found, to)
        opened.terminal.detail(f"  Rolling {found.path} back to {target}.")
        body = {"rollbackCandidateDeploymentId": target, "resourceId": found.id}
        made = api.change("deployments.rollback", body, what="deployment", deploymentId=latest)
        _on(opened, made, found, following)


def _candidate(api: Api, found: Found, latest: str) -> str:
    readiness = api.read("deployments.recovery-readiness", {"includeCandidates": True}, deploymentId=latest)
    recommended = readiness["rollback"].get("recommendedCandidateId")
    if not recommended:
        reasons = readiness["rollback"].get("reasons") or []
        why = next((reason["recommendation"] for reason in reasons if reason.get("recommendation")), None)
        raise Failure(
            f"{found.path} has no earlier version to go back to.",
            exit=Exit.CONFLICT,
            code="deployment_rollback_candidate_not_found",
            hint=why or f"qd history {found.path}",
        )
    return str(recommended)


def _named(api: Api, found: Found, to: str) -> str:
    if to.startswith("dep_"):
        return to
    number = to.removeprefix("v")
    target = next((row["id"] for version, row in numbered(api, found.resource) if str(version) == number), None)
    if target is None:
        raise Failure(
            f"{found.path} has no version {to}.",
            exit=Exit.NOT_FOUND,
            code="not_found",
            hint=f"qd history {found.path}",
        )
    return str(target)


def redeploy(resource: str | None = None, /, *, following: Following = Following()) -> None:
    """Deploy a resource again from its present configuration.

    qd redeploy shop

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    """
    with session(following) as opened:
        found = names.resource(opened.api, resource)
        made = opened.api.change("deployments.redeploy", {}, what="deployment", resourceId=found.id)
        _on(opened, made, found, following)


def _on(opened: Session, made: Row, found: Found, following: Following) -> None:
    opened.sent()
    watched = replace(watched_of(opened.api, made["id"]), path=found.path)
    ended(opened, watched, detach=following.detach, timeout=following.timeout)


def cancel(what: str | None = None, /, *, changing: Changing = Changing()) -> None:
    """Stop a running deployment; what served before keeps serving.

    qd cancel shop
    qd cancel dep_4k2m9x0q7c1z --yes

    Parameters
    ----------
    what
        A deployment's id (dep_…), or the resource whose latest deployment it is.
    """
    with session(changing) as opened:
        api = opened.api
        target = what if what is not None and what.startswith("dep_") else _latest(names.resource(api, what))
        status = status_of(api, target)
        if status not in ACTIVE:
            raise Failure(
                f"The deployment {target} has ended already: {states.deployment(status).word}.",
                exit=Exit.CONFLICT,
                code="deployment_cancel_not_allowed",
                hint=f"qd logs {target}",
            )
        opened.terminal.confirm(f"Cancel the deployment {target}?")
        answer = api.change("deployments.cancel", {"confirm": target}, deploymentId=target)
        opened.sent()
        status = status_of(api, target)
        word = "Canceled" if status == "canceled" else f"Asked to cancel; it is {states.deployment(status).word}"
        opened.terminal.answer({**answer, "status": status}, name=target, text=f"{word}: {target}.")


def attach(what: str | None = None, /, *, following: Following = Following()) -> None:
    """Watch a deployment again, from its beginning to its end.

    qd attach shop
    qd attach dep_4k2m9x0q7c1z

    Parameters
    ----------
    what
        A deployment's id (dep_…), or the resource whose latest deployment it is.
    """
    with session(following) as opened:
        target = what if what is not None and what.startswith("dep_") else _latest(names.resource(opened.api, what))
        ended(opened, watched_of(opened.api, target), detach=following.detach, timeout=following.timeout)
