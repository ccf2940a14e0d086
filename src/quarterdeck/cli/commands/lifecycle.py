"""The end of a resource or of a deployment: `archive` and `delete`."""

from __future__ import annotations

from quarterdeck.cli import names
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.names import Found
from quarterdeck.cli.options import Changing, Destroying
from quarterdeck.cli.serving import numbered
from quarterdeck.cli.session import Session, session


def archive(
    what: str, version: str | None = None, /, *, reason: str | None = None, changing: Changing = Changing()
) -> None:
    """Archive a resource for good: what runs keeps running until it is stopped, nothing can be deployed or changed any
    more, and the name stays taken.

    With a version, or a deployment's id, that deployment goes out of the history instead; it must have ended, and what
    it serves, or could give back, is not touched.

    qd archive shop
    qd archive storefront/staging/shop --reason "moved to the new shop" --yes
    qd archive shop v38
    qd archive dep_4k2m9x0q7c1z

    Parameters
    ----------
    what
        project/environment/resource, a slug that is unique, or an id; or a deployment's id (dep_…).
    version
        The number of a deployment in `qd history`.
    reason
        Why; kept in the audit trail. Of a resource only.
    """
    with session(changing) as opened:
        if what.startswith("dep_") or version is not None:
            _archive_deployment(opened, what if version is None else _of_version(opened.api, what, version))
            return
        found = names.resource(opened.api, what)
        opened.terminal.confirm(f"Archive {found.path}? This is final, and its name stays taken.")
        made = opened.api.change("resources.archive", {"reason": reason} if reason else {}, resourceId=found.id)
        opened.done(
            made, name=found.id, text=f"Archived {found.path}. What runs keeps running until: qd stop {found.path}"
        )


def _archive_deployment(opened: Session, target: str) -> None:
    answer = opened.api.change("deployments.archive", {"confirm": target}, deploymentId=target)
    opened.done(answer, name=target, text=f"Archived: {target}.")


def _of_version(api: Api, resource: str, version: str) -> str:
    found = names.resource(api, resource)
    wanted = version.removeprefix("v")
    target = next((row["id"] for number, row in numbered(api, found.resource) if str(number) == wanted), None)
    if target is None:
        raise Failure(
            f"{found.path} has no version {version}.",
            exit=Exit.NOT_FOUND,
            code="not_found",
            hint=f"qd history {found.path}",
        )
    return str(target)


def delete(resource: str, /, *, destroying: Destroying = Destroying()) -> None:
    """Delete an archived, stopped resource without deployments. Its settings and variables are lost; its name becomes
    free.

    Deployments are kept as its history until they are archived (qd archive NAME vN) and pruned (qd prune deployments).

    qd delete shop
    qd delete storefront/staging/shop --confirm shop

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    """
    with session(destroying) as opened:
        found = names.resource(opened.api, resource)
        slug = str(found.resource["slug"])
        shown = opened.api.read("resources.show", resourceId=found.id)
        if (shown.get("lifecycle") or {}).get("status") == "active":
            raise Failure(
                f"{found.path} is in use; only an archived resource can be deleted.",
                exit=Exit.CONFLICT,
                code="resource_delete_blocked",
                hint=f"qd archive {found.path}",
            )
        _check_stands_alone(opened.api, found)
        lost = f"{found.path} is lost with its settings and variables. This cannot be undone."
        opened.terminal.confirm_typed(lost, slug, destroying.confirm)
        body = {"confirmation": {"resourceSlug": slug}}
        made = opened.api.change("resources.delete", body, resourceId=found.id)
        opened.done(made, name=found.id, text=f"Deleted {found.path}.")


def _check_stands_alone(api: Api, found: Found) -> None:
    """What the server would refuse is told before a confirmation is asked for. Raises `Failure`."""
    rows = numbered(api, found.resource)
    if not rows:
        return
    many = f"{len(rows)} deployments are" if len(rows) > 1 else "1 deployment is"
    number = next((number for number, row in rows if not row.get("archivedAt")), None)
    raise Failure(
        f"{found.path} cannot be deleted: {many} kept as its history.",
        exit=Exit.CONFLICT,
        code="resource_delete_blocked",
        hint=f"qd archive {found.path} v{number}"
        if number
        else f"qd prune deployments --before 0s --resource {found.path} --yes",
    )
