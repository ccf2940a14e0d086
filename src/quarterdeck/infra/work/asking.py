"""What somebody asks for when they ask for an infrastructure job."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from quarterdeck.access import Access
from quarterdeck.infra.execution.orders import RUNNER_JOBS, SPEC_JOBS
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import ASKED_FOR, DEPLOY, DESTROY, EVERY, PLAN
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid

PERMISSIONS = {PLAN: "infra:jobs.plan", DEPLOY: "infra:jobs.apply", DESTROY: "infra:jobs.destroy"}
VIEW = "infra:jobs.view"
RUNNERS, CLOUDS = "infra:runners.manage", "infra:clouds.manage"


class Asked(Struct, frozen=True, kw_only=True):
    """Everything by its uid. `runner_uid` is the runner that a job of a runner's stack is about, `options` what its
    snapshot holds then, or that of a job about a cloud identity; `read_only` is a look for drift. `rerun_of` is the job
    that is done once more.
    """

    job_type: str
    spec: Spec | None = None
    zone_uid: str | None = None
    cloud_identity_uid: str | None = None
    assigned_worker_uid: str | None = None
    plan_job_uid: str | None = None
    runner_uid: str | None = None
    read_only: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    rerun_of: InfraJob | None = None


def permission(job_type: str) -> str:
    """What a caller has to be allowed to ask for a job of this type."""
    return PERMISSIONS.get(job_type) or (RUNNERS if job_type in RUNNER_JOBS else CLOUDS)


def require_allowed(tx: Tx, access: Access, job_type: str) -> None:
    """Raise `Forbidden` for a caller who may not ask for this."""
    access.load(tx)
    access.require(tx.principal, permission(job_type))


def require_view(tx: Tx, access: Access) -> None:
    """Raise `Forbidden` for a caller who may see no jobs."""
    access.load(tx)
    access.require(tx.principal, VIEW)


def check(asked: Asked) -> None:
    """Raise `Invalid` for a type that there is not, or that lacks what it is about."""
    if asked.job_type not in EVERY:
        raise unknown_type()
    if asked.job_type in SPEC_JOBS and asked.spec is None:
        raise missing_spec(asked.job_type)
    if asked.job_type in RUNNER_JOBS and asked.runner_uid is None:
        raise Invalid(
            f"config_snapshot.worker_id is required for {asked.job_type} jobs",
            code="infra_runner_required",
            hint="Send the id of the runner.",
            field="config_snapshot",
        )
    if asked.plan_job_uid is not None and asked.job_type != DEPLOY:
        raise Invalid(
            f"plan_job_id is for DEPLOY jobs, not for {asked.job_type}",
            code="infra_plan_not_for_this",
            hint="Leave it out.",
            field="plan_job_id",
        )


def unknown_type() -> Invalid:
    return Invalid(f"job_type must be one of: {', '.join(ASKED_FOR)}", code="infra_job_type_unknown", field="job_type")


def missing_spec(job_type: str) -> Invalid:
    about = "DEPLOY and PLAN" if job_type in {DEPLOY, PLAN} else job_type
    return Invalid(
        f"configuration_id is required for {about} jobs",
        code="infra_configuration_required",
        hint="Send the id of a configuration.",
        field="configuration_id",
    )
