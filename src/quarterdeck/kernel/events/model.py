"""The tables of the durable domain events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from quarterdeck.kernel.db.types import Base, BigId, Instant


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in a domain. `sequence` counts from 1 within its stream; `cursor` names it outside."""

    id: int
    stream: str
    sequence: int
    cursor: str
    type: str
    data: dict[str, Any]
    at: datetime
    organization_id: int | None
    correlation_id: str


class Gap(msgspec.Struct, frozen=True):
    """Events after `after` up to and including `until` are no longer kept."""

    stream: str
    after: int
    until: int


event_streams = Table(
    "event_streams",
    Base.metadata,
    Column("stream", String(200), primary_key=True),
    Column("organization_id", BigInteger),
    Column("head", BigInteger, nullable=False),
    Column("watermark", BigInteger, nullable=False),  # the last pruned sequence, 0 while all are kept
)

domain_events = Table(
    "domain_events",
    Base.metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("stream", String(200), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("cursor", String(32), nullable=False, unique=True),
    Column("type", String(96), nullable=False),
    Column("data", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("organization_id", BigInteger),
    Column("correlation_id", String(64), nullable=False),
    # PostgreSQL: the writing transaction, so that subscribers never step over one that is still open. SQLite: 0.
    Column("transaction", BigInteger, nullable=False),
    UniqueConstraint("stream", "sequence"),
    Index("ix_domain_events_transaction_id", "transaction", "id"),
    Index("ix_domain_events_type_transaction_id", "type", "transaction", "id"),
    Index("ix_domain_events_at", "at"),
    sqlite_autoincrement=True,
)

event_subscribers = Table(
    "event_subscribers",
    Base.metadata,
    Column("name", String(96), primary_key=True),
    Column("transaction", BigInteger, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_error", String(200)),
    Column("retry_at", Instant),
)
