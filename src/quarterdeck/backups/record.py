"""The last backup, remembered beside the data: what console and doctor tell."""

from __future__ import annotations

import msgspec

from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.durable import write_durably
from quarterdeck.kernel.unreadable import UNREADABLE

NAME = "last-backup.json"


class Last(msgspec.Struct, frozen=True):
    """`key`: whether the master key lies in it (`plain`, `passphrase`) or not (`apart`); `backend`: none is needed."""

    created_at: str
    file: str
    size: int
    key: str


def keep(data: DataDirectory, last: Last) -> None:
    write_durably(data.path / NAME, msgspec.json.encode(last))


def last(data: DataDirectory) -> Last | None:
    """None when there never was one, or the note of it cannot be read."""
    try:
        return msgspec.json.decode((data.path / NAME).read_bytes(), type=Last)
    except (OSError, *UNREADABLE):
        return None
