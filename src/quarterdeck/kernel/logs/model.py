"""Where log lines are kept: in a file of their own on SQLite, beside the other tables on PostgreSQL."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, String, Table, Text

from quarterdeck.kernel.db.types import Base, BigId, Instant

log_streams = Table(
    "log_streams",
    Base.metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("head", BigInteger, nullable=False),
    Column("watermark", BigInteger, nullable=False),  # the last pruned number, 0 while all are kept
    Column("bytes", BigInteger, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("updated_at", Instant, nullable=False, index=True),
    info={"own_file": True},
    sqlite_autoincrement=True,
)

log_lines = Table(
    "log_lines",
    Base.metadata,
    Column("stream_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("source", String(16), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("phase", String(64)),
    Column("level", String(16), nullable=False),
    Column("message", Text, nullable=False),
    info={"own_file": True},
    sqlite_with_rowid=False,
)
