"""People, their organizations, their sessions and every other credential."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified


class Organization(Identified, Base):
    """Everything below a project, and every worker, belongs to exactly one. One that is gone (`deleted_at`) keeps its
    row for what is left of it: projects, tokens, the audit trail.
    """

    __tablename__ = "identity_organizations"

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    logo_url: Mapped[str | None] = mapped_column(String(2000))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class User(Identified, Base):
    """A person. `username` and `email` are each unique without case; either signs in.

    `joined_at` is when an invitation was accepted. `totp_secret` is sealed, and counts from `totp_enabled_at` on;
    `totp_last_step` is the newest step whose code was used. `preferences` holds what surfaces keep for a person and
    nothing reads but the surface (`gitName`, `sshPublicKey`, …).
    """

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
    joined_at: Mapped[datetime | None]
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_enabled_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None] = mapped_column(BigId)
    preferences: Mapped[dict[str, Any] | None]


Index("uq_identity_users_username", func.lower(User.username), unique=True)
Index("uq_identity_users_email", func.lower(User.email), unique=True)


class UserSession(Identified, Base):
    """One sign-in. Its tokens end with it; revoking it ends them all at once. What a provider vouched for has its
    account there, and the provider's name of the session (`sid`).
    """

    __tablename__ = "identity_sessions"
    __table_args__ = (
        Index("ix_identity_sessions_user_id", "user_id"),
        Index("ix_identity_sessions_external_account_id", "external_account_id"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    client_kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str | None] = mapped_column(String(100))
    user_agent: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    external_account_id: Mapped[int | None] = mapped_column(BigId)
    external_session: Mapped[str | None] = mapped_column(String(255))


class SessionToken(Base):
    """A credential of a session, kept as its hash. `kind`: see `sessions.LIFE`. `used_at` is when it was exchanged, or
    used last where it may not lie unused (`sessions.IDLE`).
    """

    __tablename__ = "identity_session_tokens"
    __table_args__ = (Index("ix_identity_session_tokens_session_id", "session_id"),)

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("identity_sessions.id"))
    kind: Mapped[str] = mapped_column(String(10))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of the codes that stand in for a second factor once, kept as its hash."""

    __tablename__ = "identity_recovery_codes"

    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime | None]


class Link(Base):
    """Something that proves its bearer once and soon ends, kept as its hash.

    `purpose`: `reset` (a forgotten password), `invite` (an invitation), `second-factor` (a password was right, a code
    is still to come), `address` (`email` is to be confirmed). A newer one of the same purpose ends those before it,
    of a forgotten password only those that have had their time (`recovery.BESIDE`).
    `invitation_id` names the invitation that it accepts, and then only links of that one are those before it.
    """

    __tablename__ = "identity_links"
    __table_args__ = (Index("ix_identity_links_user_id", "user_id"),)

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    invitation_id: Mapped[int | None] = mapped_column(BigId)
    email: Mapped[str | None] = mapped_column(String(320))
    asked_by: Mapped[int | None] = mapped_column(BigId)
    """Who asked for the address, while they acted in the organization `asked_in`."""
    asked_in: Mapped[int | None] = mapped_column(BigId)


class Invitation(Identified, Base):
    """Somebody was asked into an organization. The person exists from then on, and can do nothing until they accept.

    `roles` are keys of roles, given when this invitation is accepted: until then nobody has them.
    """

    __tablename__ = "identity_invitations"
    __table_args__ = (Index("ix_identity_invitations_organization_id", "organization_id", "id"),)

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id"))
    email: Mapped[str] = mapped_column(String(320))
    roles: Mapped[list[str]]
    invited_by: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class PersonalToken(Identified, Base):
    """A token that acts as its owner, within `scopes` where there are any; kept as its hash."""

    __tablename__ = "identity_personal_tokens"
    __table_args__ = (Index("ix_identity_personal_tokens_user_id", "user_id", "id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    label: Mapped[str] = mapped_column(String(200))
    prefix: Mapped[str] = mapped_column(String(20))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class DeployToken(Identified, Base):
    """A credential of a pipeline: it works on the routes that its contract names, within its scope, nowhere else."""

    __tablename__ = "identity_deploy_tokens"
    __table_args__ = (Index("ix_identity_deploy_tokens_organization_id", "organization_id", "id"),)

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    suffix: Mapped[str] = mapped_column(String(8))
    scope: Mapped[dict[str, Any]]
    created_by: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    rotated_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class DeviceLogin(Base):
    """A program that asks to be let in, by the hash of the code that it made; somebody approves it in the browser.

    `session_id` is the session by which it was approved; `address` and `user_agent` are whence the program asked first
    (`asked_at`); `ended_at` is when it was refused or let in. A code is dead from `expires_at` on, and stays known for
    a day, so that asking again does not revive it.
    """

    __tablename__ = "identity_device_logins"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("identity_users.id"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("identity_organizations.id"))
    session_id: Mapped[int | None] = mapped_column(BigId)
    address: Mapped[str | None] = mapped_column(String(100))
    user_agent: Mapped[str | None] = mapped_column(String(300))
    asked_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class ExternalAccount(Identified, Base):
    """An account of a person with an OpenID Connect provider."""

    __tablename__ = "identity_external_accounts"
    __table_args__ = (
        Index("uq_identity_external_accounts_subject", "issuer", "subject", unique=True),
        Index("ix_identity_external_accounts_user_id", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id"))
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]
