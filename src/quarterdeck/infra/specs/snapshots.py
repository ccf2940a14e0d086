"""What a job is frozen with: the nested document with the keys of both generations of runners, and its hash.

A runner works from the snapshot alone, never from the spec as it is now.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from quarterdeck.infra import people
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs.model import Spec
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


def snapshot(tx: Tx, spec: Spec) -> Snapshot:
    """The document as it is now, with who and where around it."""
    document = copy.deepcopy(spec.document)
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
        "version": spec.version,
        "git_access_token": "",
    }
    return Snapshot({**document, **around}, spec.configuration_hash)
