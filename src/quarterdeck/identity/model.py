"""People, their organizations and their sessions."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Organization(Identified, Base):
    """Everything below a project, and every worker, belongs to exactly one."""

    __tablename__ = "identity_organizations"

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime]


class User(Identified, Base):
    """A person. `username` and `email` are each unique without case; either signs in."""

    __tablename__ = "identity_users"

    username: Mapped[str] = mapped_column(String(100))
    email: Mapped[str | None] = mapped_column(String(320))
    display_name: Mapped[str] = mapped_column(String(200))
    avatar_url: Mapped[str | None] = mapped_column(String(2000))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    email_verified: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]


Index("uq_identity_users_username", func.lower(User.username), unique=True)
Index("uq_identity_users_email", func.lower(User.email), unique=True)


class UserSession(Identified, Base):
    """One sign-in. Its tokens end with it; revoking it ends them all at once."""

    __tablename__ = "identity_sessions"
    __table_args__ = (Index("ix_identity_sessions_user_id", "user_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    client_kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str | None] = mapped_column(String(100))
    user_agent: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SessionToken(Base):
    """A credential of a session, kept as its hash. `kind`: session (7 days), access (15 min), long (24 h), refresh."""

    __tablename__ = "identity_session_tokens"
    __table_args__ = (Index("ix_identity_session_tokens_session_id", "session_id"),)

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("identity_sessions.id"))
    kind: Mapped[str] = mapped_column(String(10))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
