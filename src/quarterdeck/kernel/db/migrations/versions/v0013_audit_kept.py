"""What keeps audit events, and how long: archives with their content, holds by action and span, tallies, defaults."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_tallies",
        sa.Column("organization_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("action", sa.String(length=96), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor_label", sa.String(length=200), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organization_id", "action", "actor_kind", "actor_id", "actor_label", name="pk_audit_tallies"
        ),
    )
    op.create_table(
        "retention_defaults",
        sa.Column("ref", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("destructive", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by_kind", sa.String(length=16), nullable=False),
        sa.Column("updated_by", sa.String(length=64), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_retention_defaults"),
        sa.UniqueConstraint("uid", name="uq_retention_defaults_uid"),
    )
    op.create_index("uq_retention_defaults_category", "retention_defaults", ["category", "owner"], unique=True)
    op.create_index("uq_retention_defaults_ref", "retention_defaults", ["owner", "ref"], unique=True)
    op.add_column("audit_holds", sa.Column("action", sa.String(length=96), nullable=True))
    op.add_column("audit_holds", sa.Column("from_at", sa.BigInteger(), nullable=True))
    op.add_column("audit_holds", sa.Column("to_at", sa.BigInteger(), nullable=True))
    op.add_column("audit_holds", sa.Column("requested_by", sa.String(length=200), nullable=True))
    op.add_column("audit_holds", sa.Column("released_by", sa.String(length=200), nullable=True))
    op.add_column("audit_holds", sa.Column("release_reason", sa.Text(), nullable=True))
    # What was called an archive kept a span of events and was no copy: that is a hold, unless its time is over.
    op.execute(
        sa.text(
            "INSERT INTO audit_holds (uid, ref, organization_id, aggregate_id, from_at, to_at, reason, created_at) "
            "SELECT uid, replace(ref, 'aar_', 'ahl_'), organization_id, aggregate_id, from_at, to_at, "
            "'Kept by an archive of an earlier version', created_at FROM audit_archives WHERE deleted_at IS NULL "
            "AND (retain_until IS NULL OR retain_until > :now)"
        ).bindparams(sa.bindparam("now", time.time_ns() // 1_000, type_=sa.BigInteger()))
    )
    op.drop_table("audit_archives")
    op.create_table(
        "audit_archives",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("aggregate_id", sa.String(length=200), nullable=True),
        sa.Column("action", sa.String(length=96), nullable=True),
        sa.Column("from_at", sa.BigInteger(), nullable=True),
        sa.Column("to_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("retains", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_archives"),
        sa.UniqueConstraint("ref", name="uq_audit_archives_ref"),
        sa.UniqueConstraint("uid", name="uq_audit_archives_uid"),
    )
    op.create_index("ix_audit_archives_organization_id_id", "audit_archives", ["organization_id", "id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_archives_update BEFORE UPDATE ON audit_archives BEGIN SELECT RAISE(ABORT, 'rows "
            "of audit_archives are append-only'); END"
        )
        op.execute(
            "CREATE TRIGGER audit_archives_replace BEFORE INSERT ON audit_archives WHEN EXISTS (SELECT 1 FROM "
            "audit_archives WHERE id = NEW.id OR uid = NEW.uid OR ref = NEW.ref) BEGIN SELECT RAISE(ABORT, 'rows of "
            "audit_archives are append-only'); END"
        )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION audit_archives_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$\n"
            "BEGIN\n"
            "  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\n"
            "  RAISE EXCEPTION 'rows of audit_archives are append-only' USING ERRCODE = 'restrict_violation';\n"
            "END $body$;\n"
            "CREATE TRIGGER audit_archives_rows BEFORE UPDATE OR DELETE ON audit_archives FOR EACH ROW EXECUTE "
            "FUNCTION audit_archives_append_only();\n"
            "CREATE TRIGGER audit_archives_whole BEFORE TRUNCATE ON audit_archives FOR EACH STATEMENT EXECUTE "
            "FUNCTION audit_archives_append_only();"
        )
    op.create_table(
        "audit_retained",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "archive_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["archive_id"], ["audit_archives.id"], name="fk_audit_retained_archive_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "archive_id", name="pk_audit_retained"),
    )
    op.create_index("ix_audit_retained_archive_id", "audit_retained", ["archive_id"], unique=False)
    op.create_index("ix_audit_events_correlation_id", "audit_events", ["correlation_id", "id"], unique=False)
    op.create_index(
        "ix_audit_events_organization_id_action", "audit_events", ["organization_id", "action", "id"], unique=False
    )
    op.create_index(
        "ix_audit_events_organization_id_actor_id", "audit_events", ["organization_id", "actor_id", "id"], unique=False
    )
    op.execute(
        'INSERT INTO audit_tallies (organization_id, action, actor_kind, actor_id, actor_label, "count") '
        "SELECT COALESCE(e.organization_id, 0), e.action, e.actor_kind, e.actor_id, e.actor_label, COUNT(*) "
        "FROM audit_events e JOIN audit_seals s ON s.event_id = e.id GROUP BY 1, 2, 3, 4, 5"
    )
