"""Agreeing to a request, or refusing it (contract: broker §4.4)."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.broker.requests import ending, expiring, finding, judging, proceeding
from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.finding import APPROVE
from quarterdeck.broker.requests.happenings import audited, happened
from quarterdeck.broker.requests.judging import AGREED, REFUSED, Progress
from quarterdeck.broker.requests.model import Request, Vote
from quarterdeck.broker.requests.transitions import PENDING, REJECTED, wrong
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.workflows.steps import steps
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.text import lines

LONGEST = 2000


def approve(tx: Tx, access: Access, uid: str, comment: str | None = None) -> Request:
    """Agree to a request in the step that it is at; the last one who agrees sets it off.

    Raises `NotFound`, `Forbidden` (`approval_own`, `approval_not_yours`), `Conflict` (`request_not_pending`,
    `already_voted`, `request_expired`).
    """
    request, workflow = _open(tx, access, uid)
    before = judging.progress(tx, access, request, workflow)
    step = before.current
    if not judging.may(tx, access, tx.principal.id, request, steps(workflow)[step], workflow):
        raise Forbidden(
            f"The step {steps(workflow)[step].name!r} of this request is decided by others.",
            code="approval_not_yours",
            hint="Ask somebody who has the role that this step names.",
        )
    _keep(tx, request, AGREED, step, comment)
    after = judging.progress(tx, access, request, workflow)
    audited(
        tx,
        request,
        RequestAction.APPROVE,
        approves=after.given,
        required=after.required,
        became_approved=after.complete,
        step=steps(workflow)[step].name,
        revision=request.revision,
    )
    if after.complete:
        proceeding.approved(tx, request, workflow, f"{tx.principal.label} has agreed, as the last one.")
    else:
        happened(tx, request, "vote", _said(tx, after), given=after.given, required=after.required)
    committing(tx, "broker.vote")
    return request


def reject(tx: Tx, access: Access, uid: str, reason: str) -> Request:
    """Say no, which ends it. Raises as `approve` does, and `Invalid` without a reason."""
    if not reason.strip():
        raise Invalid("A refusal needs a reason.", code="reason_required", hint="Say why.", field="reason")
    request, workflow = _open(tx, access, uid)
    step = judging.progress(tx, access, request, workflow).current
    said = lines(reason, "reason", LONGEST)
    _keep(tx, request, REFUSED, step, said)
    request.reject_reason = said
    audited(tx, request, RequestAction.REJECT, reason=said, step=steps(workflow)[step].name)
    ending.end(tx, request, REJECTED, f"{tx.principal.label} has refused it: {said}")
    return request


def own() -> Forbidden:
    return Forbidden(
        "Nobody decides what they have asked for themselves.",
        code="approval_own",
        hint="Ask somebody else who may approve it.",
    )


def _open(tx: Tx, access: Access, uid: str) -> tuple[Request, Workflow]:
    """The request while it waits to be decided, and its workflow, held until the unit ends."""
    request = finding.locked(tx, access, uid)
    workflow = tx.get(Workflow, request.workflow_id)
    assert workflow is not None  # noqa: S101 - a foreign key holds it
    if request.requester_id == tx.principal.id and not workflow.allow_self_approval:
        raise own()
    access.require(tx.principal, APPROVE, finding.place(tx, request))
    if tx.principal.kind != "user":
        raise Forbidden("Only people decide requests.", code="approval_not_yours", hint="Sign in.")
    if request.status == PENDING and any(
        one.approver_id == tx.principal.id and one.revision == request.revision for one in judging.votes(tx, request)
    ):
        raise Conflict("You have said what you think of it.", code="already_voted", hint="Let others decide.")
    if request.status != PENDING:
        raise wrong(request)
    expiring.require_time(tx, request)
    return request, workflow


def _keep(tx: Tx, request: Request, decision: str, step: int, comment: str | None) -> None:
    tx.add(
        Vote(
            uid=tx.ids.uid(),
            request_id=request.id,
            revision=request.revision,
            step=step,
            approver_id=tx.principal.id,
            decision=decision,
            comment=lines(comment, "comment", LONGEST) or None if comment else None,
            created_at=tx.now,
        )
    )
    request.updated_at = tx.now
    tx.flush()


def _said(tx: Tx, after: Progress) -> str:
    label = tx.principal.label
    if after.lonely:
        return f"{label} has agreed; nobody decides alone what they have asked for."
    return f"{label} has agreed: {after.given} of {after.required}."
