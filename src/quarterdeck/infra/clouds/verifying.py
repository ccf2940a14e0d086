"""What a runner found with an identity: that it is good, and what its cloud has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.infra.clouds import identities
from quarterdeck.infra.clouds.actions import CloudAction, noted
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.execution.clouds.bounds import bounded
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx

TEST, FETCH = "CONNECTION_TEST", "FETCH_RESOURCES"


def found(tx: Tx, job: InfraJob, resources: Mapping[str, Any]) -> None:
    """An attempt that runs has taken the identity of its job up, and listed what there is. What was connected is
    verified by a test that was asked for since: an earlier one was of other credentials.
    """
    if job.cloud_identity_id is None or job.job_type not in {TEST, FETCH} or job.completed_at is not None:
        return
    identity = identities.held(tx, job.cloud_identity_id)
    if identity is None:
        return
    if job.job_type == TEST and not proves(identity, job):
        return
    kept = bounded(resources)
    if job.job_type == FETCH or any(kept.get(name) for name in ("regions", "networks", "dns_zones", "users")):
        identity.cached_resources, identity.cached_at = kept, tx.now
    if job.job_type == TEST and identity.verified_at is None:
        identity.verified_at = tx.now
        noted(tx, identity, CloudAction.VERIFIED, jobId=job.uid)
    tx.flush()


def proves(identity: CloudIdentity, job: InfraJob) -> bool:
    """Whether a test is of what is connected now: the one that connecting has queued, or a later one. Row ids tell,
    since whoever connects holds the identity while its test is made.
    """
    return identity.check_job_id is not None and job.id >= identity.check_job_id
