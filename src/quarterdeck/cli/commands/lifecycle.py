"""The end of a resource: `archive` and `delete`."""

from __future__ import annotations

from quarterdeck.cli import names
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Changing, Destroying
from quarterdeck.cli.session import session


def archive(resource: str, /, *, reason: str | None = None, changing: Changing = Changing()) -> None:
    """Archive a resource for good: what runs keeps running until it is stopped, nothing can be deployed or changed any
    more, and the name stays taken.

    qd archive shop
    qd archive storefront/staging/shop --reason "moved to the new shop" --yes

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    reason
        Why; kept in the audit trail.
    """
    with session(changing) as opened:
        found = names.resource(opened.api, resource)
        if not changing.plan:
            opened.terminal.confirm(f"Archive {found.path}? This is final, and its name stays taken.")
        made = opened.api.change("resources.archive", {"reason": reason} if reason else {}, resourceId=found.id)
        if changing.plan:
            opened.planned()
            return
        opened.terminal.answer(
            made, name=found.id, text=f"Archived {found.path}. What runs keeps running until: qd stop {found.path}"
        )


def delete(resource: str, /, *, destroying: Destroying = Destroying()) -> None:
    """Delete an archived resource that was never deployed. Its settings and variables are lost; its name becomes free.

    One with deployments stays archived: they are kept as its history.

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
        if not destroying.plan:
            lost = f"{found.path} is lost with its settings and variables. This cannot be undone."
            opened.terminal.confirm_typed(lost, slug, destroying.confirm)
        body = {"confirmation": {"resourceSlug": slug}}
        made = opened.api.change("resources.delete", body, resourceId=found.id)
        if destroying.plan:
            opened.planned()
            return
        opened.terminal.answer(made, name=found.id, text=f"Deleted {found.path}.")
