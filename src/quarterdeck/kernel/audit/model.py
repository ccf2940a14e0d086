"""The tables of the audit trail, and the triggers that keep them append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    event,
    func,
    text,
)

from quarterdeck.kernel.db.types import Base, BigId, Instant

Outcome = Literal["success", "failure", "denied"]
EXCEPTIONAL = "outcome <> 'success'"
"""What the index of outcomes holds: every statement that is to use it says so in the same words."""


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One act of a principal, as it was written down."""

    id: int
    uid: str
    ref: str
    organization_id: int | None
    at: datetime
    actor_kind: str
    actor_id: int
    actor_label: str
    action: str
    resource_type: str
    resource_id: str
    aggregate_id: str
    outcome: Outcome
    request_id: str
    correlation_id: str
    address: str | None
    detail: dict[str, Any]


audit_events = Table(
    "audit_events",
    Base.metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("uid", String(36), nullable=False, unique=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("organization_id", BigInteger),
    Column("at", Instant, nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", BigInteger, nullable=False),
    Column("actor_label", String(200), nullable=False),
    Column("action", String(96), nullable=False),
    Column("resource_type", String(64), nullable=False),
    Column("resource_id", String(200), nullable=False),
    Column("aggregate_id", String(200), nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("correlation_id", String(64), nullable=False),
    Column("address", String(64)),
    Column("detail", Text, nullable=False),  # JSON as it was written: its digest must not depend on a normal form
    Index("ix_audit_events_aggregate_id_id", "aggregate_id", "id"),
    Index("ix_audit_events_organization_id_id", "organization_id", "id", "at"),  # the time too: it is asked of each
    Index("ix_audit_events_organization_id_action", "organization_id", "action", "id"),
    Index("ix_audit_events_actor", "organization_id", "actor_kind", "actor_id", "id"),
    Index("ix_audit_events_actor_action", "organization_id", "actor_kind", "actor_id", "action", "id"),
    Index("ix_audit_events_resource_type", "organization_id", "resource_type", "id"),
    Index("ix_audit_events_resource_id", "organization_id", "resource_id", "id"),
    Index(
        "ix_audit_events_outcome",
        "organization_id",
        "outcome",
        "id",
        sqlite_where=text(EXCEPTIONAL),
        postgresql_where=text(EXCEPTIONAL),
    ),
    Index("ix_audit_events_correlation_id", "correlation_id", "id"),
    Index("ix_audit_events_at", "at"),
    sqlite_autoincrement=True,
)
Index(
    "ix_audit_events_actor_label",
    audit_events.c.organization_id,
    func.lower(audit_events.c.actor_label),
    audit_events.c.id,
)

# Which events wait for the sealer. Ids commit out of order on PostgreSQL, so no "sealed up to here" would be safe.
audit_unsealed = Table(
    "audit_unsealed",
    Base.metadata,
    Column("event_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
)

# Organization 0 stands for events of no organization.
audit_seals = Table(
    "audit_seals",
    Base.metadata,
    Column("organization_id", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", BigInteger, nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)

# What is left of a pruned event. A row may only be deleted from `audit_events` when its tombstone stands.
audit_tombstones = Table(
    "audit_tombstones",
    Base.metadata,
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("pruned_at", Instant, nullable=False),
)

# How many sealed events there are of each actor and action: what lists answer as their total, and choose filters from.
# The sealer and the pruning keep it. Organization 0 stands for none.
audit_tallies = Table(
    "audit_tallies",
    Base.metadata,
    Column("organization_id", BigInteger, primary_key=True, autoincrement=False),
    Column("action", String(96), primary_key=True),
    Column("actor_kind", String(16), primary_key=True),
    Column("actor_id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor_label", String(200), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# A legal hold keeps matching events from being pruned until it is released; empty columns match everything.
audit_holds = Table(
    "audit_holds",
    Base.metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("uid", String(36), nullable=False, unique=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("organization_id", BigInteger),
    Column("aggregate_id", String(200)),
    Column("action", String(96)),
    Column("from_at", Instant),
    Column("to_at", Instant),
    Column("reason", Text, nullable=False),
    Column("requested_by", String(200)),
    Column("created_at", Instant, nullable=False),
    Column("released_at", Instant),
    Column("released_by", String(200)),
    Column("release_reason", Text),
)

# An archive is a copy of events as they were shown on the day; `content` is JSON whose digest stands beside it.
audit_archives = Table(
    "audit_archives",
    Base.metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("uid", String(36), nullable=False, unique=True),
    Column("ref", String(16), nullable=False, unique=True),
    Column("organization_id", BigInteger),
    Column("aggregate_id", String(200)),
    Column("action", String(96)),
    Column("from_at", Instant),
    Column("to_at", Instant),
    Column("reason", Text, nullable=False),
    Column("item_count", Integer, nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("content", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("retains", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_audit_archives_organization_id_id", "organization_id", "id"),
)

# The events that an archive which `retains` keeps from being pruned; they go with it.
audit_retained = Table(
    "audit_retained",
    Base.metadata,
    Column("event_id", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "archive_id", BigId, ForeignKey("audit_archives.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    Index("ix_audit_retained_archive_id", "archive_id"),
)

APPEND_ONLY = ("audit_events", "audit_seals", "audit_tombstones")
_MESSAGE = "rows of {table} are append-only"

_POSTGRESQL = """
CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  {exception}
  RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation';
END $body$;
CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_append_only();
CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only();
"""
_POSTGRESQL_PRUNED = """IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT 1 FROM audit_tombstones WHERE event_id = OLD.id) THEN RETURN OLD; END IF;
  END IF;"""
_POSTGRESQL_DELETED = "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;"
_SQLITE_UPDATE = "CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END"
_SQLITE_DELETE = (
    "CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {exception} BEGIN SELECT RAISE(ABORT, '{message}'); END"
)
_SQLITE_PRUNED = "WHEN NOT EXISTS (SELECT 1 FROM audit_tombstones WHERE event_id = OLD.id)"
# INSERT OR REPLACE deletes without asking the delete trigger.
_SQLITE_REPLACE = (
    "CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
    "BEGIN SELECT RAISE(ABORT, '{message}'); END"
)
_SAME = {
    "audit_events": "id = NEW.id OR uid = NEW.uid OR ref = NEW.ref",
    "audit_seals": "event_id = NEW.event_id OR (organization_id = NEW.organization_id AND position = NEW.position)",
    "audit_tombstones": "event_id = NEW.event_id",
    "audit_archives": "id = NEW.id OR uid = NEW.uid OR ref = NEW.ref",
}


def _guard(table: Table) -> None:
    """No row of the table changes. Some may go: events that have a tombstone, archives."""
    name, message = table.name, _MESSAGE.format(table=table.name)
    prunable, goes = table is audit_events, table is audit_archives
    for statement in (_SQLITE_UPDATE, _SQLITE_REPLACE) if goes else (_SQLITE_UPDATE, _SQLITE_DELETE, _SQLITE_REPLACE):
        filled = statement.format(
            table=name, message=message, same=_SAME[name], exception=_SQLITE_PRUNED if prunable else ""
        )
        event.listen(table, "after_create", DDL(filled).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
    exception = _POSTGRESQL_PRUNED if prunable else _POSTGRESQL_DELETED if goes else ""
    filled = _POSTGRESQL.format(table=name, message=message, exception=exception)
    event.listen(table, "after_create", DDL(filled).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]


for _table in (audit_events, audit_seals, audit_tombstones, audit_archives):
    _guard(_table)
