"""Whose tasks somebody sees and may act on: those of the projects that they belong to (contract: tasks §0, §2.4)."""

from __future__ import annotations

from typing import Literal

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal

Deed = Literal["view", "create", "manage"]
ADMIN, MAINTAINER, MEMBER = "tasks:admin", "tasks:maintainer", "tasks:member"
CARRIED: dict[Deed, frozenset[str]] = {
    "view": frozenset({MAINTAINER, MEMBER}),
    "create": frozenset({MAINTAINER, MEMBER}),
    "manage": frozenset({MAINTAINER}),
}


def is_admin(access: Access, principal: Principal) -> bool:
    return principal.kind == "system" or ADMIN in access.roles(principal.id, principal.organization_id)


def visible_projects(tx: Tx, access: Access, principal: Principal) -> set[int] | None:
    """Row ids of the projects whose tasks the caller sees; None: all of the organization."""
    access.load(tx)
    if is_admin(access, principal):
        return None
    parts = access.parts(principal.id, principal.acts_in)
    return {part.project_id for part in parts if part.project_id and part.role in CARRIED["view"]}


def may(tx: Tx, access: Access, project_id: int, deed: Deed) -> bool:
    """Whether the caller may do that in a project, by their role in it or as an administrator."""
    access.load(tx)
    principal = tx.principal
    if is_admin(access, principal):
        return True
    parts = access.parts(principal.id, principal.acts_in)
    return any(part.project_id == project_id and part.role in CARRIED[deed] for part in parts)
