"""What lists read of specs: documents and outputs are large, and no list shows them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import load_only

from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel.db import Tx

BRIEF = load_only(
    Spec.uid,
    Spec.organization_id,
    Spec.zone_id,
    Spec.owner_id,
    Spec.cloud_identity_id,
    Spec.drift_cloud_identity_id,
    Spec.project_name,
    Spec.environment_stage,
    Spec.region,
    Spec.provider,
    Spec.version,
    Spec.status,
    Spec.estimated_monthly_cost,
    Spec.created_at,
    Spec.updated_at,
)
"""An option of a query; each other column is asked for when somebody wants it."""
HAS_DRIFTED: ColumnElement[bool] = Spec.drift["drifted"].as_boolean()
"""Null where nobody has looked."""


class Standing(NamedTuple):
    """How what stands of a spec differs from what is wanted. `pending`: it says another thing than was applied last."""

    pending: bool
    drifted: bool
    orphan_risk: str | None


def standings(tx: Tx, ids: Collection[int]) -> dict[int, Standing]:
    """By row ids."""
    if not ids:
        return {}
    columns = (Spec.id, Spec.applied_hash, Spec.configuration_hash, Spec.orphan_risk, HAS_DRIFTED.label("drifted"))
    rows = tx.execute(select(*columns).where(Spec.id.in_(set(ids))))
    return {
        row.id: Standing(
            row.applied_hash is not None and row.applied_hash != row.configuration_hash,
            bool(row.drifted),
            row.orphan_risk,
        )
        for row in rows
    }
