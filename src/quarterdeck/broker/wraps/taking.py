"""Giving a value out: once, to the one that it is for, and in the same unit it is blanked.

The request is locked and looked at, the value opened, and one conditional update consumes it. Whatever fails rolls all
of it back: nothing burns.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from quarterdeck.broker.agents import keys as agent_keys
from quarterdeck.broker.agents.model import Agent
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.sealing import agreement
from quarterdeck.broker.sealing.agreement import Sealed
from quarterdeck.broker.sealing.keys import content_hash
from quarterdeck.broker.work import holding
from quarterdeck.broker.work.claiming import require_approved
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.transitions import CLAIMED
from quarterdeck.broker.wraps.actions import WrapAction, note
from quarterdeck.broker.wraps.keeping import opened
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Gone, NotFound, Problem
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.kernel.vault import Secret

RETRIEVABLE = ("approved", "executed")
REFUSALS = {
    "wrap_not_found": "not_found",
    "wrap_consumed": "already_consumed",
    "wrap_expired": "expired",
    "agent_key_missing": "no_key",
    "request_not_approved": "not_approved",
    "request_not_retrievable": "not_retrievable",
    "wrap_not_yours": "not_requester",
}


@dataclass(frozen=True, slots=True)
class Given:
    """A value that was given out; `sealed` where it is for an agent, else `value`."""

    wrap: Wrap
    request: Request
    content_hash: str
    sealed: Sealed | None = None
    value: Secret[bytes] | None = None


def for_agent(tx: Tx, worker: Worker, agent: Agent, owner: str, uid: str) -> Given:
    """A value of the job that a foreign agent holds, sealed to its key on file now.

    Raises `NotFound` (`wrap_not_found`) where it is of no job of this agent's, `Gone` (`wrap_consumed`,
    `wrap_expired`), `Conflict` (`request_not_approved`) where the job is not held or its request not approved any more,
    `Conflict` (`agent_key_missing`), and what the vault raises.
    """
    wrap, job, carried = _found(tx, uid)
    if job is None or job.worker_id != worker.id:
        raise _missing()
    request = _locked(tx, job)
    wrap = _again(tx, wrap)
    _require_standing(tx, wrap)
    require_approved(tx, request)
    if job.status != CLAIMED or not holding.runs_for(carried, owner):
        raise Conflict(
            "The job of this value is not held by this agent any more.",
            code="request_not_approved",
            hint="Claim it again; another agent may have it.",
        )
    key = agent_keys.of(agent)
    if key is None:
        raise Conflict(
            f"The agent {worker.name} has no public key on file.",
            code="agent_key_missing",
            hint="Register one by PUT /api/v1/agents/ID/public-key, then fetch the value.",
        )
    return _sealed(tx, request, wrap, worker.id, key)


def for_attempt(tx: Tx, job: BrokerJob, carried: Job, uid: str, key: bytes) -> Given:
    """A value of a job whose attempt an enrolled worker, or the server's own, runs: sealed to the key of the attempt.
    The caller holds the job. Raises as `for_agent`.
    """
    wrap = tx.first(select(Wrap).where(Wrap.uid == uid))
    if wrap is None or wrap.request_id != job.request_id or job.status != CLAIMED:
        raise _missing()
    request = _locked(tx, job)
    wrap = _again(tx, wrap)
    _require_standing(tx, wrap)
    require_approved(tx, request)
    worker = holding.holder(tx, carried)
    return _sealed(tx, request, wrap, worker.id if worker is not None else 0, key)


def for_requester(tx: Tx, request_uid: str, uid: str) -> Given:
    """A value that an agent delivered, for whoever asked for it; with the requester's own key what is given out is the
    text that only that opens.

    Raises `NotFound` (`wrap_not_found`) for another request or one that nothing is read by, `Forbidden`
    (`wrap_not_yours`), `Conflict` (`request_not_retrievable`), `Gone`, and what the vault raises.
    """
    query = select(Request).where(Request.uid == request_uid, Request.organization_id == tx.principal.acts_in)
    lock = query.with_for_update() if tx.dialect == "postgresql" else query
    request = tx.first(lock.execution_options(populate_existing=True))
    if request is None:
        raise _missing()
    if tx.principal.kind != "user" or request.requester_id != tx.principal.id:
        raise Forbidden(
            "Only whoever asked for a value may have it.", code="wrap_not_yours", hint="Submit a request of your own."
        )
    wrap = tx.first(select(Wrap).where(Wrap.uid == uid, Wrap.request_id == request.id, Wrap.direction == "out"))
    if wrap is None:
        raise _missing()
    wrap = _again(tx, wrap)
    _require_standing(tx, wrap)
    if request.status not in RETRIEVABLE:
        raise Conflict(
            f"The request is {request.status}; its values are not given out.",
            code="request_not_retrievable",
            hint="Submit another request.",
        )
    value = opened(tx, request, wrap)
    _consume(tx, request, wrap, user_id=tx.principal.id)
    return Given(wrap, request, content_hash(value.reveal()), value=value)


def note_refusal(tx: Tx, uid: str, problem: Problem) -> None:
    """Write down, in a unit of its own, that somebody wanted a value and did not get it."""
    kind = REFUSALS.get(problem.code)
    wrap = tx.first(select(Wrap).where(Wrap.uid == uid)) if kind is not None else None
    request = tx.get(Request, wrap.request_id) if wrap is not None else None
    if wrap is not None and request is not None and request.organization_id == tx.principal.organization_id:
        note(tx, wrap, request, WrapAction.RETRIEVED, "denied", error_kind=kind)


def _found(tx: Tx, uid: str) -> tuple[Wrap, BrokerJob | None, Job | None]:
    """The wrap, and the job of its request with its locks."""
    wrap = tx.first(select(Wrap).where(Wrap.uid == uid))
    request = tx.get(Request, wrap.request_id) if wrap is not None else None
    if wrap is None or request is None or request.organization_id != tx.principal.organization_id:
        raise _missing()
    return (wrap, *holding.of_request(tx, request))


def _locked(tx: Tx, job: BrokerJob) -> Request:
    request = holding.request_of(tx, job)
    if request is None:
        raise _missing()
    return request


def _again(tx: Tx, wrap: Wrap) -> Wrap:
    """The row as it is now that the request is locked."""
    tx.session.refresh(wrap)
    return wrap


def _require_standing(tx: Tx, wrap: Wrap) -> None:
    if wrap.consumed_at is not None:
        raise Gone(
            "The value was given out already.", code="wrap_consumed", hint="Each value is given out once: ask again."
        )
    if wrap.expires_at <= tx.now or wrap.sealed is None:
        raise Gone("The time of the value is over.", code="wrap_expired", hint="Submit another request.")


def _sealed(tx: Tx, request: Request, wrap: Wrap, agent_id: int, key: bytes) -> Given:
    value = opened(tx, request, wrap)
    made = agreement.seal(key, value.reveal(), tx.ids)
    _consume(tx, request, wrap, agent_id=agent_id)
    return Given(wrap, request, content_hash(value.reveal()), sealed=made)


def _consume(tx: Tx, request: Request, wrap: Wrap, *, agent_id: int | None = None, user_id: int | None = None) -> None:
    won = tx.execute(
        update(Wrap)
        .where(Wrap.id == wrap.id, Wrap.consumed_at.is_(None), Wrap.expires_at > tx.now, Wrap.sealed.is_not(None))
        .values(consumed_at=tx.now, consumed_by_agent_id=agent_id, consumed_by_user_id=user_id, sealed=None)
    )
    if not won.rowcount:  # type: ignore[attr-defined]  # an UPDATE has one
        tx.session.refresh(wrap)
        _require_standing(tx, wrap)
        raise Gone("The value was given out already.", code="wrap_consumed", hint="Ask again.")
    tx.session.refresh(wrap)
    note(tx, wrap, request, WrapAction.RETRIEVED, content_hash=wrap.digest)
    tx.flush()
    committing(tx, "broker.consume")


def _missing() -> NotFound:
    return NotFound("There is no such value.", code="wrap_not_found", hint="Look at the values of the request.")
