"""Numbers of tasks are given once: events, lines and recordings of a task that is gone are found by its number.

PostgreSQL counts by a sequence and never gave one twice. SQLite did, after the highest had gone; AUTOINCREMENT keeps it
from that, and rows are stored alike with and without. So the table is not copied, which would take everything along
that its foreign keys delete: its definition is written anew where SQLite keeps it, in the transaction of the upgrade.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

ID = re.compile(r"\bid INTEGER NOT NULL\s*,")
KEY = re.compile(r"\n?[ \t]*CONSTRAINT pk_tasks_tasks PRIMARY KEY \(id\)\s*, ?(?=\n)")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    there = "type = 'table' AND name = 'tasks_tasks'"
    before = str(connection.exec_driver_sql(f"SELECT sql FROM sqlite_master WHERE {there}").scalar_one())  # noqa: S608
    after, ids = ID.subn("id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,", before)
    after, keys = KEY.subn("", after)
    if (ids, keys) != (1, 1):
        raise RuntimeError("The table tasks_tasks is not as the migrations make it.")
    connection.execute(sa.text(f"UPDATE sqlite_master SET sql = :sql WHERE {there}"), {"sql": after})  # noqa: S608
    version = int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")  # whoever has read the old one reads again
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
    # Every task told of itself in its stream, which stays when the task goes; so does what is held against its number.
    highest = connection.exec_driver_sql(
        """
        SELECT MAX(number) FROM (
          SELECT MAX(id) AS number FROM tasks_tasks
          UNION ALL SELECT MAX(CAST(substr(stream, 6) AS INTEGER)) FROM event_streams WHERE stream LIKE 'task:%'
          UNION ALL SELECT MAX(CAST(substr(subject, 6) AS INTEGER)) FROM fleet_terminals WHERE subject LIKE 'task:%'
        )
        """
    ).scalar()
    if highest:
        connection.execute(
            sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('tasks_tasks', :seq)"), {"seq": highest}
        )
