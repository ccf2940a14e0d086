"""Bringing the log file of SQLite to this program's schema. PostgreSQL has these tables among the others, and its
migrations.

The file says by `PRAGMA user_version` how many of the steps it has. A step is never changed once it was released: a
change of `model.py` is a step more. A file from before the count has the first step's tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from quarterdeck.kernel.errors import Conflict

FIRST = (
    """
    CREATE TABLE IF NOT EXISTS log_streams (
      id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
      name VARCHAR(200) NOT NULL,
      head BIGINT NOT NULL,
      watermark BIGINT NOT NULL,
      bytes BIGINT NOT NULL,
      closed BOOLEAN NOT NULL,
      updated_at BIGINT NOT NULL,
      CONSTRAINT uq_log_streams_name UNIQUE (name)
    )""",
    "CREATE INDEX IF NOT EXISTS ix_log_streams_updated_at ON log_streams (updated_at)",
    """
    CREATE TABLE IF NOT EXISTS log_lines (
      stream_id BIGINT NOT NULL,
      number BIGINT NOT NULL,
      at BIGINT NOT NULL,
      source VARCHAR(16) NOT NULL,
      channel VARCHAR(8) NOT NULL,
      phase VARCHAR(64),
      level VARCHAR(16) NOT NULL,
      message TEXT NOT NULL,
      CONSTRAINT pk_log_lines PRIMARY KEY (stream_id, number)
    ) WITHOUT ROWID""",
)
STEPS: tuple[Sequence[str], ...] = (FIRST,)


def upgrade(connection: Connection) -> None:
    """Apply the steps that the file lacks, in the caller's transaction. Raises `Conflict` for a newer file."""
    here = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if here > len(STEPS):
        raise Conflict(
            f"The log file is at schema {here}, which this program does not know: it was written by a newer release.",
            code="schema_newer_than_program",
            hint="Start the release that wrote it, or restore the backup taken before that upgrade.",
        )
    for step in STEPS[here:]:
        for statement in step:
            connection.exec_driver_sql(statement)
    if here < len(STEPS):
        connection.exec_driver_sql(f"PRAGMA user_version = {len(STEPS)}")
