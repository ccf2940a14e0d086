"""What is known about the last backup."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from quarterdeck.backups import record
from quarterdeck.console.views.backups import BackupView

FRESH = timedelta(days=7)


def view(instance: Any) -> BackupView:
    last = record.last(instance.data)
    database = "the database (SQLite)" if instance.db.dialect == "sqlite" else "the database (PostgreSQL)"
    place = str(instance.data.path)
    if last is None:
        return BackupView(("installation-backup", "missing", None), None, "", 0, "", place, database)
    made = datetime.fromisoformat(last.created_at)
    state = "fresh" if instance.db.clock.now() - made < FRESH else "stale"
    return BackupView(("installation-backup", state, None), made, last.file, last.size, last.key, place, database)
