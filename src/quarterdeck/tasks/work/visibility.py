"""Whose tasks somebody sees and may act on: those of the projects that they belong to (contract: tasks §0, §2.4)."""

from __future__ import annotations

from quarterdeck.access import Access, Place
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal
from quarterdeck.tasks.projects import membership
from quarterdeck.tasks.projects.membership import PERMISSIONS, Right


def visible_projects(tx: Tx, access: Access, principal: Principal) -> set[int] | None:
    """Row ids of the projects whose tasks the caller sees; None: all of the organization."""
    access.load(tx)
    return membership.visible_projects(tx, access, principal)


def may(tx: Tx, access: Access, project_id: int, right: Right) -> bool:
    """Whether the caller has a right in a project (its row id of workspace), by their role in it or elsewhere."""
    access.load(tx)
    place = Place(tx.principal.acts_in, project_id=project_id)
    return access.decide(tx.principal, PERMISSIONS[right], place).allowed
