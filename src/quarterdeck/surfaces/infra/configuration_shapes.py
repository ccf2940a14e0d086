"""Specifications as programs are told them."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.infra.specs import flat
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states.states import holds_resources
from quarterdeck.kernel.db import Tx
from quarterdeck.surfaces.infra.shapes import at
from quarterdeck.surfaces.infra.wire import configurations as wire


def summaries(tx: Tx, specs: Sequence[Spec]) -> list[wire.ConfigurationSummary]:
    return [
        wire.ConfigurationSummary(
            **flat.core(one),
            created_at=at(one.spec.created_at),
            updated_at=at(one.spec.updated_at),
            provider=one.spec.provider,
            version=one.spec.version,
        )
        for one in flat.around(tx, specs)
    ]


def whole(tx: Tx, spec: Spec, *, admins: bool = True) -> wire.OneConfiguration:
    """`admins`: whether `cluster_admins` has the list, which published programs that ask by project name cannot read
    (contract: infra §1.2).
    """
    (one,) = flat.around(tx, [spec])
    told = flat.flat(one)
    if not admins:
        told["cluster_admins"] = None
    return wire.OneConfiguration(
        configuration=wire.FlatConfiguration(
            **told,
            created_at=at(spec.created_at),
            updated_at=at(spec.updated_at),
            version=spec.version,
            configuration_hash=spec.configuration_hash,
            applied_hash=spec.applied_hash,
            before_status=spec.before_status,
            document=spec.document,
            module_token_set=spec.module_token is not None,
            drift_minutes=spec.drift_minutes,
            drift_checked_at=at(spec.drift_checked_at),
            drift_due_at=at(spec.drift_due_at),
            drift=spec.drift,
            orphan_risk=spec.orphan_risk,
            outputs=spec.outputs,
            components=spec.components,
            resources=holds_resources(tx, spec),
        )
    )
