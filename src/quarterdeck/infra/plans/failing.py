"""Looks for drift that fail: one is a hiccup, two in a row are told of, until a look succeeds or something is applied.

Nothing of it is kept beside the jobs: what the newest of them came to says how it stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import defer

from quarterdeck.infra.specs.happenings import happened
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.text import shown
from quarterdeck.notify import tell, withdraw

ENOUGH = 2
"""Failed looks in a row that are told of."""
FAILING, RECOVERED = "infra-drift-look-failing", "infra-drift-look-recovered"
NOTIFICATION = "infra_drift_failing"
LONGEST = 300
ENDING = frozenset({"DEPLOY", "DESTROY"})


def newest(tx: Tx, spec: Spec) -> InfraJob | None:
    """The last look, where so many in a row have failed that nobody can tell whether the specification has drifted."""
    failed = _streak(tx, spec.id)
    return failed[0] if len(failed) >= ENOUGH else None


def failed(tx: Tx, job: InfraJob, spec: Spec | None) -> None:
    """A job has failed. The unit holds it, and its spec."""
    if not job.read_only or spec is None or len(_streak(tx, spec.id)) != ENOUGH:
        return
    said = shown(" ".join((job.error_message or "").split()), LONGEST)
    happened(tx, spec, FAILING, message=said, job=job.uid, code=job.error_code)
    _tell(tx, spec, f"Nobody can tell whether {spec.project_name} has drifted", f"Looks for drift fail: {said}", job)


def succeeded(tx: Tx, job: InfraJob, spec: Spec | None) -> None:
    """A look, an apply or a destruction has succeeded, which ends what failed before it."""
    if spec is None or not (job.read_only or job.job_type in ENDING):
        return
    if len(_streak(tx, spec.id, before=job.id)) < ENOUGH:
        return
    word = "Looks for drift succeed again." if job.read_only else "Its resources were changed since looks failed."
    happened(tx, spec, RECOVERED, message=word, job=job.uid)
    withdraw(tx, NOTIFICATION, f"{NOTIFICATION}:{spec.uid}", organization_id=spec.organization_id)
    _tell(tx, spec, f"{spec.project_name} can be looked at for drift again", word, job)


def _streak(tx: Tx, spec_id: int, before: int | None = None) -> Sequence[InfraJob]:
    """Failed looks since the last one that told something, or the last change, the newest first; one more than is
    enough at most. What was cancelled counts for nothing.
    """
    look = and_(InfraJob.job_type == "PLAN", InfraJob.read_only.is_(True), InfraJob.status.in_(("SUCCESS", "FAILED")))
    change = and_(InfraJob.job_type.in_(ENDING), InfraJob.status == "SUCCESS")
    query = select(InfraJob).options(defer(InfraJob.snapshot), defer(InfraJob.execution_metadata))
    query = query.where(InfraJob.spec_id == spec_id, or_(look, change))
    if before is not None:
        query = query.where(InfraJob.id < before)
    found: list[InfraJob] = []
    for job in tx.scalars(query.order_by(InfraJob.id.desc()).limit(ENOUGH + 1)):
        if job.status != "FAILED":
            break
        found.append(job)
    return found


def _tell(tx: Tx, spec: Spec, title: str, said: str, job: InfraJob) -> None:
    tell(
        tx,
        NOTIFICATION,
        [spec.owner_id],
        title,
        said,
        link=f"/console/infra/specs/{spec.uid}#drift",
        organization_id=spec.organization_id,
        collapse_key=f"{NOTIFICATION}:{spec.uid}:{job.uid}",
    )
