"""What a job's Terraform shows to come at the job's own state and saved plan, and at nothing else.

It is drawn when an attempt begins and good for that attempt alone: its hash is made together with the attempt's fence,
so that the next attempt, or the end of this one, makes it worthless without anybody taking it away.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from sqlalchemy import select

from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Unauthenticated
from quarterdeck.kernel.vault import Secret

PREFIX = "qd_job_"


class Attempt(NamedTuple):
    """A job and the fence of its attempt that runs."""

    job: InfraJob
    fence: int


def issue(tx: Tx, job: InfraJob) -> Secret[str]:
    """A credential for the attempt of a job that runs now; one that it had before is good no more. Raises `Conflict`
    where none runs.
    """
    fence = running(tx, job)
    if fence is None:
        raise Conflict(
            f"Nobody works on the job {job.uid} now.",
            code="infra_job_not_held",
            hint="Claim a job first; one that has ended or was taken back is claimed again or not at all.",
        )
    token = PREFIX + tx.ids.token()
    job.credential_hash = _hashed(fence, token)
    tx.flush()
    return Secret(token)


def holder(tx: Tx, username: str, password: str) -> Attempt:
    """The job whose attempt shows this. Raises `Unauthenticated`, in the same words whatever is wrong."""
    job = tx.first(select(InfraJob).where(InfraJob.uid == username).execution_options(populate_existing=True))
    fence = running(tx, job) if job is not None else None
    # Compared whatever was found, so that the time that it takes tells nothing.
    kept = (job.credential_hash or "") if job is not None and fence is not None else ""
    if not hmac.compare_digest(kept, _hashed(fence or 0, password)) or job is None or fence is None:
        raise Unauthenticated(
            "This is no credential of a job that runs.",
            code="infra_credential_invalid",
            hint="A credential is good for one attempt of one job. Ask for another one while you hold the job.",
        )
    return Attempt(job, fence)


def held_by(tx: Tx, job: InfraJob, owner: str) -> bool:
    """Whether the attempt that runs is this owner's."""
    carried = jobs.finding.look(tx, job.ledger_id) if job.ledger_id is not None else None
    return carried is not None and carried.state == jobs.State.RUNNING and carried.owner == owner


def running(tx: Tx, job: InfraJob) -> int | None:
    """The fence of the attempt that runs; None where none does. One that was told to stop runs until it has stopped:
    Terraform then still writes what it has made.
    """
    carried = jobs.finding.look(tx, job.ledger_id) if job.ledger_id is not None else None
    return carried.fence if carried is not None and carried.state == jobs.State.RUNNING else None


def _hashed(fence: int, token: str) -> str:
    return hashlib.sha256(f"{fence}:{token}".encode("utf-8", "surrogateescape")).hexdigest()
