"""How far the approval of a request has come: steps, whose words count, and what is missing.

Nothing is approved by its requester alone, whatever a workflow says; in production the requester's own word counts
beside that of another at most. Only the words of those count who may still approve it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.access import Access
from quarterdeck.access.model import Role
from quarterdeck.access.places import Place
from quarterdeck.broker.requests import finding
from quarterdeck.broker.requests.finding import APPROVE
from quarterdeck.broker.requests.model import Request, Vote
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.workflows.steps import Step, steps
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal

AGREED, REFUSED = "approve", "reject"
ADMINISTRATOR = "broker:admin"
"""Has what the built-in roles have; a role of the organization's own is meant as it is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One step: how many have to agree, and who has whose word counts (row ids of users)."""

    step: Step
    given: tuple[int, ...] = ()

    @property
    def done(self) -> bool:
        return len(self.given) >= max(1, self.step.approvers)


@dataclass(frozen=True, slots=True)
class Progress:
    """`stands` in order. `lonely`: nobody but the requester has agreed."""

    stands: tuple[Standing, ...]
    lonely: bool

    @property
    def current(self) -> int:
        """The step that is asked now; the last one when all are done."""
        return next((place for place, one in enumerate(self.stands) if not one.done), len(self.stands) - 1)

    @property
    def complete(self) -> bool:
        return all(one.done for one in self.stands) and not self.lonely

    @property
    def required(self) -> int:
        return sum(max(1, one.step.approvers) for one in self.stands)

    @property
    def given(self) -> int:
        return sum(len(one.given) for one in self.stands)


def progress(tx: Tx, access: Access, request: Request, workflow: Workflow) -> Progress:
    said = [one for one in votes(tx, request) if one.revision == request.revision and one.decision == AGREED]
    stands = []
    for number, step in enumerate(steps(workflow)):
        counted = [one.approver_id for one in said if one.step == number and may(tx, access, one.approver_id, request,
                                                                                step, workflow)]  # fmt: skip
        stands.append(Standing(step, tuple(counted)))
    others = {one for stand in stands for one in stand.given} - {request.requester_id}
    return Progress(tuple(stands), lonely=not others)


def votes(tx: Tx, request: Request) -> Sequence[Vote]:
    """All that was said of it, oldest first, of earlier revisions too."""
    return list(tx.scalars(select(Vote).where(Vote.request_id == request.id).order_by(Vote.id)))


def may(tx: Tx, access: Access, user_id: int, request: Request, step: Step, workflow: Workflow) -> bool:
    """Whether somebody may agree to a request in a step of its workflow, as grants are now."""
    if user_id == request.requester_id and not workflow.allow_self_approval:
        return False
    user = tx.get(User, user_id)
    if user is None or not user.active:
        return False
    return may_at(tx, access, user, request.organization_id, finding.place(tx, request), step)


def may_at(tx: Tx, access: Access, user: User, organization_id: int, where: Place, step: Step) -> bool:
    """Whether somebody may agree there in such a step, as grants are now."""
    somebody = Principal("user", user.id, user.uid, user.username, organization_id=organization_id)
    if not access.decide(somebody, APPROVE, where).allowed:
        return False
    if step.role_uid is None:
        return True
    role = tx.first(select(Role).where(Role.uid == step.role_uid))
    if role is None:
        return False
    whole = access.roles(user.id, organization_id)
    parts = {one.role for one in access.parts(user.id, organization_id) if one.covers(where)}
    held = whole | parts
    return role.key in held or (role.organization_id is None and ADMINISTRATOR in held)
