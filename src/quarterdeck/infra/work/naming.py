"""What the rows that jobs point at are called outside, for many jobs at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity.model import Organization, User
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx


class Named(Struct, frozen=True):
    """Row id to uid, of what there still is; `names` of specs and of workers."""

    users: Mapping[int, str]
    organizations: Mapping[int, str]
    zones: Mapping[int, str]
    specs: Mapping[int, str]
    identities: Mapping[int, str]
    workers: Mapping[int, str]
    jobs: Mapping[int, str]
    spec_names: Mapping[int, str]
    worker_names: Mapping[int, str]


def named(tx: Tx, some: Sequence[InfraJob]) -> Named:
    specs = _rows(tx, Spec, Spec.project_name, [one.spec_id for one in some])
    workers = _rows(
        tx, Worker, Worker.name, [number for one in some for number in (one.worker_id, one.assigned_worker_id)]
    )
    return Named(
        users=_uids(tx, User, [one.owner_id for one in some]),
        organizations=_uids(tx, Organization, [one.organization_id for one in some]),
        zones=_uids(tx, Zone, [one.zone_id for one in some]),
        specs={number: uid for number, (uid, _) in specs.items()},
        identities=_uids(tx, CloudIdentity, [one.cloud_identity_id for one in some]),
        workers={number: uid for number, (uid, _) in workers.items()},
        jobs=_uids(tx, InfraJob, [number for one in some for number in (one.plan_job_id, one.rerun_of_id)]),
        spec_names={number: name for number, (_, name) in specs.items()},
        worker_names={number: name for number, (_, name) in workers.items()},
    )


def _uids(tx: Tx, model: Any, numbers: Collection[int | None]) -> dict[int, str]:
    return {number: uid for number, (uid, _) in _rows(tx, model, model.uid, numbers).items()}


def _rows(tx: Tx, model: Any, name: Any, numbers: Collection[int | None]) -> dict[int, tuple[str, str]]:
    wanted = {number for number in numbers if number}
    if not wanted:
        return {}
    rows = tx.execute(select(model.id, model.uid, name).where(model.id.in_(wanted)))
    return {number: (uid, text) for number, uid, text in rows}
