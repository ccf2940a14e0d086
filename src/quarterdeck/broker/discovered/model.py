"""Secrets that agents have found, without their values."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class DiscoveredSecret(Identified, Base):
    """One secret (contract: broker §8), known by cluster, provider and reference."""

    __tablename__ = "broker_secrets"
    __table_args__ = (
        Index("uq_broker_secrets_ref", "organization_id", "cluster_name", "provider_type", "secret_ref", unique=True),
        Index("ix_broker_secrets_seen", "status", "last_seen_at"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    cluster_name: Mapped[str] = mapped_column(String(200))
    provider_type: Mapped[str] = mapped_column(String(40))
    secret_ref: Mapped[str] = mapped_column(String(1000))
    provider_config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    labels: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[str | None] = mapped_column(String(200))
    checksum: Mapped[str | None] = mapped_column(String(200))
    created_at_source: Mapped[datetime | None]
    updated_at_source: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(10), default="present")
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class SecretLabel(Base):
    """The labels once more, a row each, for lists that are filtered by them."""

    __tablename__ = "broker_secret_labels"

    secret_id: Mapped[int] = mapped_column(ForeignKey("broker_secrets.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[str] = mapped_column(String(500))

    __table_args__ = (Index("ix_broker_secret_labels_pair", "key", "value", "secret_id"),)
