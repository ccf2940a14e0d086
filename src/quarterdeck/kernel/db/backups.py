"""Copies of the SQLite file, taken before a migration while nothing else writes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.durable import sync
from quarterdeck.kernel.errors import Unavailable

KEPT = 3


def back_up(database: Path, directory: Path, revision: str, *, clock: Clock | None = None) -> Path:
    """Copy the file at `revision` as `quarterdeck-<revision>-<time>.db` (0600); the newest three copies stay.

    The copy is durable before this returns. Raises `Unavailable` when it cannot be made, and leaves nothing behind.
    """
    stamp = (clock or SystemClock()).now().strftime("%Y%m%dT%H%M%S%fZ")
    made = directory / f"quarterdeck-{revision}-{stamp}.db"
    draft = made.with_suffix(".part")
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
            # One file without a log beside it: what is copied away is complete.
            target.execute("PRAGMA journal_mode=DELETE")
        sync(draft)
        draft.replace(made)
        sync(directory)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            draft.unlink()
        raise Unavailable(
            f"The database could not be backed up to {directory} ({error}). It was not migrated.",
            code="backup_failed",
            hint="Make room on the disk, or let the user that runs Quarterdeck write there, and start again.",
        ) from None
    for old in sorted(directory.glob("quarterdeck-*.db"), key=lambda path: path.name.rpartition("-")[2])[:-KEPT]:
        old.unlink(missing_ok=True)
    return made
