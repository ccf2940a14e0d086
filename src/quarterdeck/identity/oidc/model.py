"""Providers of an organization, sign-ins that are on their way, and notices of sign-outs that were taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class OidcProvider(Identified, Base):
    """`client_secret` is sealed, and missing for a public client. `group_roles` maps a group that the provider names in
    `groups_claim` to keys of roles; `default_roles` are those of somebody new whose groups name none. An empty
    `email_domains` lets in everybody whom the provider knows. `links_by_email` makes a verified address of the
    provider's good for an account that exists.
    """

    __tablename__ = "identity_oidc_providers"
    __table_args__ = (Index("ix_identity_oidc_providers_organization_id", "organization_id", "id"),)

    slug: Mapped[str] = mapped_column(String(60), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(100))
    issuer: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(255))
    client_secret: Mapped[str | None] = mapped_column(Text)
    scopes: Mapped[list[str]]
    groups_claim: Mapped[str] = mapped_column(String(100))
    group_roles: Mapped[dict[str, Any]]
    default_roles: Mapped[list[str]]
    email_domains: Mapped[list[str]]
    links_by_email: Mapped[bool]
    enabled: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class OidcRequest(Base):
    """A browser that was sent to a provider, by the hash of its `state`; good once, for ten minutes, in that browser
    alone (`browser` is the hash of its cookie). `verifier` is sealed. With `user_id` it connects an account to somebody
    who is signed in, instead of signing in.
    """

    __tablename__ = "identity_oidc_requests"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("identity_oidc_providers.id"))
    browser: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(1000))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("identity_users.id"))
    expires_at: Mapped[datetime]


class OidcNotice(Base):
    """A logout token that was taken, by the hash of issuer and `jti`: a second time it is a replay."""

    __tablename__ = "identity_oidc_notices"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]
