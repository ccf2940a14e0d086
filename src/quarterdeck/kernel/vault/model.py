"""The data keys, wrapped."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, String, Table, Text

from quarterdeck.kernel.db.types import Base, Instant

vault_keys = Table(
    "vault_keys",
    Base.metadata,
    Column("id", String(16), primary_key=True),
    Column("backend", String(32), nullable=False),
    Column("master_key_id", String(64), nullable=False),
    Column("wrapped", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
)
