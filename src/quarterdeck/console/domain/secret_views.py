"""Requests for secrets as rows, and one of them with its steps, what was said of it, and what waits to be fetched."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.access import Access
from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.gitops import observing
from quarterdeck.broker.requests import deciders, ending, expiring, finding, inbox, judging, naming
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import ENDED, FAILED, LIVE, PENDING, READ, REJECTED
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.wraps import keeping
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.broker.wraps.taking import RETRIEVABLE
from quarterdeck.console.domain import secret_trail
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.secrets import (
    PROVIDERS,
    RequestRow,
    RequestView,
    Rollout,
    StepView,
    ValueRow,
    VoteView,
)
from quarterdeck.console.views.shell import Note
from quarterdeck.console.words import took
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.model import Project

GONE = "somebody who is gone"


def rows(tx: Tx, access: Access, found: Sequence[Request]) -> tuple[RequestRow, ...]:
    people = naming.people(tx, {one.requester_id for one in found})
    return tuple(_row(tx, access, one, people.get(one.requester_id, ("", GONE))[1]) for one in found)


def _row(tx: Tx, access: Access, one: Request, by: str) -> RequestRow:
    waits = one.status == PENDING and not expiring.over(tx, one) and inbox.decides(tx, access, one)
    status = "expired" if expiring.over(tx, one) else one.status
    return RequestRow(
        uid=one.uid,
        kind=one.kind,
        ref=one.secret_ref,
        provider=PROVIDERS.get(one.provider_type, one.provider_type),
        keys=len(one.keys),
        state=("secret-request", status, "voter" if waits else None),
        by=by,
        at=one.created_at,
        place=place_of(tx, one),
        production=one.production,
        until=one.expires_at if status in LIVE else None,
        emergency=one.break_glass,
        unreviewed=one.break_glass and one.reviewed_at is None,
        mine=one.requester_id == tx.principal.id,
        note=one.on_behalf or "",
    )


def place_of(tx: Tx, request: Request) -> str:
    project = tx.get(Project, request.project_id) if request.project_id is not None else None
    return " / ".join(filter(None, (project.name if project is not None else "", request.environment_name or "")))


def view(tx: Tx, access: Access, request: Request) -> RequestView:
    row = rows(tx, access, [request])[0]
    workflow = tx.get(Workflow, request.workflow_id)
    assert workflow is not None  # noqa: S101 - a foreign key holds it
    job = tx.get(BrokerJob, request.job_id) if request.job_id is not None else None
    mine = row.mine and tx.principal.kind == "user"
    live = row.state[1] in LIVE
    waits = request.status == PENDING and live
    values = tuple(_value(tx, request, one) for one in keeping.of(tx, request, "out")) if mine else ()
    told = request.explanation.get("sentence")
    return RequestView(
        row=row,
        reason=request.justification,
        keys=tuple(str(key) for key in request.keys),
        why=str(told) if told else "",
        steps=steps_of(tx, access, request, workflow, names=waits),
        votes=_votes(tx, request, workflow),
        timeline=secret_trail.timeline(tx, request, row, values),
        values=values,
        rollouts=tuple(
            Rollout(one.application_name, ("broker-job", one.state, None), one.last_error or "")
            for one in observing.of_request(tx, request)
        ),
        facts=tuple(_facts(tx, request, workflow, job)),
        revision=request.revision,
        open=waits,
        why_not=_why_not(tx, access, request, workflow) if waits else "",
        may_cancel=mine and live and not ending.in_progress(tx, request),
        may_edit=mine and waits,
        may_review=row.unreviewed and not mine and access.decide(
            tx.principal, finding.APPROVE, finding.place(tx, request)
        ).allowed,
        error=_error(request, job),
        recipient=request.recipient_key or "",
        agent=job.worker_name or "" if job is not None else "",
    )  # fmt: skip


def steps_of(
    tx: Tx, access: Access, request: Request, workflow: Workflow, *, names: bool = False
) -> tuple[StepView, ...]:
    """With `names` of people who may decide the step that is asked now."""
    found = judging.progress(tx, access, request, workflow)
    shown = []
    for number, stand in enumerate(found.stands):
        people: list[str] = []
        if names and number == found.current:
            without = 0 if workflow.allow_self_approval else request.requester_id
            people = deciders.named(tx, access, finding.place(tx, request), stand.step, without=without)
        shown.append(
            StepView(
                stand.step.name,
                max(1, stand.step.approvers),
                len(stand.given),
                deciders.role(tx, stand.step),
                tuple(people),
            )
        )
    return tuple(shown)


def _votes(tx: Tx, request: Request, workflow: Workflow) -> tuple[VoteView, ...]:
    said = judging.votes(tx, request)
    people = naming.people(tx, {one.approver_id for one in said})
    names = [str(one["name"]) for one in workflow.steps]
    return tuple(
        VoteView(
            people.get(one.approver_id, ("", GONE))[1],
            one.decision == judging.AGREED,
            one.comment or "",
            one.created_at,
            names[one.step] if one.step < len(names) and len(names) > 1 else "",
            one.revision == request.revision,
        )
        for one in said
    )


def _why_not(tx: Tx, access: Access, request: Request, workflow: Workflow) -> str:
    """Why the reader may not decide it; empty where they may."""
    if request.requester_id == tx.principal.id and not workflow.allow_self_approval:
        return "You have asked for it, so others decide."
    if not access.decide(tx.principal, finding.APPROVE, finding.place(tx, request)).allowed:
        return "You may not decide this request."
    said = {(one.approver_id, one.revision) for one in judging.votes(tx, request)}
    if (tx.principal.id, request.revision) in said:
        return "You have said what you think of it."
    if not inbox.decides(tx, access, request):
        return "The step that it is at is decided by others."
    return ""


def _value(tx: Tx, request: Request, one: Wrap) -> ValueRow:
    over = one.expires_at <= tx.now or one.sealed is None
    ready = one.consumed_at is None and not over and request.status in RETRIEVABLE
    word = "consumed" if one.consumed_at is not None else "expired" if over else "sealed"
    return ValueRow(
        one.uid,
        one.key_name,
        ("sealed-value", word, "requester" if ready else None),
        one.expires_at,
        ready,
        one.recipient,
        one.byte_length,
    )


def _facts(tx: Tx, request: Request, workflow: Workflow, job: BrokerJob | None) -> list[Fact]:
    connection = tx.get(Connection, request.connection_id) if request.connection_id is not None else None
    kept = PROVIDERS.get(request.provider_type, request.provider_type)
    facts = [
        Fact("Kept in", f"{connection.name}, {kept}" if connection is not None else f"{kept}, as its agent knows it"),
        Fact("Workflow", workflow.name),
    ]
    policy = request.explanation.get("policy_name")
    if policy:
        facts.append(Fact("Rule", str(policy)))
    if request.rotation:
        facts.append(
            Fact("Made of", f"{request.rotation.get('length')} characters, {request.rotation.get('alphabet')}")
        )
    if request.on_behalf:
        facts.append(Fact("On behalf of", request.on_behalf))
    if workflow.grant_seconds and request.kind == READ:
        facts.append(Fact("Good for", f"{took(workflow.grant_seconds)} of asking again"))
    if request.revision > 1:
        facts.append(Fact("Changed", f"{request.revision - 1} times" if request.revision > 2 else "once"))
    if job is not None and job.worker_name:
        facts.append(Fact("Carried by", job.worker_name))
    facts.append(Fact("Request", request.uid, code=True))
    return facts


def _error(request: Request, job: BrokerJob | None) -> Note | None:
    if request.status == FAILED:
        told = request.error_message or (job.error_message if job is not None else None) or "It could not be done."
        return Note("bad", told, "Nothing more happens to it. Ask again once the cause is mended.")
    if request.status == REJECTED:
        return Note("bad", "It was refused.", request.reject_reason or "")
    if request.status not in ENDED and job is not None and job.error_message:
        return Note("warn", job.error_message, "It is tried again.")
    return None
