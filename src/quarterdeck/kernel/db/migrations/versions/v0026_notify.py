"""Notify."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notify_bots",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("app_id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("app_secret", sa.Text(), nullable=False),
        sa.Column("webhook_token", sa.Text(), nullable=False),
        sa.Column("encrypt_key", sa.Text(), nullable=True),
        sa.Column("api_url", sa.String(length=1000), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_notify_bots_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notify_bots"),
        sa.UniqueConstraint(
            "organization_id", "platform", "app_id", name="uq_notify_bots_organization_id_platform_app_id"
        ),
        sa.UniqueConstraint("uid", name="uq_notify_bots_uid"),
    )
    op.create_index("ix_notify_bots_platform", "notify_bots", ["platform", "app_id"], unique=False)
    op.create_table(
        "notify_hooks",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("disabled_reason", sa.String(length=300), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_notify_hooks_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notify_hooks"),
        sa.UniqueConstraint("uid", name="uq_notify_hooks_uid"),
    )
    op.create_index("ix_notify_hooks_organization_id", "notify_hooks", ["organization_id", "id"], unique=False)
    op.create_table(
        "notify_notifications",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("link", sa.String(length=1000), nullable=True),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("project_key", sa.String(length=64), nullable=True),
        sa.Column("collapse_key", sa.String(length=200), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_notify_notifications_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notify_notifications"),
        sa.UniqueConstraint("uid", name="uq_notify_notifications_uid"),
    )
    op.create_index(
        "ix_notify_notifications_collapse_key",
        "notify_notifications",
        ["user_id", "collapse_key", "created_at"],
        unique=False,
    )
    op.create_index("ix_notify_notifications_created_at", "notify_notifications", ["created_at"], unique=False)
    op.create_index(
        "ix_notify_notifications_unread",
        "notify_notifications",
        ["user_id", "organization_id", "id"],
        unique=False,
        sqlite_where=sa.text("read_at IS NULL"),
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_index(
        "ix_notify_notifications_user_id", "notify_notifications", ["user_id", "organization_id", "id"], unique=False
    )
    op.create_table(
        "notify_bindings",
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform_chat_id", sa.String(length=200), nullable=False),
        sa.Column("project_key", sa.String(length=64), nullable=False),
        sa.Column("chat_name", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["notify_bots.id"], name="fk_notify_bindings_bot_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_notify_bindings_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notify_bindings"),
        sa.UniqueConstraint("bot_id", "platform_chat_id", name="uq_notify_bindings_bot_id_platform_chat_id"),
        sa.UniqueConstraint("uid", name="uq_notify_bindings_uid"),
    )
    op.create_index(
        "ix_notify_bindings_organization_id", "notify_bindings", ["organization_id", "project_key"], unique=False
    )
    op.create_table(
        "notify_cards",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chat_id", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["notify_bots.id"], name="fk_notify_cards_bot_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_notify_cards_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notify_cards"),
        sa.UniqueConstraint(
            "organization_id",
            "subject",
            "bot_id",
            "chat_id",
            name="uq_notify_cards_organization_id_subject_bot_id_chat_id",
        ),
        sa.UniqueConstraint("uid", name="uq_notify_cards_uid"),
    )
    op.create_index("ix_notify_cards_created_at", "notify_cards", ["created_at"], unique=False)
    op.create_table(
        "notify_deliveries",
        sa.Column("hook_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("event", sa.String(length=96), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["hook_id"], ["notify_hooks.id"], name="fk_notify_deliveries_hook_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_notify_deliveries_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notify_deliveries"),
        sa.UniqueConstraint("hook_id", "event_id", name="uq_notify_deliveries_hook_id_event_id"),
        sa.UniqueConstraint("uid", name="uq_notify_deliveries_uid"),
    )
    op.create_index("ix_notify_deliveries_created_at", "notify_deliveries", ["created_at"], unique=False)
    op.create_index("ix_notify_deliveries_hook_id", "notify_deliveries", ["hook_id", "id"], unique=False)
    op.create_table(
        "notify_platform_links",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("platform_uid", sa.String(length=200), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["bot_id"], ["notify_bots.id"], name="fk_notify_platform_links_bot_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_notify_platform_links_organization_id"
        ),
        sa.PrimaryKeyConstraint("hash", name="pk_notify_platform_links"),
    )
    op.create_index("ix_notify_platform_links_expires_at", "notify_platform_links", ["expires_at"], unique=False)
    op.create_table(
        "notify_received",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["bot_id"], ["notify_bots.id"], name="fk_notify_received_bot_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name="pk_notify_received"),
    )
    op.create_index("ix_notify_received_received_at", "notify_received", ["received_at"], unique=False)
    op.create_table(
        "notify_threads",
        sa.Column("organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chat_id", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["notify_bots.id"], name="fk_notify_threads_bot_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["identity_organizations.id"], name="fk_notify_threads_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notify_threads"),
        sa.UniqueConstraint(
            "organization_id",
            "task_id",
            "bot_id",
            "chat_id",
            name="uq_notify_threads_organization_id_task_id_bot_id_chat_id",
        ),
        sa.UniqueConstraint("uid", name="uq_notify_threads_uid"),
    )
