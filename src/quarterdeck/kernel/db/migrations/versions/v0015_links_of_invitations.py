"""Links of one invitation each, and roles that wait in it; an index for the members of an organization."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

users = sa.table("identity_users", sa.column("id"), sa.column("joined_at"))
invitations = sa.table(
    "identity_invitations",
    sa.column("id"),
    sa.column("organization_id"),
    sa.column("user_id"),
    sa.column("expires_at"),
    sa.column("accepted_at"),
    sa.column("revoked_at"),
    sa.column("roles", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
)
grants = sa.table(
    "access_grants",
    *(sa.column(name) for name in ("id", "user_id", "organization_id", "project_id", "role", "scope")),
)
links = sa.table(
    "identity_links",
    *(sa.column(name) for name in ("user_id", "purpose", "expires_at", "used_at", "invitation_id")),
)


def upgrade() -> None:
    op.create_index("ix_access_grants_organization_id", "access_grants", ["organization_id", "user_id"], unique=False)
    op.add_column(
        "identity_links",
        sa.Column("invitation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    _name_invitations()
    _take_back_what_waits()


def _name_invitations() -> None:
    """A link and its invitation were given the same end in one unit."""
    mine = (invitations.c.user_id == links.c.user_id, invitations.c.expires_at == links.c.expires_at)
    meant = sa.select(sa.func.max(invitations.c.id)).where(*mine).scalar_subquery()
    live = (links.c.purpose.in_(("invite", "handed")), links.c.used_at.is_(None))
    op.execute(links.update().where(*live).values(invitation_id=meant))


def _take_back_what_waits() -> None:
    """What was given with an invitation that nobody has accepted goes back into it, as it was changed since."""
    here = op.get_bind()
    waiting = (users.c.joined_at.is_(None), invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None))
    asked = sa.select(
        sa.func.max(invitations.c.id).label("id"), invitations.c.user_id, invitations.c.organization_id
    ).join_from(invitations, users, users.c.id == invitations.c.user_id)
    for row in here.execute(asked.where(*waiting).group_by(invitations.c.user_id, invitations.c.organization_id)).all():
        given = (
            grants.c.user_id == row.user_id,
            grants.c.organization_id == row.organization_id,
            grants.c.project_id == 0,
            grants.c.scope == "",
        )
        held = sorted(here.execute(sa.select(grants.c.role).where(*given)).scalars())
        if held:
            here.execute(invitations.update().where(invitations.c.id == row.id).values(roles=held))
            here.execute(grants.delete().where(*given))
