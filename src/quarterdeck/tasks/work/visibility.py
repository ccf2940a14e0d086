"""Whose tasks somebody sees and may act on: those of the projects that they belong to (contract: tasks §0, §2.4)."""

from __future__ import annotations

from quarterdeck.access import Access, Place
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.projects.membership import PERMISSIONS, Right, visible_projects

__all__ = ["may", "visible_projects"]


def may(tx: Tx, access: Access, project_id: int, right: Right) -> bool:
    """Whether the caller has a right in a project of their current organization, by its row id of workspace."""
    access.load(tx)
    place = Place(tx.principal.acts_in, project_id=project_id)
    return access.decide(tx.principal, PERMISSIONS[right], place).allowed
