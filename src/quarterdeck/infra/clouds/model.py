"""Cloud identities."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class CloudIdentity(Identified, Base):
    """Whom a runner becomes in a cloud. `credentials` names roles, accounts and tenants, no long-lived key; what of it
    is secret (`external_id`, `wif_config`) stands in `sealed`, a JSON object under the vault. `cached_resources` is
    what a runner found with it. `zones` are rows of the zones whose specifications alone may use it; none: all may.
    """

    __tablename__ = "infra_cloud_identities"
    __table_args__ = (Index("ix_infra_cloud_identities_organization_id", "organization_id", "id"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    owner_id: Mapped[int] = mapped_column(BigInteger)
    provider: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))
    credentials: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sealed: Mapped[str | None] = mapped_column(Text)
    cached_resources: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cached_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    zones: Mapped[list[Any] | None]
    check_job_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


class IssuerKey(Identified, Base):
    """A key that signs tokens for clouds: `public` is its public JWK, `sealed` the private one under the vault. All are
    published; which one signs, and until when one stays, is said by `turning`.
    """

    __tablename__ = "infra_issuer_keys"

    public: Mapped[dict[str, Any]]
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
