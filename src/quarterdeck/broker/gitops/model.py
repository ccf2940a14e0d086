"""ArgoCD servers, which application uses which secrets, and what was seen of them after a change."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified

_STANDING = text("deleted_at IS NULL")
_LIVE = text("terminal_at IS NULL")


class ArgocdEndpoint(Identified, Base):
    """A server of ArgoCD (contract: broker §1.11); `token` is sealed, and `kms_key_id` names what by."""

    __tablename__ = "broker_argocd_endpoints"
    __table_args__ = (
        Index(
            "uq_broker_argocd_endpoints_name",
            "organization_id",
            "name",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    environment_id: Mapped[int | None] = mapped_column(
        ForeignKey("workspace_environments.id", ondelete="SET NULL"), index=True
    )
    base_url: Mapped[str] = mapped_column(String(1000))
    token: Mapped[str] = mapped_column(Text)
    kms_key_id: Mapped[str] = mapped_column(String(200))
    tls_ca_pem: Mapped[str | None] = mapped_column(Text)
    tls_server_name: Mapped[str | None] = mapped_column(String(300))
    enabled: Mapped[bool] = mapped_column(default=True)
    last_health_at: Mapped[datetime | None]
    health_error: Mapped[str | None] = mapped_column(String(1000))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class AppMapping(Identified, Base):
    """An application that uses what a connection keeps, or a single discovered secret: one of both."""

    __tablename__ = "broker_app_mappings"
    __table_args__ = (
        Index("ix_broker_app_mappings_organization_id", "organization_id", "application_name"),
        CheckConstraint("(secret_id IS NULL) <> (connection_id IS NULL)", name="one_scope"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    secret_id: Mapped[int | None] = mapped_column(ForeignKey("broker_secrets.id", ondelete="CASCADE"), index=True)
    connection_id: Mapped[int | None] = mapped_column(
        ForeignKey("broker_connections.id", ondelete="CASCADE"), index=True
    )
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("broker_argocd_endpoints.id", ondelete="CASCADE"), index=True)
    application_name: Mapped[str] = mapped_column(String(300))
    application_namespace: Mapped[str | None] = mapped_column(String(300))
    project_name: Mapped[str | None] = mapped_column(String(300))
    cluster_name: Mapped[str | None] = mapped_column(String(300))
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Observation(Identified, Base):
    """What is seen of one application after a request was executed (contract: broker §4.5): `queued → active → applied
    | failed | applied_unverified`. `before` is how it stood when the watch began: only what is newer than the execution
    is judged.
    """

    __tablename__ = "broker_observations"
    __table_args__ = (
        UniqueConstraint("request_id", "mapping_id"),
        Index("ix_broker_observations_live", "last_polled_at", sqlite_where=_LIVE, postgresql_where=_LIVE),
    )

    request_id: Mapped[int] = mapped_column(ForeignKey("broker_requests.id", ondelete="CASCADE"))
    mapping_id: Mapped[int] = mapped_column(ForeignKey("broker_app_mappings.id", ondelete="CASCADE"), index=True)
    application_name: Mapped[str] = mapped_column(String(300))
    application_namespace: Mapped[str | None] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(20))
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    observed: Mapped[dict[str, Any]] = mapped_column(default=dict)
    polls: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(1000))
    executed_at: Mapped[datetime]
    timeout_at: Mapped[datetime]
    last_polled_at: Mapped[datetime | None]
    terminal_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
