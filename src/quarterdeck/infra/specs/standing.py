"""Jobs of a spec that have not ended."""

from __future__ import annotations

from sqlalchemy import func, select

from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx


def live_jobs(tx: Tx, spec: Spec) -> int:
    """How many there are, looks for drift included."""
    query = select(func.count()).select_from(InfraJob)
    return int(tx.execute(query.where(InfraJob.spec_id == spec.id, InfraJob.completed_at.is_(None))).scalar_one())
