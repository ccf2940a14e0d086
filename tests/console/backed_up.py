"""What the console is told about backups, in its tests."""

from __future__ import annotations

from datetime import datetime

from quarterdeck.console.views.backups import BackupView

WHERE = ("/var/lib/quarterdeck", "the database (SQLite)")


def backed_up(made: datetime | None) -> BackupView:
    if made is None:
        return BackupView(("installation-backup", "missing", None), None, "", 0, "", *WHERE)
    file = "/mnt/backups/quarterdeck-20260531T120000Z.tar.gz"
    return BackupView(("installation-backup", "fresh", None), made, file, 48_000_000, "passphrase", *WHERE)
