"""What Terraform's `http` backend asks of a state: read it, write it, remove it (contract: infra §3.3)."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.infra.states import locks, states
from quarterdeck.infra.states.contents import Contents, Draft
from quarterdeck.infra.states.credentials import Attempt
from quarterdeck.infra.states.model import State, StateVersion
from quarterdeck.infra.work.types import CHANGERS
from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, NotFound
from quarterdeck.kernel.faults import committing

WRITE, REMOVED = "write", "removed"


def read(tx: Tx, attempt: Attempt) -> StateVersion:
    """The version that counts. Raises `NotFound` (`state_not_found`) where there is none."""
    state = states.find(tx, states.subject_of(tx, attempt.job))
    if state is None or not states.exists(state):
        raise NotFound("There is no state yet.", code="state_not_found", hint="The first apply writes one.")
    return version(tx, state, state.version)


def version(tx: Tx, state: State, number: int) -> StateVersion:
    """Raises `NotFound`."""
    return tx.one(
        select(StateVersion).where(StateVersion.state_id == state.id, StateVersion.number == number),
        what=f"version {number} of this state",
        code="state_version_not_found",
    )


def require_may_write(attempt: Attempt) -> None:
    """Raise `Forbidden` for a job that only looks: a plan writes no state."""
    job = attempt.job
    if job.job_type not in CHANGERS or job.read_only:
        raise Forbidden(
            f"A {job.job_type} job reads the state and writes none.",
            code="state_read_only",
            hint="States are written by jobs that apply or destroy.",
        )


def write(tx: Tx, attempt: Attempt, lock_id: str | None, draft: Draft) -> State:
    """Keep a state that the attempt's Terraform writes. The same once more changes nothing. Raises `Conflict`:
    `state_not_locked`, `state_lock_lost`, `state_serial_behind`, `state_lineage_changed`.
    """
    require_may_write(attempt)
    job = attempt.job
    state = states.locked(tx, states.subject_of(tx, job), job.organization_id)
    locks.require(state, attempt, lock_id)
    if not follows(tx, state, draft.contents):
        return state
    keep(tx, state, draft, WRITE, job_id=job.id)
    committing(tx, "infra.state.write")
    return state


def follows(tx: Tx, state: State, new: Contents) -> bool:
    """Whether these contents may become the next version; False where they are the one that counts already. Raises
    `Conflict`.
    """
    if not states.exists(state):
        return True
    assert state.serial is not None  # noqa: S101 - it exists
    if new.lineage != state.lineage:
        raise Conflict(
            f"This state has the lineage {new.lineage}, the one kept here {state.lineage}: they are of different "
            "origins, and what the one manages is unknown to the other.",
            code="state_lineage_changed",
            hint="Use the state that is kept here. To begin anew, destroy what it manages first.",
        )
    same = new.sha256 == version(tx, state, state.version).sha256
    if new.serial == state.serial and same:
        return False
    if new.serial <= state.serial:
        raise Conflict(
            f"This state has the serial {new.serial}, the one kept here {state.serial} already.",
            code="state_serial_behind",
            hint="Somebody else has written meanwhile. Pull the state that is kept here, and plan again.",
        )
    return True


def keep(
    tx: Tx,
    state: State,
    draft: Draft,
    cause: str,
    *,
    reason: str | None = None,
    job_id: int | None = None,
    author_id: int | None = None,
) -> StateVersion:
    """Make a draft the version that counts. The unit holds the state."""
    contents = draft.contents
    made = tx.add(
        StateVersion(
            uid=draft.uid,
            state_id=state.id,
            number=state.version + 1,
            serial=contents.serial,
            lineage=contents.lineage,
            sha256=contents.sha256,
            size=contents.size,
            resources=contents.resources,
            sealed=draft.sealed,
            cause=cause,
            reason=reason,
            job_id=job_id,
            author_id=author_id,
            created_at=tx.now,
        )
    )
    state.version, state.updated_at = made.number, tx.now
    state.serial, state.lineage, state.resources = contents.serial, contents.lineage, contents.resources
    state.addresses = list(contents.addresses)
    tx.flush()
    _told(tx, state, made)
    return made


def remove(tx: Tx, attempt: Attempt) -> None:
    """Say that there is no state any more; earlier versions stay. Raises `Conflict` while it names resources, or
    somebody else has locked it.
    """
    require_may_write(attempt)
    job = attempt.job
    state = states.held(tx, states.subject_of(tx, job))
    if state is None or not states.exists(state):
        return
    locks.require_not_robbed(state, attempt)
    if state.lock_id is not None and not locks.mine(state, attempt):
        raise locks.Locked(dict(state.lock or {}))
    if state.resources:
        raise Conflict(
            f"The state still names {state.resources} resources.",
            code="state_not_empty",
            hint="Destroy them first: without its state Terraform would not know them any more.",
        )
    last = version(tx, state, state.version)
    made = tx.add(
        StateVersion(
            uid=tx.ids.uid(),
            state_id=state.id,
            number=state.version + 1,
            serial=last.serial,
            lineage=last.lineage,
            sha256="",
            size=0,
            resources=0,
            sealed="",
            cause=REMOVED,
            job_id=job.id,
            created_at=tx.now,
        )
    )
    state.version, state.updated_at = made.number, tx.now
    state.serial = state.lineage = None
    state.resources, state.addresses = 0, []
    tx.flush()
    _told(tx, state, made)


def _told(tx: Tx, state: State, made: StateVersion) -> None:
    data = {"subject": state.subject, "version": made.number, "serial": made.serial, "cause": made.cause}
    events.append(tx, f"{states.STREAM}{state.uid}", "infra-state-written", data, organization_id=state.organization_id)
