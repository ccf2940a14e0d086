"""What lists read of specs: documents and outputs are large, and no list shows them."""

from __future__ import annotations

from sqlalchemy.orm import load_only

from quarterdeck.infra.specs.model import Spec

BRIEF = load_only(
    Spec.uid,
    Spec.organization_id,
    Spec.zone_id,
    Spec.owner_id,
    Spec.cloud_identity_id,
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
