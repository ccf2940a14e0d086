"""What a backup says of itself: whose it is, what is in it, and the checksum of every file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.unreadable import UNREADABLE

FORMAT = "quarterdeck-backup"
VERSION = 1
HEADER, MANIFEST, SUM = "backup.json", "manifest.json", "manifest.json.sha256"
DATABASE, LOGS, TABLES = "quarterdeck.db", "logs.db", "postgresql"
KEY, SEALED_KEY = "master.key", "master.key.sealed"
RUNTIME, ARTEFACTS, SECRETS = "runtime", "artefacts", "secrets"
TOPS = frozenset({DATABASE, LOGS, TABLES, KEY, SEALED_KEY, RUNTIME, ARTEFACTS, SECRETS})

KeyForm = Literal["apart", "plain", "passphrase", "backend"]
"""`backend`: every data key is wrapped by a key backend elsewhere, so that no master key belongs to the backup."""


LOCAL = "local"


class DataKey(msgspec.Struct, frozen=True):
    """A data key as the database holds it: of use only with the master key that it names, which `backend` has."""

    id: str
    master_key_id: str
    wrapped: str
    backend: str = LOCAL


class Table(msgspec.Struct, frozen=True):
    name: str
    rows: int
    columns: list[str] = []


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file, a directory or a symbolic link; `mode`, `uid` and `gid` as they were."""

    path: str
    kind: Literal["file", "directory", "link"] = "file"
    size: int = 0
    sha256: str = ""
    target: str = ""
    mode: int = 0o600
    uid: int = 0
    gid: int = 0


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing in a backup: a file that does not begin with it is none of ours."""

    format: str
    version: int
    instance: str
    created_at: str
    release: str
    schema: str
    database: Literal["sqlite", "postgresql"]
    data_dir: str
    key: KeyForm


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The last thing in a backup: it is whole only if this is there and everything agrees with it."""

    header: Header
    entries: list[Entry]
    tables: list[Table]
    sequences: dict[str, int] = {}
    data_keys: list[DataKey] = []

    @property
    def backends(self) -> set[str]:
        """The key backends elsewhere that some of its secrets need."""
        return {key.backend for key in self.data_keys} - {LOCAL}

    @property
    def needs_master_key(self) -> bool:
        """Whether some of its secrets need the file `master.key`."""
        return not self.data_keys or any(key.backend == LOCAL for key in self.data_keys)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def releases(self) -> set[str]:
        below = (PurePosixPath(entry.path).parts for entry in self.entries)
        return {parts[2] for parts in below if len(parts) > 2 and parts[:2] == (RUNTIME, "releases")}


def header_of(data: bytes, file: Path) -> Header:
    """Raises `Invalid` (`backup_foreign`) for what is not a header, `Conflict` for one of a later form."""
    try:
        found = msgspec.json.decode(data, type=Header)
    except UNREADABLE:
        raise foreign(file) from None
    if found.format != FORMAT:
        raise foreign(file)
    if found.version != VERSION:
        raise Conflict(
            f"{file} has the form {found.version} of a backup, which this program does not know.",
            code="backup_newer_than_program",
            hint="Restore it with the release that made it, or a later one.",
        )
    return found


def checked_path(path: str, file: Path) -> PurePosixPath:
    """A path of the backup that may be written below a directory. Raises `Invalid` for any other."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or pure.parts[0] not in TOPS or "\0" in path:
        raise damaged(file, f"it names {path[:80]!r}, which is no place of a backup")
    return pure


def check_link(path: PurePosixPath, file: Path) -> None:
    """Raise `Invalid` for a link anywhere but in a release: a database or a directory of ours that is one would lead
    to a place that nobody meant.
    """
    if len(path.parts) < 4 or path.parts[:2] != (RUNTIME, "releases"):
        raise damaged(file, f"{str(path)[:80]!r} is a link, which is found in releases only")


def check_directory(path: PurePosixPath, file: Path) -> None:
    """Raise `Invalid` for a directory in the place of a file."""
    if path.parts[0] not in {RUNTIME, TABLES, ARTEFACTS, SECRETS}:
        raise damaged(file, f"{str(path)[:80]!r} is a directory, where a file belongs")


def foreign(file: Path) -> Invalid:
    return Invalid(
        f"{file} is not a backup of Quarterdeck.",
        code="backup_foreign",
        hint="Give the file that `quarterdeck backup` wrote.",
    )


def damaged(file: Path, why: str) -> Invalid:
    return Invalid(
        f"{file} is not whole: {why}. Nothing was restored.",
        code="backup_damaged",
        hint="Copy it again from where it was kept, or take an older one.",
    )


def unreadable(file: Path, error: OSError) -> Invalid:
    return Invalid(
        f"The backup {file} cannot be read ({error.strerror}).",
        code="backup_unreadable",
        hint="Check the path, and that the user that runs Quarterdeck may read it.",
    )
