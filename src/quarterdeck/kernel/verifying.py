"""Verifying the audit trail on request: a job, since it reads a whole chain. What it found stands in the trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from quarterdeck.kernel import audit, jobs
from quarterdeck.kernel.audit import Report
from quarterdeck.kernel.db import Tx

KIND = "audit.verify"
_HEAD = text(
    "SELECT s.position, e.ref FROM audit_seals s LEFT JOIN audit_events e ON e.id = s.event_id "
    "WHERE s.organization_id = :organization ORDER BY s.position DESC LIMIT 1"
)
_AT = text(
    "SELECT e.ref FROM audit_seals s JOIN audit_events e ON e.id = s.event_id "
    "WHERE s.organization_id = :organization AND s.position = :position"
)
_UNENDED = text(
    "SELECT id FROM jobs WHERE organization_id = :organization AND kind = :kind AND finished_at IS NULL LIMIT 1"
)
"""In the words of the small index of what has not ended."""


class VerifyingAction(audit.Action):
    VERIFIED = "audit.verified"


class Task(msgspec.Struct):
    """`by` is who asked."""

    organization_id: int
    by: str


class Proof(msgspec.Struct, frozen=True, rename="camel"):
    """What a verification says of one chain: up to which seal, its hash and its event, and how many findings."""

    position: int
    hash: str
    up_to: str | None
    findings: int
    first: str | None
    by: str


class Standing(msgspec.Struct, frozen=True):
    """The chain of an organization: its last sealed row, and the last proof with its time, and whether one is made."""

    position: int
    ref: str | None
    proof: Proof | None
    at: datetime | None
    running: bool


def ask(tx: Tx) -> jobs.Job:
    """Have the caller's chain verified; who asks while that waits or runs gets the same job."""
    organization_id = tx.principal.organization_id or 0
    waiting = _live(tx, organization_id)
    return (
        waiting[0]
        if waiting
        else jobs.enqueue(
            tx,
            jobs.Enqueue(
                KIND,
                Task(organization_id, tx.principal.label),
                organization_id,
                capabilities=frozenset({jobs.SERVER}),
                concurrency_key=f"{KIND}:{organization_id}",
            ),
        )
    )


def _live(tx: Tx, organization_id: int) -> list[jobs.Job]:
    found = tx.execute(_UNENDED, {"organization": organization_id, "kind": KIND}).scalars()
    return [jobs.get(tx, job_id) for job_id in found]


def standing(tx: Tx, organization_id: int) -> Standing:
    """How far the chain of an organization is sealed, and how far proved."""
    head = tx.execute(_HEAD, {"organization": organization_id}).first()
    found = audit.page(tx, organization_id=organization_id, action=VerifyingAction.VERIFIED, limit=1).events
    proof = msgspec.convert(found[0].detail, Proof) if found else None
    return Standing(
        position=head.position if head else 0,
        ref=head.ref if head else None,
        proof=proof,
        at=found[0].at if found else None,
        running=bool(_live(tx, organization_id)),
    )


def conclude(tx: Tx, task: Task, *reports: Report) -> Proof:
    """Write down what was found of one chain; what belongs to none counts for each."""
    head = next((one.heads[task.organization_id] for one in reports if task.organization_id in one.heads), None)
    found = [finding for one in reports for finding in one.findings]
    mine = [one for one in found if one.organization_id in {task.organization_id, 0}]
    mine.sort(key=lambda finding: finding.event_id)
    position = head.position if head else 0
    last = tx.execute(_AT, {"organization": task.organization_id, "position": position}).scalar()
    proof = Proof(
        position=position,
        hash=head.hash if head else "",
        up_to=last,
        findings=len(mine),
        first=mine[0].message if mine else None,
        by=task.by,
    )
    audit.record(
        tx,
        VerifyingAction.VERIFIED,
        resource_type="audit-chain",
        resource_id=str(position),
        organization_id=task.organization_id,
        outcome="failure" if mine else "success",
        detail=msgspec.to_builtins(proof),
    )
    return proof


@jobs.server_handlers.register(KIND)
async def run(context: jobs.JobContext, instance: Any) -> Proof:
    """Walk the chain, and that of what belongs to none, each in a unit of its own, and conclude."""
    task = context.read(Task)
    chains = sorted({0, task.organization_id})
    reports: list[Report] = [await instance.db.read(audit.verify_chain, one) for one in chains]
    proof: Proof = await instance.db.write(conclude, task, *reports)
    return proof


def _describe(_tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    return {job.id: _about(job) for job in some}


def _about(job: jobs.Job) -> jobs.About:
    proof = msgspec.json.decode(job.result, type=Proof) if job.result else None
    if proof is None or not proof.findings:
        return jobs.About(job.kind)
    return jobs.About(job.kind, came_to=("Altered", proof.first or ""))


jobs.kinds.register(
    jobs.JobKind(
        KIND,
        lease_seconds=600,
        backoff_seconds=60,
        capabilities=frozenset({jobs.SERVER}),
        work=jobs.Work("system", "Verify the audit trail", _describe),
    )
)
