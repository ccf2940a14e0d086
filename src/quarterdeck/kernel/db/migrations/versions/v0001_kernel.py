"""The kernel: vault, ledger, events, audit trail, log lines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_archives",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("aggregate_id", sa.String(length=200), nullable=True),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=False),
        sa.Column("retain_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_archives"),
        sa.UniqueConstraint("ref", name="uq_audit_archives_ref"),
        sa.UniqueConstraint("uid", name="uq_audit_archives_uid"),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("actor_label", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=96), nullable=False),
        sa.Column("resource_type", sa.String(length=64), nullable=False),
        sa.Column("resource_id", sa.String(length=200), nullable=False),
        sa.Column("aggregate_id", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
        sa.UniqueConstraint("ref", name="uq_audit_events_ref"),
        sa.UniqueConstraint("uid", name="uq_audit_events_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_events_aggregate_id_id", "audit_events", ["aggregate_id", "id"], unique=False)
    op.create_index("ix_audit_events_at", "audit_events", ["at"], unique=False)
    op.create_index("ix_audit_events_organization_id_id", "audit_events", ["organization_id", "id"], unique=False)
    op.create_table(
        "audit_holds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("ref", sa.String(length=16), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("aggregate_id", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_holds"),
        sa.UniqueConstraint("ref", name="uq_audit_holds_ref"),
        sa.UniqueConstraint("uid", name="uq_audit_holds_uid"),
    )
    op.create_table(
        "audit_seals",
        sa.Column("organization_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "position", name="pk_audit_seals"),
        sa.UniqueConstraint("event_id", name="uq_audit_seals_event_id"),
    )
    op.create_table(
        "audit_tombstones",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("pruned_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_audit_tombstones"),
    )
    op.create_table(
        "audit_unsealed",
        sa.Column(
            "event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint("event_id", name="pk_audit_unsealed"),
    )
    op.create_table(
        "domain_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=96), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("transaction", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_domain_events"),
        sa.UniqueConstraint("cursor", name="uq_domain_events_cursor"),
        sa.UniqueConstraint("stream", "sequence", name="uq_domain_events_stream_sequence"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_domain_events_at", "domain_events", ["at"], unique=False)
    op.create_index("ix_domain_events_transaction_id", "domain_events", ["transaction", "id"], unique=False)
    op.create_index(
        "ix_domain_events_type_transaction_id", "domain_events", ["type", "transaction", "id"], unique=False
    )
    op.create_table(
        "event_streams",
        sa.Column("stream", sa.String(length=200), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name="pk_event_streams"),
    )
    op.create_table(
        "event_subscribers",
        sa.Column("name", sa.String(length=96), nullable=False),
        sa.Column("transaction", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_event_subscribers"),
    )
    op.create_table(
        "instance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.Column("signing_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instance"),
    )
    op.create_table(
        "job_schedules",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.String(length=120), nullable=True),
        sa.Column("cron", sa.String(length=120), nullable=True),
        sa.Column("every_seconds", sa.Integer(), nullable=True),
        sa.Column("timezone", sa.String(length=80), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("next_due_at", sa.BigInteger(), nullable=True),
        sa.Column("last_due_at", sa.BigInteger(), nullable=True),
        sa.Column("options", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job_schedules"),
        sa.UniqueConstraint("name", name="uq_job_schedules_name"),
        sa.UniqueConstraint("uid", name="uq_job_schedules_uid"),
    )
    op.create_index(
        "ix_job_schedules_due",
        "job_schedules",
        ["next_due_at"],
        unique=False,
        sqlite_where=sa.text("next_due_at IS NOT NULL"),
        postgresql_where=sa.text("next_due_at IS NOT NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.String(length=120), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("requires", sa.String(length=400), nullable=False),
        sa.Column("worker_id", sa.BigInteger(), nullable=True),
        sa.Column("concurrency_key", sa.String(length=200), nullable=True),
        sa.Column("idempotency_key", sa.String(length=240), nullable=True),
        sa.Column("correlation_id", sa.String(length=120), nullable=True),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("retry_of_id", sa.BigInteger(), nullable=True),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("lapses", sa.Integer(), nullable=False),
        sa.Column("lease_seconds", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("route", sa.String(length=400), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("turn_key", sa.String(length=200), nullable=True),
        sa.Column("parked_key", sa.String(length=200), nullable=True),
        sa.Column("wake_at", sa.BigInteger(), nullable=True),
        sa.Column("report_number", sa.Integer(), nullable=False),
        sa.Column("report_reply", sa.Text(), nullable=True),
        sa.Column("cancel_requested_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error_code", sa.String(length=120), nullable=True),
        sa.Column("error_category", sa.String(length=20), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("retriable", sa.Integer(), nullable=True),
        sa.Column("closed_by", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("uid", name="uq_jobs_uid"),
        postgresql_with={"fillfactor": 85},
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_jobs_claim",
        "jobs",
        ["route", "lane", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_finished",
        "jobs",
        ["finished_at"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NOT NULL"),
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_lease",
        "jobs",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_missed",
        "jobs",
        ["organization_id", "state", "id"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NOT NULL AND state <> 'succeeded'"),
        postgresql_where=sa.text("finished_at IS NOT NULL AND state <> 'succeeded'"),
    )
    op.create_index("ix_jobs_organization_id", "jobs", ["organization_id", "id"], unique=False)
    op.create_index(
        "ix_jobs_parked",
        "jobs",
        ["parked_key", "lane", "run_at", "id"],
        unique=False,
        sqlite_where=sa.text("parked_key IS NOT NULL"),
        postgresql_where=sa.text("parked_key IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_subject",
        "jobs",
        ["subject", "id"],
        unique=False,
        sqlite_where=sa.text("subject IS NOT NULL"),
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_unended",
        "jobs",
        ["organization_id", "kind"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index(
        "ix_jobs_wake",
        "jobs",
        ["wake_at"],
        unique=False,
        sqlite_where=sa.text("wake_at IS NOT NULL"),
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )
    op.create_index(
        "uq_jobs_idempotency",
        "jobs",
        ["kind", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "uq_jobs_turn",
        "jobs",
        ["turn_key"],
        unique=True,
        sqlite_where=sa.text("turn_key IS NOT NULL"),
        postgresql_where=sa.text("turn_key IS NOT NULL"),
    )
    op.create_table(
        "kernel_idempotency",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kernel_idempotency"),
        sa.UniqueConstraint("uid", name="uq_kernel_idempotency_uid"),
    )
    op.create_index("ix_kernel_idempotency_created_at", "kernel_idempotency", ["created_at"], unique=False)
    op.create_index("uq_kernel_idempotency_key", "kernel_idempotency", ["key_hash"], unique=True)
    op.create_table(
        "vault_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("backend", sa.String(length=32), nullable=False),
        sa.Column("master_key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vault_keys"),
    )
    op.create_table(
        "job_attempts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("error_code", sa.String(length=120), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_attempts_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_job_attempts"),
        sa.UniqueConstraint("job_id", "fence", name="uq_job_attempts_job_id_fence"),
    )
    op.create_table(
        "job_schedule_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("schedule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("fired_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["job_schedules.id"], name="fk_job_schedule_runs_schedule_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_job_schedule_runs"),
        sa.UniqueConstraint("schedule_id", "due_at", name="uq_job_schedule_runs_schedule_id_due_at"),
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps log lines in a file of their own
        op.create_table(
            "log_lines",
            sa.Column("stream_id", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("at", sa.BigInteger(), nullable=False),
            sa.Column("source", sa.String(length=16), nullable=False),
            sa.Column("channel", sa.String(length=8), nullable=False),
            sa.Column("phase", sa.String(length=64), nullable=True),
            sa.Column("level", sa.String(length=16), nullable=False),
            sa.Column("message", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("stream_id", "number", name="pk_log_lines"),
            sqlite_with_rowid=False,
        )
        op.create_table(
            "log_streams",
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
            sa.Column("name", sa.String(length=200), nullable=False),
            sa.Column("head", sa.BigInteger(), nullable=False),
            sa.Column("watermark", sa.BigInteger(), nullable=False),
            sa.Column("bytes", sa.BigInteger(), nullable=False),
            sa.Column("closed", sa.Boolean(), nullable=False),
            sa.Column("updated_at", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("id", name="pk_log_streams"),
            sa.UniqueConstraint("name", name="uq_log_streams_name"),
            sqlite_autoincrement=True,
        )
        op.create_index("ix_log_streams_updated_at", "log_streams", ["updated_at"], unique=False)

    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_events_update BEFORE UPDATE ON audit_events BEGIN SELECT RAISE(ABORT, "
            "'rows of audit_events are append-only'); END"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_events_delete BEFORE DELETE ON audit_events WHEN NOT EXISTS (SELECT 1 FROM "
            "audit_tombstones WHERE event_id = OLD.id) BEGIN SELECT RAISE(ABORT, 'rows of audit_events are "
            "append-only'); END"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_events_replace BEFORE INSERT ON audit_events WHEN EXISTS (SELECT 1 FROM "
            "audit_events WHERE id = NEW.id OR uid = NEW.uid OR ref = NEW.ref) BEGIN SELECT RAISE(ABORT, "
            "'rows of audit_events are append-only'); END"
        )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION audit_events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$body$\n"
            "BEGIN\n"
            "  IF TG_OP = 'DELETE' THEN\n"
            "    IF EXISTS (SELECT 1 FROM audit_tombstones WHERE event_id = OLD.id) THEN RETURN OLD; END IF;\n"
            "  END IF;\n"
            "  RAISE EXCEPTION 'rows of audit_events are append-only' USING ERRCODE = 'restrict_violation';\n"
            "END $body$;\n"
            "CREATE TRIGGER audit_events_rows BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE "
            "FUNCTION audit_events_append_only();\n"
            "CREATE TRIGGER audit_events_whole BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE "
            "FUNCTION audit_events_append_only();"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_seals_update BEFORE UPDATE ON audit_seals BEGIN SELECT RAISE(ABORT, 'rows "
            "of audit_seals are append-only'); END"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_seals_delete BEFORE DELETE ON audit_seals  BEGIN SELECT RAISE(ABORT, 'rows "
            "of audit_seals are append-only'); END"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_seals_replace BEFORE INSERT ON audit_seals WHEN EXISTS (SELECT 1 FROM "
            "audit_seals WHERE event_id = NEW.event_id OR (organization_id = NEW.organization_id AND "
            "position = NEW.position)) BEGIN SELECT RAISE(ABORT, 'rows of audit_seals are append-only'); END"
        )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION audit_seals_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$\n"
            "BEGIN\n"
            "\n"
            "  RAISE EXCEPTION 'rows of audit_seals are append-only' USING ERRCODE = 'restrict_violation';\n"
            "END $body$;\n"
            "CREATE TRIGGER audit_seals_rows BEFORE UPDATE OR DELETE ON audit_seals FOR EACH ROW EXECUTE "
            "FUNCTION audit_seals_append_only();\n"
            "CREATE TRIGGER audit_seals_whole BEFORE TRUNCATE ON audit_seals FOR EACH STATEMENT EXECUTE "
            "FUNCTION audit_seals_append_only();"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_tombstones_update BEFORE UPDATE ON audit_tombstones BEGIN SELECT "
            "RAISE(ABORT, 'rows of audit_tombstones are append-only'); END"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_tombstones_delete BEFORE DELETE ON audit_tombstones  BEGIN SELECT "
            "RAISE(ABORT, 'rows of audit_tombstones are append-only'); END"
        )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_tombstones_replace BEFORE INSERT ON audit_tombstones WHEN EXISTS (SELECT 1 "
            "FROM audit_tombstones WHERE event_id = NEW.event_id) BEGIN SELECT RAISE(ABORT, 'rows of "
            "audit_tombstones are append-only'); END"
        )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION audit_tombstones_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$body$\n"
            "BEGIN\n"
            "\n"
            "  RAISE EXCEPTION 'rows of audit_tombstones are append-only' USING ERRCODE = "
            "'restrict_violation';\n"
            "END $body$;\n"
            "CREATE TRIGGER audit_tombstones_rows BEFORE UPDATE OR DELETE ON audit_tombstones FOR EACH ROW "
            "EXECUTE FUNCTION audit_tombstones_append_only();\n"
            "CREATE TRIGGER audit_tombstones_whole BEFORE TRUNCATE ON audit_tombstones FOR EACH STATEMENT "
            "EXECUTE FUNCTION audit_tombstones_append_only();"
        )
