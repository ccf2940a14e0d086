"""Who may write a state: whoever holds its lock, which is one attempt of one job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import states
from quarterdeck.infra.states.actions import StateAction
from quarterdeck.infra.states.credentials import Attempt, running
from quarterdeck.infra.states.model import State
from quarterdeck.infra.work.happenings import stream
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import audit, events, jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.text import shown

FIELDS = ("Operation", "Info", "Who", "Version", "Created", "Path")
LONGEST, LONGEST_REASON = 500, 500
MOST_ROBBED = 50
LOST = "state_lock_lost"


class Locked(Conflict):
    """Somebody else holds the lock; `holder` is Terraform's own description of them, with its ID."""

    default_code = "state_locked"

    def __init__(self, holder: dict[str, Any]) -> None:
        who = holder.get("Who") or "somebody"
        super().__init__(
            f"The state is locked by {who}.",
            hint="Wait for the job that works on it, or take its lock away with a reason.",
        )
        self.holder = holder


def described(said: dict[str, Any]) -> dict[str, Any]:
    """What Terraform says of whoever locks, bounded. Raises `Invalid` (`state_lock_invalid`) without an ID."""
    name = said.get("ID")
    if not isinstance(name, str) or not 0 < len(name) <= 100 or storable(name) != name:
        raise Invalid(
            "A lock needs an ID.",
            code="state_lock_invalid",
            hint="Send the lock as Terraform describes it.",
            field="ID",
        )
    kept = {key: storable(said[key])[:LONGEST] for key in FIELDS if isinstance(said.get(key), str)}
    return {"ID": name, **kept}


def lock(tx: Tx, attempt: Attempt, said: dict[str, Any]) -> State:
    """Take the lock for an attempt. The same ID again is the same lock, whose answer got lost. A lock of an attempt
    that is over is taken over: its holder can write no more. Raises `Locked`, and `Conflict` (`state_lock_lost`) for an
    attempt whose lock was taken away: what it knows of the state is not what others have made of it since.
    """
    info = described(said)
    job = attempt.job
    state = states.locked(tx, states.subject_of(tx, job), job.organization_id)
    require_not_robbed(state, attempt)
    if state.lock_id is not None:
        if mine(state, attempt) and state.lock_id == info["ID"]:
            return state
        if mine(state, attempt) or lives(tx, state):
            raise Locked(dict(state.lock or {}))
        _taken_over(tx, state, job)
    state.lock_id, state.lock = info["ID"], info
    state.lock_job_id, state.lock_fence, state.locked_at = job.id, attempt.fence, tx.now
    tx.flush()
    committing(tx, "infra.state.lock")
    return state


def unlock(tx: Tx, attempt: Attempt, said: dict[str, Any]) -> None:
    """Let go of one's own lock; none at all is what was wanted. Raises `Conflict` (`state_lock_lost`) for that of
    somebody else.
    """
    job = attempt.job
    state = states.held(tx, states.subject_of(tx, job))
    if state is None or state.lock_id is None:
        return
    if not mine(state, attempt) or said.get("ID") != state.lock_id:
        raise lost(state)
    _free(tx, state)
    committing(tx, "infra.state.unlock")


def require(state: State, attempt: Attempt, lock_id: str | None) -> None:
    """Raise `Conflict` unless the attempt holds this lock, and was never robbed of one."""
    require_not_robbed(state, attempt)
    if not lock_id:
        raise Conflict(
            "A state is written only by whoever has locked it.",
            code="state_not_locked",
            hint="Configure lock_address and unlock_address of the backend, and do not use -lock=false.",
        )
    if state.lock_id != lock_id or not mine(state, attempt):
        raise lost(state)


def require_not_robbed(state: State, attempt: Attempt) -> None:
    """Raise `Conflict` (`state_lock_lost`) for an attempt whose lock was taken away: it is done with this state."""
    if [attempt.job.id, attempt.fence] in (state.robbed or ()):
        raise lost(state)


def mine(state: State, attempt: Attempt) -> bool:
    return (state.lock_job_id, state.lock_fence) == (attempt.job.id, attempt.fence)


def lost(state: State) -> Conflict:
    return Conflict(
        "This lock does not hold the state any more, so nothing was written."
        if state.lock_id is not None
        else "The lock of the state was taken away, so nothing was written.",
        code=LOST,
        hint="Look who took it and why in the history of the state; then plan again. What was made meanwhile may stand "
        "in no state.",
    )


def steal(tx: Tx, state: State, reason: str, lock_id: str | None = None) -> None:
    """Take the lock away from whoever holds it: that attempt neither writes nor locks from now on. Only this lock where
    one is named. Raises `Conflict` where there is none (`state_not_locked`) or another one (`state_lock_other`),
    `Invalid` without a reason.
    """
    told = reasoned(reason)
    if state.lock_id is None:
        raise Conflict("The state is not locked.", code="state_not_locked", hint="There is nothing to take away.")
    was = dict(state.lock or {})
    if lock_id is not None and lock_id != state.lock_id:
        purpose = f" for {was['Operation']}" if was.get("Operation") else ""
        raise Conflict(
            f"The state is locked by {was.get('Who') or 'somebody'}{purpose}, with the lock {state.lock_id}, not "
            f"{shown(lock_id, 100)}. It was not taken.",
            code="state_lock_other",
            hint="Look at who holds it now, and name that lock if it shall be taken away.",
        )
    state.robbed = [*(state.robbed or ()), [state.lock_job_id, state.lock_fence]][-MOST_ROBBED:]
    _free(tx, state)
    _tell(tx, state, StateAction.UNLOCKED, "infra-state-unlocked", {"reason": told, "holder": was})


def release(tx: Tx, job: InfraJob) -> None:
    """Let go of the lock of a job that has ended: Terraform may have been killed before it could."""
    try:
        subject = states.subject_of(tx, job)
    except Conflict:
        return
    state = states.held(tx, subject)
    if state is not None and state.lock_id is not None and state.lock_job_id == job.id:
        _free(tx, state)


def reasoned(reason: str) -> str:
    """Raises `Invalid` (`reason_required`)."""
    told = " ".join(str(storable(reason)).split())
    if not told or len(told) > LONGEST_REASON:
        raise Invalid(
            f"This needs a reason of at most {LONGEST_REASON} characters.",
            code="reason_required",
            hint="Say why; it stands in the audit trail and in the history of the state.",
            field="reason",
        )
    return told


def require_free(tx: Tx, state: State) -> None:
    """Raise `Locked` while somebody works on the state. A lock that an attempt has left behind stands in nobody's
    way.
    """
    if state.lock_id is not None and lives(tx, state):
        raise Locked(dict(state.lock or {}))
    if state.lock_id is not None:
        _free(tx, state)


def lives(tx: Tx, state: State) -> bool:
    """Whether the attempt that has taken the lock still runs."""
    holder = tx.get(InfraJob, state.lock_job_id) if state.lock_job_id is not None else None
    return holder is not None and running(tx, holder) == state.lock_fence


def left(tx: Tx, most: int) -> list[tuple[State, Spec]]:
    """Locked states of the caller's organization whose attempt is over: nobody writes, and nobody lets go."""
    locked = (State.organization_id == tx.principal.acts_in, State.lock_id.is_not(None))
    of_spec = Spec.uid == func.substr(State.subject, len(states.OF_SPEC) + 1)
    query = select(State, Spec).join(Spec, of_spec).where(*locked, State.subject.startswith(states.OF_SPEC))
    rows = [(state, spec) for state, spec in tx.session.execute(query.order_by(State.id).limit(most))]
    held = _held(tx, [state for state, _ in rows])
    return [(state, spec) for state, spec in rows if (state.lock_job_id, state.lock_fence) not in held]


def _held(tx: Tx, some: Sequence[State]) -> set[tuple[int | None, int | None]]:
    """The attempts that run now, as job and fence, of the jobs that have locked some states."""
    query = select(InfraJob.id, InfraJob.uid, InfraJob.ledger_id)
    rows = tx.execute(query.where(InfraJob.id.in_({one.lock_job_id for one in some}))).all()
    if not rows:
        return set()
    wanted = jobs.Filter(
        organization_id=tx.principal.acts_in,
        subjects=tuple(stream(uid) for _, uid, _ in rows),
        states=(jobs.State.RUNNING,),
        limit=len(rows),
    )
    fences = {one.id: one.fence for one in jobs.list_jobs(tx, wanted)}
    return {(number, fences[ledger]) for number, _, ledger in rows if ledger in fences}


def _taken_over(tx: Tx, state: State, job: InfraJob) -> None:
    told = {"holder": dict(state.lock or {}), "job": job.uid}
    _tell(tx, state, StateAction.LOCK_TAKEN_OVER, "infra-state-lock-taken-over", told)


def _free(tx: Tx, state: State) -> None:
    state.lock_id = state.lock = state.lock_job_id = state.lock_fence = state.locked_at = None
    tx.flush()


def _tell(tx: Tx, state: State, action: StateAction, word: str, data: dict[str, Any]) -> None:
    audit.record(
        tx,
        action,
        resource_type="infra-state",
        resource_id=state.subject,
        organization_id=state.organization_id,
        detail=data,
    )
    events.append(tx, f"{states.STREAM}{state.uid}", word, data, organization_id=state.organization_id)
