"""Indexes for everything that lists of audit events are narrowed by, and for totals of a span of time."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_audit_events_organization_id_actor_id", table_name="audit_events")
    op.drop_index("ix_audit_events_organization_id_id", table_name="audit_events")
    op.create_index("ix_audit_events_organization_id_id", "audit_events", ["organization_id", "id", "at"], unique=False)
    op.create_index(
        "ix_audit_events_actor", "audit_events", ["organization_id", "actor_kind", "actor_id", "id"], unique=False
    )
    op.create_index(
        "ix_audit_events_actor_action",
        "audit_events",
        ["organization_id", "actor_kind", "actor_id", "action", "id"],
        unique=False,
    )
    op.create_index(
        "ix_audit_events_outcome",
        "audit_events",
        ["organization_id", "outcome", "id"],
        unique=False,
        sqlite_where=sa.text("outcome <> 'success'"),
        postgresql_where=sa.text("outcome <> 'success'"),
    )
    op.create_index(
        "ix_audit_events_resource_id", "audit_events", ["organization_id", "resource_id", "id"], unique=False
    )
    op.create_index(
        "ix_audit_events_resource_type", "audit_events", ["organization_id", "resource_type", "id"], unique=False
    )
    op.create_index(
        "ix_audit_events_actor_label",
        "audit_events",
        ["organization_id", sa.literal_column("lower(actor_label)"), "id"],
        unique=False,
    )
