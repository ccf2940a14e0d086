"""What a plan was made with: the cloud identity, the state, the policy, and the digest of what people read of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "infra_cloud_identities",
        sa.Column("zones", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
    )
    op.add_column("infra_jobs", sa.Column("on_server", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("infra_jobs", sa.Column("identity_print", sa.String(length=64), nullable=True))
    op.add_column("infra_jobs", sa.Column("state_serial", sa.BigInteger(), nullable=True))
    op.add_column("infra_jobs", sa.Column("state_lineage", sa.String(length=100), nullable=True))
    op.add_column("infra_jobs", sa.Column("asked_approvals", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("infra_plans", sa.Column("reviewed", sa.String(length=80), nullable=True))
    op.add_column("infra_specs", sa.Column("applied_identity_id", sa.BigInteger(), nullable=True))
    op.add_column("infra_specs", sa.Column("applied_account", sa.String(length=200), nullable=True))
    op.add_column(
        "infra_states", sa.Column("robbed", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
    )
    op.add_column(
        "infra_states", sa.Column("addresses", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
    )
    op.execute(
        "UPDATE infra_specs SET applied_identity_id = (SELECT one.cloud_identity_id FROM infra_jobs AS one"
        " WHERE one.id = (SELECT max(last.id) FROM infra_jobs AS last WHERE last.spec_id = infra_specs.id"
        " AND last.job_type = 'DEPLOY' AND last.status = 'SUCCESS')) WHERE applied_hash IS NOT NULL"
    )
    op.execute("UPDATE infra_jobs SET on_server = true WHERE worker_id IS NULL AND worker_name = 'server'")
