"""A job as programs of both generations read it (contract: infra §4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.naming import named
from quarterdeck.infra.work.transitions import QUEUED
from quarterdeck.infra.work.types import newer
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.surfaces.infra.wire import jobs as wire

LISTED = 16 << 10
"""Bytes of metadata that a list shows of each job; what is longer stands in the job itself."""
LONG = ("plan_result", "cost_breakdown", "cached_resources", "outputs", "late_report")


def at(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)


def shape(tx: Tx, job: InfraJob, *, runner_words: bool = False) -> wire.Job:
    """One job. `runner_words`: its type as programs of the newer generation call it (`DESTROY_RUNNER`)."""
    return shapes(tx, [job], runner_words=runner_words)[0]


def shapes(tx: Tx, some: Sequence[InfraJob], *, runner_words: bool = False, listed: bool = False) -> list[wire.Job]:
    """Many jobs at once; `listed` ones without what is long in their metadata."""
    names = named(tx, some)
    made = []
    for job in some:
        worker, assigned = names.workers.get(job.worker_id or 0), names.workers.get(job.assigned_worker_id or 0)
        zone, spec = names.zones.get(job.zone_id or 0), names.specs.get(job.spec_id or 0)
        spec_name = names.spec_names.get(job.spec_id or 0)
        worker_name = names.worker_names.get(job.worker_id or 0) or job.worker_name
        made.append(
            wire.Job(
                id=job.uid,
                user_id=names.users.get(job.owner_id),
                org_id=names.organizations.get(job.organization_id),
                zone_id=zone,
                vineyard_id=zone,
                spec_id=spec,
                configuration_id=spec,
                cloud_identity_id=names.identities.get(job.cloud_identity_id or 0),
                job_type=newer(job.job_type) if runner_words else job.job_type,
                config_snapshot=job.snapshot,
                configuration_hash=job.configuration_hash,
                status=job.status,
                worker_id=worker,
                runner_id=worker,
                assigned_worker_id=assigned,
                assigned_runner_id=assigned,
                plan_job_id=names.jobs.get(job.plan_job_id or 0),
                rerun_of_id=names.jobs.get(job.rerun_of_id or 0),
                claimed_at=at(job.claimed_at),
                started_at=at(job.started_at),
                completed_at=at(job.completed_at),
                error_code=job.error_code,
                error_message=job.error_message,
                execution_metadata=short(job.execution_metadata) if listed else job.execution_metadata,
                orphan_risk=job.orphan_risk,
                read_only=job.read_only,
                attempts=job.attempts,
                stage=job.stage,
                waits_for=None if job.status != QUEUED else "approval" if job.ledger_id is None else "runner",
                created_at=wire_time(job.created_at),
                updated_at=wire_time(job.updated_at),
                spec_name=spec_name,
                vine_name=spec_name,
                worker_name=worker_name,
                runner_name=worker_name,
            )
        )
    return made


def short(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata as a list shows it."""
    if not metadata or len(msgspec.json.encode(metadata)) <= LISTED:
        return dict(metadata)
    kept = {name: value for name, value in metadata.items() if name not in LONG}
    if len(msgspec.json.encode(kept)) > LISTED:
        kept = {name: value for name, value in kept.items() if not isinstance(value, dict | list)}
    return {**kept, "truncated": True}
