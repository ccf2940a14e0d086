"""Who could decide: the people of a step, by name, for whoever wants to know before asking."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.access import Access
from quarterdeck.access.model import Grant, Role
from quarterdeck.access.places import Place
from quarterdeck.broker.requests import judging
from quarterdeck.broker.requests.finding import APPROVE
from quarterdeck.broker.workflows.steps import Step
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx

LOOKED_AT = 200
"""People who have a role that approves, of whom the first few are named."""


def named(tx: Tx, access: Access, where: Place, step: Step, *, without: int, most: int = 5) -> list[str]:
    """Names of people whose word would count in a step, as grants are now; never that of `without`, who asks."""
    here = where.organization_id if where.organization_id is not None else tx.principal.acts_in
    query = (
        select(User)
        .join(Grant, Grant.user_id == User.id)
        .where(Grant.organization_id == here, Grant.role.in_(access.carrying(APPROVE)), User.active)
        .where(User.id != without)
        .distinct()
        .order_by(User.id)
        .limit(LOOKED_AT)
    )
    found: list[str] = []
    for user in tx.scalars(query):
        if judging.may_at(tx, access, user, here, where, step):
            found.append(user.display_name or user.username)
            if len(found) == most:
                break
    return found


def role(tx: Tx, step: Step) -> str:
    """What the role of a step is called; nothing where any role that approves will do."""
    if step.role_uid is None:
        return ""
    return tx.execute(select(Role.name).where(Role.uid == step.role_uid)).scalar() or "a role that is gone"
