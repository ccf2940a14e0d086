"""Cloud identities: found, listed, and used by jobs."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, func, or_, select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, NotFound

LONGEST_ID = 64


def find(tx: Tx, uid: str) -> CloudIdentity:
    """An identity of the caller's organization. Raises `NotFound` (`cloud_identity_not_found`) for any other."""
    found = _named(tx, uid)
    if found is None or found.organization_id != tx.principal.organization_id:
        raise missing()
    return found


def usable(tx: Tx, uid: str) -> CloudIdentity:
    """`find` for what is to work with it: nobody disconnects it until the unit ends.

    Raises `Forbidden` (`cloud_identity_foreign`) for that of another organization (contract: infra §1.4), and
    `Conflict` (`cloud_identity_not_connected`).
    """
    seen = _named(tx, uid)
    found = kept(tx, seen.id) if seen is not None else None
    if found is None:
        raise missing()
    if found.organization_id != tx.principal.organization_id:
        raise Forbidden(
            "This cloud identity belongs to somebody else.",
            code="cloud_identity_foreign",
            hint="Choose one of your organization's.",
        )
    if not found.credentials:
        raise Conflict(
            "Nothing was connected to this cloud identity yet.",
            code="cloud_identity_not_connected",
            hint="Connect it first (POST /api/cli/providers/…/connect).",
        )
    return found


def by_id(tx: Tx, identity_id: int | None) -> CloudIdentity | None:
    """That of a row id; None where it is gone."""
    return None if identity_id is None else tx.get(CloudIdentity, identity_id)


def some(tx: Tx, identity_ids: Collection[int]) -> list[CloudIdentity]:
    """Those of some row ids, of what there still is."""
    return list(tx.scalars(select(CloudIdentity).where(CloudIdentity.id.in_(identity_ids))))


def kept(tx: Tx, identity_id: int | None) -> CloudIdentity | None:
    """That of a row id, which nobody disconnects until the unit ends; None where it is gone."""
    query = select(CloudIdentity).where(CloudIdentity.id == identity_id)
    return tx.first(query.with_for_update(read=True, key_share=True)) if identity_id is not None else None


def locked(tx: Tx, uid: str) -> CloudIdentity:
    """`find` for a command that changes it: nobody else does until the unit ends."""
    seen = find(tx, uid)
    found = held(tx, seen.id)
    if found is None:
        raise missing()
    return found


def held(tx: Tx, identity_id: int) -> CloudIdentity | None:
    """The same by its row id, read again; None where it is gone. Taken after the ledger's job and the row of an
    infrastructure job.
    """
    lock = tx.dialect == "postgresql" or None
    return tx.session.get(CloudIdentity, identity_id, with_for_update=lock, populate_existing=True)


def page(tx: Tx, limit: int, before: str | None = None, *, every: bool = False) -> tuple[list[CloudIdentity], bool]:
    """Verified identities of the organization, newest first, behind that of the uid `before`; and whether there are
    more. `every`: those that are not verified yet as well.
    """
    query = select(CloudIdentity).where(CloudIdentity.organization_id == tx.principal.acts_in)
    if not every:
        query = query.where(CloudIdentity.verified_at.is_not(None))
    if before:
        query = query.where(CloudIdentity.id < find(tx, before).id)
    rows = list(tx.scalars(query.order_by(CloudIdentity.id.desc()).limit(limit + 1)))
    return rows[:limit], len(rows) > limit


def newest(tx: Tx, provider: str) -> CloudIdentity | None:
    """The one that people mean by a cloud's name: the newest verified one, else the newest."""
    query = select(CloudIdentity).where(
        CloudIdentity.organization_id == tx.principal.acts_in, CloudIdentity.provider == provider
    )
    order = (CloudIdentity.verified_at.is_(None), CloudIdentity.id.desc())
    return tx.first(query.order_by(*order).limit(1))


def count(tx: Tx) -> int:
    mine = CloudIdentity.organization_id == tx.principal.acts_in
    return int(tx.execute(select(func.count()).select_from(CloudIdentity).where(mine)).scalar_one())


def live_jobs(tx: Tx, identity: CloudIdentity, job_type: str | None = None) -> list[InfraJob]:
    """Jobs that have not ended and work with it, the oldest first; a few are enough to say that there are some."""
    query = select(InfraJob).where(InfraJob.cloud_identity_id == identity.id, InfraJob.completed_at.is_(None))
    if job_type is not None:
        query = query.where(InfraJob.job_type == job_type)
    return list(tx.scalars(query.order_by(InfraJob.id).limit(6)))


def standing_specs(tx: Tx, identity: CloudIdentity) -> list[Spec]:
    """Specs that have made something with it, and need it to change or destroy that; and those that are looked at for
    drift with it, which would be looked at with one that may do more.
    """
    own = Spec.cloud_identity_id == identity.id
    stands = or_(Spec.applied_hash.is_not(None), Spec.orphan_risk.is_not(None))
    looks = Spec.drift_cloud_identity_id == identity.id
    query = select(Spec).where(or_(and_(own, stands), Spec.applied_identity_id == identity.id, looks))
    return list(tx.scalars(query.order_by(Spec.id).limit(6)))


def standing_runners(tx: Tx, identity: CloudIdentity) -> list[Worker]:
    """Runners that do jobs of it alone, and would do anybody's without it."""
    mine = (Runner.cloud_identity_id == identity.id, Worker.revoked_at.is_(None))
    query = select(Worker).join(Runner, Runner.worker_id == Worker.id).where(*mine)
    return list(tx.scalars(query.order_by(Worker.id).limit(6)))


def missing() -> NotFound:
    return NotFound(
        "Cloud identity not found", code="cloud_identity_not_found", hint="List the cloud identities that there are."
    )


def _named(tx: Tx, uid: str) -> CloudIdentity | None:
    return tx.first(select(CloudIdentity).where(CloudIdentity.uid == uid.lower()[:LONGEST_ID]))
