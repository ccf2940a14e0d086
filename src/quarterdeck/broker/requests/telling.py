"""Who hears of requests: whoever may decide one, that it waits; whoever asked, what came of it; and everybody who may
decide, that somebody went ahead without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from sqlalchemy import select

from quarterdeck.access import Access
from quarterdeck.access.model import Grant
from quarterdeck.broker.requests import judging
from quarterdeck.broker.requests.happenings import STREAM
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import PENDING
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.workflows.steps import Step, steps
from quarterdeck.identity.model import User
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.text import shown
from quarterdeck.notify import tell

LATEST = timedelta(days=1)
"""What is older when it is heard of is no news."""
WAITS, DECIDED, EMERGENCY = "secret_approval_required", "secret_request_decided", "secret_emergency"
MOST_TOLD = 200
OUTCOMES = ("approved", "rejected", "executed", "failed", "expired")
TYPES = tuple(f"secret-request-{word}" for word in ("asked", "edited", "vote", "emergency", *OUTCOMES))
LONGEST = 300


def hear(tx: Tx, event: events.Event) -> None:
    """The durable subscriber."""
    if not event.stream.startswith(STREAM) or event.at < tx.now - LATEST:
        return
    request = tx.first(select(Request).where(Request.uid == event.stream.removeprefix(STREAM)))
    if request is None:
        return
    access = known(tx)
    word = event.type.removeprefix("secret-request-")
    said = shown(" ".join(str(event.data.get("message") or "").split()), LONGEST)
    if word == "emergency":
        _tell(tx, request, EMERGENCY, approvers(tx, access, request, anybody=True), "went ahead without approval", said)
    elif word in OUTCOMES:
        _tell(tx, request, DECIDED, [request.requester_id], f"is {word}", said)
    elif request.status == PENDING:
        _tell(tx, request, WAITS, approvers(tx, access, request), "waits for your approval", request.justification)


def known(tx: Tx) -> Access:
    """Who may what, as the unit sees it."""
    access = tx.part(Access)
    access.load(tx)
    return access


def remind(tx: Tx, request: Request) -> None:
    """Tell once more that somebody has to look at what went ahead without approval."""
    access = known(tx)
    said = "Somebody has to look at what was done, and say so."
    _tell(tx, request, EMERGENCY, approvers(tx, access, request, anybody=True), "was not reviewed yet", said)


def approvers(tx: Tx, access: Access, request: Request, *, anybody: bool = False) -> list[int]:
    """Row ids of those who may agree now: in the step that is asked, who have not said anything yet; with `anybody`, of
    any step.
    """
    workflow = tx.get(Workflow, request.workflow_id)
    if workflow is None:
        return []
    asked: Iterable[Step] = steps(workflow)
    said: set[int] = set()
    if not anybody:
        asked = [steps(workflow)[judging.progress(tx, access, request, workflow).current]]
        said = {one.approver_id for one in judging.votes(tx, request) if one.revision == request.revision}
    people = (
        select(Grant.user_id)
        .join(User, User.id == Grant.user_id)
        .where(Grant.organization_id == request.organization_id, User.active)
        .distinct()
        .order_by(Grant.user_id)
    )
    able: Callable[[int], bool] = lambda user_id: any(  # noqa: E731
        judging.may(tx, access, user_id, request, step, workflow) for step in asked
    )
    found = []
    for user_id in tx.execute(people).scalars():
        if user_id != request.requester_id and user_id not in said and able(user_id):
            found.append(user_id)
            if len(found) == MOST_TOLD:
                break
    return found


def _tell(tx: Tx, request: Request, kind: str, whom: list[int], what: str, said: str) -> None:
    if not whom:
        return
    tell(
        tx,
        kind,
        whom,
        f"{request.kind.capitalize()} {shown(request.secret_ref, 80)} {what}",
        said,
        link=f"/console/secrets/requests/{request.uid}",
        organization_id=request.organization_id,
        collapse_key=f"{kind}:{request.uid}",
    )


events.subscribe("secret-request-notifications", TYPES, hear)
