"""What a job is frozen with: the nested document with the keys of both generations of runners, and its hash.

A runner works from the snapshot alone, never from the spec as it is now.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from quarterdeck.infra import people
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs.model import Spec, SpecVersion
from quarterdeck.infra.zones import zones
from quarterdeck.kernel.db import Tx

SECOND_NAMES = {
    "queues": {"fifo": "ordered"},
    "nosql_tables": {
        "hash_key": "partition_key",
        "hash_key_type": "partition_key_type",
        "range_key": "sort_key",
        "range_key_type": "sort_key_type",
        "billing_mode": "capacity_mode",
    },
}
"""How the second generation calls fields of lists."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`document` is plain JSON without any secret; `hash` is of the declared configuration alone."""

    document: dict[str, Any]
    hash: str


def snapshot(tx: Tx, spec: Spec, *, applied: bool = False) -> Snapshot:
    """The document as it is now, with who and where around it. `applied`: as it was applied last, where one was."""
    version = standing(tx, spec) if applied else None
    document = copy.deepcopy(spec.document if version is None else version.document)
    for section, names in SECOND_NAMES.items():
        for one in document.get(section, ()):
            one.update({other: one[own] for own, other in names.items()})
    zone = zones.of(tx, spec.zone_id)
    identity = tx.get(CloudIdentity, spec.cloud_identity_id) if spec.cloud_identity_id else None
    place = zone.uid if zone else None
    around = {
        "id": spec.uid,
        "spec_id": spec.uid,
        "configuration_id": spec.uid,
        "user_id": people.uids(tx, [spec.owner_id]).get(spec.owner_id, ""),
        "zone_id": place,
        "vineyard_id": place,
        "cloud_identity_id": identity.uid if identity else None,
        "status": spec.status,
        "version": spec.version if version is None else version.number,
        "git_access_token": "",
    }
    return Snapshot({**document, **around}, spec.configuration_hash if version is None else version.configuration_hash)


def hash_of(tx: Tx, spec: Spec, *, applied: bool = False) -> str:
    """The hash that a snapshot would have."""
    version = standing(tx, spec) if applied else None
    return spec.configuration_hash if version is None else version.configuration_hash


def standing(tx: Tx, spec: Spec) -> SpecVersion | None:
    """The newest version that is what was applied last; None where nothing was, or that failed."""
    wanted = (SpecVersion.spec_id == spec.id, SpecVersion.configuration_hash == spec.applied_hash)
    return tx.first(select(SpecVersion).where(*wanted).order_by(SpecVersion.number.desc()).limit(1))
