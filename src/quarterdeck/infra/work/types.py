"""The types of infrastructure jobs, by both generations of their names (contract: infra §0, §4.4)."""

from __future__ import annotations

from quarterdeck.infra.execution.orders import CLOUD_JOBS, RUNNER_JOBS, SPEC_JOBS
from quarterdeck.infra.work.model import InfraJob

PLAN, DEPLOY, DESTROY = "PLAN", "DEPLOY", "DESTROY"
DEPLOY_WORKER, UPDATE_WORKER, DESTROY_WORKER = "DEPLOY_WORKER", "UPDATE_WORKER", "DESTROY_WORKER"
CONNECTION_TEST, FETCH_RESOURCES = "CONNECTION_TEST", "FETCH_RESOURCES"
ASKED_FOR = (DEPLOY, DESTROY, PLAN, DESTROY_WORKER)
"""What a person queues by itself; the others come of what is done to runners and cloud identities."""
EVERY = SPEC_JOBS | RUNNER_JOBS | CLOUD_JOBS
CHANGERS = frozenset({DEPLOY, DESTROY}) | RUNNER_JOBS
"""Jobs that change what stands somewhere."""
PLANNED_BY = "plan_job_id"
"""In the snapshot of an apply: whose plan it applies."""
HARMLESS_STAGES = frozenset({"prepare", "init", "plan", "upload", "download"})
"""Phases of a running attempt in which nothing has been changed yet."""


def canonical(job_type: str) -> str:
    """`DESTROY_RUNNER` as `DESTROY_WORKER`; anything else as it is."""
    head, _, thing = job_type.rpartition("_")
    return f"{head}_WORKER" if thing == "RUNNER" and f"{head}_WORKER" in RUNNER_JOBS else job_type


def newer(job_type: str) -> str:
    """`DESTROY_WORKER` as programs of the newer generation call it."""
    return f"{job_type.removesuffix('WORKER')}RUNNER" if job_type in RUNNER_JOBS else job_type


def may_have_changed(job: InfraJob) -> bool:
    """Whether its running attempt may have begun to change something. A foreign runner says no stage that could be
    relied upon: of it this is so from its first report on.
    """
    return job.job_type in CHANGERS and job.started_at is not None and job.stage not in HARMLESS_STAGES
