"""What people do with the states of specifications: look at versions, go back to one, push one, take a lock away."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import backend, locks, states
from quarterdeck.infra.states.actions import StateAction
from quarterdeck.infra.states.contents import Draft
from quarterdeck.infra.states.model import State, StateVersion
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound

ROLLBACK, PUSH = "rollback", "push"


def of(tx: Tx, spec: Spec) -> State:
    """Raises `NotFound` (`state_not_found`) for a specification that nothing was ever kept of."""
    state = states.find(tx, states.subject_of_spec(spec))
    if state is None:
        raise NotFound(
            f"{spec.project_name} has no state yet.", code="state_not_found", hint="The first apply writes one."
        )
    return state


def page(tx: Tx, state: State, before: int | None, limit: int) -> Sequence[StateVersion]:
    """Newest first, below the number `before`; what is sealed stays where it is."""
    query = select(StateVersion).where(StateVersion.state_id == state.id)
    if before is not None:
        query = query.where(StateVersion.number < before)
    columns = [column for column in StateVersion.__table__.columns if column.name != "sealed"]
    rows = tx.execute(query.with_only_columns(*columns).order_by(StateVersion.number.desc()).limit(limit))
    return [StateVersion(**row) for row in rows.mappings()]


def found(tx: Tx, spec: Spec, number: int | None) -> StateVersion:
    """A version that has contents; without a number the one that counts. Raises `NotFound`."""
    state = of(tx, spec)
    version = backend.version(tx, state, state.version if number is None else number)
    if not version.sealed:
        raise NotFound(
            f"Version {version.number} says that the state was removed: it has no contents.",
            code="state_version_not_found",
            hint="Look at the version before it.",
        )
    return version


def read(tx: Tx, spec: Spec, number: int | None) -> StateVersion:
    """As `found`, for whoever is shown what is in it: states hold secrets, so that is written down first."""
    version = found(tx, spec, number)
    audited(tx, spec, StateAction.READ, version=version.number)
    return version


def roll_back(tx: Tx, spec: Spec, number: int, reason: str, renumbered: Draft) -> StateVersion:
    """Make the contents of an earlier version count again, under a higher serial: what was planned since fits no more.
    `renumbered` is that version under the serial after the one that counts. Raises `Conflict`: `state_locked`,
    `state_rollback_same`, `state_lineage_changed`, and `state_serial_behind` where somebody wrote meanwhile.
    """
    told = locks.reasoned(reason)
    state = _free(tx, spec)
    chosen = backend.version(tx, state, number)
    require_other(state, chosen)
    if states.exists(state) and chosen.lineage != state.lineage:
        raise Conflict(
            f"Version {number} has the lineage {chosen.lineage}, the one that counts {state.lineage}.",
            code="state_lineage_changed",
            hint="A version of another origin knows nothing of what stands now.",
        )
    if renumbered.contents.serial <= (state.serial or 0):
        raise Conflict(
            "Somebody has written the state meanwhile.",
            code="state_serial_behind",
            hint="Look at what is there now, then roll back if it is still wanted.",
        )
    kept = backend.keep(tx, state, renumbered, ROLLBACK, reason=told, author_id=tx.principal.id)
    audited(tx, spec, StateAction.ROLLED_BACK, reason=told, to=number, version=kept.number)
    return kept


def require_other(state: State, chosen: StateVersion) -> None:
    """Raise `Conflict` (`state_rollback_same`) for the version that counts already."""
    if chosen.number == state.version:
        raise Conflict(
            f"Version {chosen.number} is the one that counts.",
            code="state_rollback_same",
            hint="Choose an earlier one.",
        )


def push(tx: Tx, spec: Spec, reason: str, draft: Draft) -> StateVersion:
    """Replace the state by one that somebody sends, by the rules of every other write. Raises `Conflict`."""
    told = locks.reasoned(reason)
    state = states.locked(tx, states.subject_of_spec(spec), spec.organization_id)
    locks.require_free(tx, state)
    if not backend.follows(tx, state, draft.contents):
        raise Conflict(
            "This is the state that is kept already.", code="state_push_same", hint="There is nothing to push."
        )
    kept = backend.keep(tx, state, draft, PUSH, reason=told, author_id=tx.principal.id)
    audited(tx, spec, StateAction.PUSHED, reason=told, version=kept.number, serial=kept.serial)
    return kept


def unlock(tx: Tx, spec: Spec, reason: str, lock_id: str | None = None) -> State:
    """Take the lock away from whoever holds it. Raises what `locks.steal` does, and `NotFound`."""
    of(tx, spec)
    state = states.held(tx, states.subject_of_spec(spec))
    assert state is not None  # noqa: S101 - it was there, and states go with their specifications alone
    locks.steal(tx, state, reason, lock_id)
    return state


def _free(tx: Tx, spec: Spec) -> State:
    of(tx, spec)
    state = states.locked(tx, states.subject_of_spec(spec), spec.organization_id)
    locks.require_free(tx, state)
    return state


def audited(tx: Tx, spec: Spec, action: StateAction, **detail: object) -> None:
    audit.record(
        tx,
        action,
        resource_type="infra-state",
        resource_id=states.subject_of_spec(spec),
        organization_id=spec.organization_id,
        detail=detail,
    )
