"""States by what they are of."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from quarterdeck.infra.execution.orders import RUNNER_JOBS
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states.model import State
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict

STREAM, OF_SPEC, OF_RUNNER = "infra-state:", "spec:", "runner:"


def subject_of_spec(spec: Spec) -> str:
    return f"{OF_SPEC}{spec.uid}"


def subject_of(tx: Tx, job: InfraJob) -> str:
    """`spec:<uid>`, or `runner:<uid>` of a job about a runner's stack. Raises `Conflict` for a job that has no state,
    or whose specification is gone.
    """
    if job.job_type in RUNNER_JOBS:
        runner = job.snapshot.get("worker_id") or job.snapshot.get("runner_id")
        if isinstance(runner, str) and runner:
            return f"{OF_RUNNER}{runner}"
    elif job.spec_id is not None:
        spec = tx.get(Spec, job.spec_id)
        if spec is not None:
            return subject_of_spec(spec)
    raise Conflict(
        f"The {job.job_type} job {job.uid} has no state.",
        code="state_of_nothing",
        hint="Its specification was deleted meanwhile, or it is of a type that works on none.",
    )


def find(tx: Tx, subject: str) -> State | None:
    """As it is now, whatever this unit has read before."""
    return tx.first(select(State).where(State.subject == subject).execution_options(populate_existing=True))


def standings(tx: Tx, some: Collection[Spec]) -> dict[int, tuple[int | None, str | None]]:
    """Serial and lineage of the states of many specs, by their row ids; one without a state is not there."""
    subjects = {subject_of_spec(spec): spec.id for spec in some}
    query = select(State.subject, State.serial, State.lineage).where(State.subject.in_(subjects))
    return {subjects[row.subject]: (row.serial, row.lineage) for row in tx.execute(query)}


def locked(tx: Tx, subject: str, organization_id: int) -> State:
    """The state, made where there is none yet, held until the unit ends. Taken last and briefly."""
    tx.lock(f"infra-state:{subject}")
    found = find(tx, subject)
    if found is not None:
        return found
    return tx.add(
        State(
            uid=tx.ids.uid(),
            organization_id=organization_id,
            subject=subject,
            version=0,
            resources=0,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )


def held(tx: Tx, subject: str) -> State | None:
    """The state, held until the unit ends, where there is one."""
    tx.lock(f"infra-state:{subject}")
    return find(tx, subject)


def exists(state: State | None) -> bool:
    """Whether there is a version that counts and was not removed."""
    return state is not None and state.serial is not None


def holds_resources(tx: Tx, spec: Spec) -> int:
    """How many resources Terraform manages for a specification, by its state."""
    found = find(tx, subject_of_spec(spec))
    return found.resources if found is not None else 0


def forget(tx: Tx, subject: str) -> None:
    """Remove a state with all its versions: what it is of goes, and whoever may has said so."""
    found = held(tx, subject)
    if found is not None:
        tx.session.delete(found)
        tx.flush()
