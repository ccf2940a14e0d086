"""Hosts we reach, where on them we deploy, and which names they give."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, BigId, Identified, Json


class Server(Identified, Base):
    """A deployment target. Lifecycle `active → inactive`, then deleted. Provider `local-shell` is this machine."""

    __tablename__ = "fleet_servers"
    __table_args__ = (
        Index("ix_fleet_servers_organization_id", "organization_id", "id"),
        Index("ix_fleet_servers_provider", "provider", "lifecycle", "organization_id", "id"),
    )

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    name: Mapped[str] = mapped_column(String(200))
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int] = mapped_column(default=22)
    provider: Mapped[str] = mapped_column(String(40))
    target_kind: Mapped[str] = mapped_column(String(40))
    lifecycle: Mapped[str] = mapped_column(String(20), default="active")
    deactivated_at: Mapped[datetime | None]
    deactivation_reason: Mapped[str | None] = mapped_column(String(280))
    uninstalling_at: Mapped[datetime | None]  # since then it takes nothing new, until that has ended
    proxy_kind: Mapped[str] = mapped_column(String(20))
    proxy_status: Mapped[str] = mapped_column(String(20))
    proxy_attempted_at: Mapped[datetime | None]
    proxy_succeeded_at: Mapped[datetime | None]
    proxy_error_code: Mapped[str | None] = mapped_column(String(100))
    proxy_error_message: Mapped[str | None] = mapped_column(Text)
    edge_http_port: Mapped[int | None]
    edge_https_port: Mapped[int | None]
    engine_use: Mapped[str | None] = mapped_column(String(20))
    engine_decided_at: Mapped[datetime | None]
    engine_reason: Mapped[str | None] = mapped_column(String(280))
    engine_job_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[datetime]


class Destination(Identified, Base):
    """A place on a server (`dst_…`). Each server gets its default one at first need."""

    __tablename__ = "fleet_destinations"
    __table_args__ = (Index("uq_fleet_destinations_name", "server_id", "name", unique=True),)

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    server_id: Mapped[int] = mapped_column(ForeignKey("fleet_servers.id"))
    name: Mapped[str] = mapped_column(String(100), default="default")
    kind: Mapped[str] = mapped_column(String(20), default="docker")
    created_at: Mapped[datetime]


class AccessPolicy(Identified, Base):
    """How generated access domains are made: for the system (`server_id` 0) or for one server."""

    __tablename__ = "fleet_access_policies"
    __table_args__ = (Index("uq_fleet_access_policies_scope", "organization_id", "server_id", unique=True),)

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    server_id: Mapped[int] = mapped_column(BigId, default=0)
    mode: Mapped[str] = mapped_column(String(20))
    provider: Mapped[str | None] = mapped_column(String(60))
    template: Mapped[str | None] = mapped_column(String(255))
    updated_at: Mapped[datetime]


class ProxyAttempt(Identified, Base):
    """One attempt to bring up or mend the edge of a server (`pxy_…`), with how it ended."""

    __tablename__ = "fleet_proxy_attempts"
    __table_args__ = (Index("ix_fleet_proxy_attempts_server_id", "server_id", "id"),)

    ref: Mapped[str] = mapped_column(String(40), unique=True)
    server_id: Mapped[int] = mapped_column(ForeignKey("fleet_servers.id"))
    reason: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(10))
    error_code: Mapped[str | None] = mapped_column(String(100))
    error_message: Mapped[str | None] = mapped_column(Text)
    job_id: Mapped[int | None] = mapped_column(BigId)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Sighting(Identified, Base):
    """What was last seen of a server behind SSH. `code` and `message` say why it was not reached at `looked_at`, and
    are none where it was, as is `missed_at`, since when it is out of reach; `failed` lists name, code and message of
    what its last connectivity test missed there. The disk is the fullest one that was seen, in bytes.
    """

    __tablename__ = "fleet_sightings"
    __table_args__ = (Index("uq_fleet_sightings_server_id", "server_id", unique=True),)

    server_id: Mapped[int] = mapped_column(ForeignKey("fleet_servers.id"))
    looked_at: Mapped[datetime]
    reached_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]
    code: Mapped[str | None] = mapped_column(String(100))
    message: Mapped[str | None] = mapped_column(Text)
    failed: Mapped[Any | None] = mapped_column(Json)
    engine: Mapped[str | None] = mapped_column(String(100))
    disk_free: Mapped[int | None] = mapped_column(BigId)
    disk_size: Mapped[int | None] = mapped_column(BigId)
    disk_mount: Mapped[str | None] = mapped_column(String(255))
