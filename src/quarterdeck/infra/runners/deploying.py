"""Asking for the stack of a runner: a new one, or another release for one that stands."""

from __future__ import annotations

from typing import NamedTuple

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.clouds import identities
from quarterdeck.infra.runners import lifting, listing, registration
from quarterdeck.infra.work import creating
from quarterdeck.infra.work.asking import Asked
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.types import DEPLOY_WORKER, UPDATE_WORKER
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.text import one_line


class Lifted(NamedTuple):
    worker: Worker
    job: InfraJob


def deploy(tx: Tx, name: str, cloud_identity_uid: str, region: str, assigned_worker_uid: str | None) -> Lifted:
    """Register a runner and queue the job that puts up its stack. Raises `Invalid`, and `NotFound` for an identity or
    a runner that the caller cannot use.
    """
    missing = next(
        (
            field
            for field, text in (("name", name), ("cloud_identity_id", cloud_identity_uid), ("region", region))
            if not text.strip()
        ),
        None,
    )
    if missing is not None:
        raise Invalid(
            "name, cloud_identity_id and region are required", hint=f"Give the runner a {missing}.", field=missing
        )
    identity = identities.usable(tx, cloud_identity_uid)
    worker, runner = registration.add(
        tx,
        tx.principal.acts_in,
        one_line(name, "name", registration.LONGEST_NAME),
        owner_id=tx.principal.id,
        cloud_identity_id=identity.id,
    )
    made = lifting.stack(tx, one_line(region, "region", 100), identity.provider)
    runner.runner_metadata = {lifting.STACK: made}
    tx.flush()
    return Lifted(worker, _job(tx, DEPLOY_WORKER, worker.uid, identity.uid, assigned_worker_uid))


def update(tx: Tx, uid: str, assigned_worker_uid: str | None) -> Lifted:
    """Queue the job that moves a runner to the newest release. Raises `NotFound`, and `Conflict` as
    `lifting.snapshot` does.
    """
    seen = listing.find(tx, uid)
    identity_id = None if seen.runner is None else seen.runner.cloud_identity_id
    identity = None if identity_id is None else identities.by_id(tx, identity_id)
    job = _job(tx, UPDATE_WORKER, uid, None if identity is None else identity.uid, assigned_worker_uid)
    return Lifted(seen.worker, job)


def _job(tx: Tx, job_type: str, uid: str, identity_uid: str | None, assigned_uid: str | None) -> InfraJob:
    return creating.create(
        tx,
        Asked(job_type=job_type, cloud_identity_uid=identity_uid, assigned_worker_uid=assigned_uid, runner_uid=uid),
    )
