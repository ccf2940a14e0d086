"""Specifications and what they were before."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified

_LOOKED_AT = text("drift_due_at IS NOT NULL")


class Spec(Identified, Base):
    """What somebody declares. `document` is canonical and whole (contract: infra §1.2), `configuration_hash` its hash.
    `before_status` is what a plan gives back when it ends, `applied_hash` the configuration that stands, made with
    the identity `applied_identity_id` in the account `applied_account` (`aws 123456789012`; "" for none, None where it
    is not known). `outputs` and `components` are what the last apply told, without what is sensitive. `module` says
    where its Terraform comes from: `{kind: bundled | git, name, url, commit, path}`; `module_token` is the sealed token
    of a private repository. Looks for drift work with `drift_cloud_identity_id` where there is one, which may be one
    that can only read.
    `orphan_risk` says in words what may be left over. Drift is looked at every `drift_minutes`, next at `drift_due_at`.
    """

    __tablename__ = "infra_specs"
    __table_args__ = (
        Index("ix_infra_specs_organization_id", "organization_id", "id"),
        Index("ix_infra_specs_status", "organization_id", "status", "id"),
        Index("ix_infra_specs_zone_id", "zone_id", "id"),
        Index("ix_infra_specs_project_name", "organization_id", "project_name", "id"),
        Index("ix_infra_specs_drift_due_at", "drift_due_at", sqlite_where=_LOOKED_AT, postgresql_where=_LOOKED_AT),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("infra_zones.id", ondelete="SET NULL"))
    owner_id: Mapped[int] = mapped_column(BigInteger)
    cloud_identity_id: Mapped[int | None] = mapped_column(ForeignKey("infra_cloud_identities.id", ondelete="SET NULL"))
    project_name: Mapped[str] = mapped_column(String(200))
    environment_stage: Mapped[str] = mapped_column(String(20))
    region: Mapped[str] = mapped_column(String(100))
    provider: Mapped[str] = mapped_column(String(20))
    terraform_version: Mapped[str] = mapped_column(String(40))
    document: Mapped[dict[str, Any]]
    configuration_hash: Mapped[str] = mapped_column(String(64))
    module: Mapped[dict[str, Any]]
    module_token: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)
    status: Mapped[str] = mapped_column(String(20))
    before_status: Mapped[str | None] = mapped_column(String(20))
    applied_hash: Mapped[str | None] = mapped_column(String(64))
    applied_identity_id: Mapped[int | None] = mapped_column(BigInteger)
    applied_account: Mapped[str | None] = mapped_column(String(200))
    outputs: Mapped[dict[str, Any]] = mapped_column(default=dict)
    components: Mapped[dict[str, Any]] = mapped_column(default=dict)
    estimated_monthly_cost: Mapped[float | None] = mapped_column(Float)
    orphan_risk: Mapped[str | None] = mapped_column(Text)
    drift: Mapped[dict[str, Any] | None]
    drift_minutes: Mapped[int | None]
    drift_cloud_identity_id: Mapped[int | None] = mapped_column(BigInteger)
    drift_due_at: Mapped[datetime | None]
    drift_checked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SpecVersion(Identified, Base):
    """The document as somebody left it, numbered from 1."""

    __tablename__ = "infra_spec_versions"
    __table_args__ = (UniqueConstraint("spec_id", "number"),)

    spec_id: Mapped[int] = mapped_column(ForeignKey("infra_specs.id", ondelete="CASCADE"))
    number: Mapped[int]
    document: Mapped[dict[str, Any]]
    configuration_hash: Mapped[str] = mapped_column(String(64))
    author_id: Mapped[int] = mapped_column(BigInteger)
    comment: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]
