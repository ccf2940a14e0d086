"""What stands of a spec: resources in its state, and jobs that have not ended."""

from __future__ import annotations

from sqlalchemy import func, select

from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states.model import State
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx


def resources(tx: Tx, spec: Spec) -> int:
    """How many resources its state holds."""
    held = tx.execute(select(State.resources).where(State.subject == f"spec:{spec.uid}")).scalar()
    return int(held or 0)


def live_jobs(tx: Tx, spec: Spec) -> int:
    """How many of its jobs have not ended, looks for drift included."""
    query = select(func.count()).select_from(InfraJob)
    return int(tx.execute(query.where(InfraJob.spec_id == spec.id, InfraJob.completed_at.is_(None))).scalar_one())
