"""Saved plans as files of this machine, each whole or not there: a draft, synced, then renamed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from quarterdeck.infra.artefacts.store import Lying, checked, is_key, unavailable
from quarterdeck.kernel.durable import sync
from quarterdeck.kernel.faults import point

DIRECTORY = "artefacts"
INCOMING = ".incoming"
TRIES = 3


class LocalStore:
    """A `Store` below a directory, which is made at first use and readable by its owner alone."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def incoming(self) -> Path:
        place = self.root / INCOMING
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
        except OSError as error:
            raise unavailable(error.strerror or "the directory cannot be made") from None
        return place

    def _place(self, key: str) -> Path:
        return self.root / checked(key)

    def put(self, key: str, draft: Path) -> None:
        place = self._place(key)
        try:
            sync(draft)
            point("infra.artefact.written")
            _rename(draft, place)
            sync(place.parent)
            sync(self.root)
        except OSError as error:
            raise unavailable(error.strerror or "the file cannot be written") from None
        point("infra.artefact.kept")

    def open(self, key: str) -> BinaryIO | None:
        try:
            return self._place(key).open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unavailable(error.strerror or "the file cannot be read") from None

    def there(self, key: str) -> bool | None:
        return self._place(key).is_file()

    def delete(self, key: str) -> None:
        place = self._place(key)
        try:
            place.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # there are others of the job
                place.parent.rmdir()
        except OSError as error:
            raise unavailable(error.strerror or "the file cannot be removed") from None

    def listed(self) -> Iterator[Lying]:
        if not self.root.is_dir():
            return
        for directory in self.root.iterdir():
            for file in directory.iterdir() if directory.is_dir() and directory.name != INCOMING else ():
                key = f"{directory.name}/{file.name}"
                if is_key(key):
                    yield Lying(key, datetime.fromtimestamp(file.stat().st_mtime, UTC))


def _rename(draft: Path, place: Path) -> None:
    """The directory of a job goes with the last of its plans, and that may be now."""
    for _ in range(TRIES):
        place.parent.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            draft.rename(place)
            return
    draft.rename(place)
