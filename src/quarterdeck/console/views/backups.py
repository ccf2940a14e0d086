"""Whether there is a backup, and how one is made and given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class BackupView:
    """`state` is a (kind, state, qualifier) triple; `made`, `file`, `size` and `key` are of the last backup, if any.

    `place` is the data directory, `database` what is backed up there.
    """

    state: tuple[str, str, str | None]
    made: datetime | None
    file: str
    size: int
    key: str
    place: str
    database: str
