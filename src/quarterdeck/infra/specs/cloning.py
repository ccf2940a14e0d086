"""Another spec from one that there is."""

from __future__ import annotations

import copy

from msgspec import UNSET, UnsetType

from quarterdeck.infra.clouds import looking
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.document import Declared
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.zones import zones
from quarterdeck.kernel.db import Tx


def clone(
    tx: Tx,
    text: str,
    project_name: str,
    *,
    environment_stage: str | None = None,
    zone: str | UnsetType | None = UNSET,
) -> Spec:
    """Make a `DRAFT` of another name with the configuration of a spec, its identity, and the token of its module. Its
    zone is that of the first unless another (uid) or none is meant. Raises as `specs.create` does.
    """
    origin = specs.meant(tx, text)
    before = zones.of(tx, origin.zone_id)
    place = (before.uid if before else None) if zone is UNSET else zone
    document = copy.deepcopy(origin.document)
    document["project_name"] = project_name
    if environment_stage:
        document["environment_stage"] = environment_stage
    if origin.cloud_identity_id is None:
        document["cloud_identity_id"] = None
    looks = looking.of(tx, origin)
    said = specs.read(
        tx,
        {
            **document,
            "zone_id": place,
            "drift_minutes": origin.drift_minutes,
            "drift_cloud_identity_id": looks.uid if looks else None,
        },
    )
    token = specs.token(tx, origin)
    read = Declared(
        said.document,
        zone=said.zone,
        drift_minutes=said.drift_minutes,
        drift_identity=said.drift_identity,
        module_token=UNSET if token is None else token,
    )
    return specs.make(tx, read, specs.place(tx, said.zone), clonedFrom=origin.uid)
