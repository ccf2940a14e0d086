"""Organizations: names, membership, and which one a session acts in."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.access.model import Grant
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound

RANK = ("owner", "admin", "developer", "billing", "viewer")


def ref_of(tx: Tx, organization_id: int) -> str:
    """The documented id of an organization."""
    found = tx.get(Organization, organization_id)
    if found is None:
        raise NotFound("The organization is gone.")
    return found.ref


def of_user(tx: Tx, user_id: int) -> list[Organization]:
    """The organizations that a user is a member of, by a role of any surface, oldest first."""
    held = select(Grant.organization_id).where(Grant.user_id == user_id)
    return list(tx.scalars(select(Organization).where(Organization.id.in_(held)).order_by(Organization.id)))


def role_of(tx: Tx, user_id: int, organization_id: int) -> str | None:
    """The highest organization role of a user, as its last part (`owner`)."""
    held = {
        role.split(":")[1] for role in grants.roles_of(tx, user_id, organization_id) if role.startswith("organization:")
    }
    return next((role for role in RANK if role in held), None)
