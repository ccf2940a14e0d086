"""A backup unpacked beside the place that it will have, and proven there before anything else is touched."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
import structlog

from quarterdeck.backups import databases, keys
from quarterdeck.backups.archive import CHUNK, walk
from quarterdeck.backups.manifest import (
    DATABASE,
    KEY,
    LOGS,
    RUNTIME,
    SEALED_KEY,
    TABLES,
    Entry,
    Header,
    Manifest,
    damaged,
)
from quarterdeck.fleet.processes import accounts
from quarterdeck.kernel.durable import write_durably
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.wrapping import NO_OTHERS, Others

NOTE = "backup.json"
ACCOUNTS = f"{RUNTIME}/processes/accounts.json"
log = structlog.get_logger(__name__)


def unpack(file: Path, place: Path, *, everything: bool) -> Manifest:
    """Write the databases and the key into `place`, with `everything` also what lies below `runtime`. All of it is
    ours; see `give`.
    """
    links: list[tuple[Path, str]] = []
    directories: list[tuple[Path, Entry]] = []

    def sink(entry: Entry, content: IO[bytes] | None) -> None:
        target = place / entry.path
        if entry.path.startswith("runtime/") and not everything:
            return
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        if entry.kind == "link":
            links.append((target, entry.target))
        elif entry.kind == "directory":
            target.mkdir(exist_ok=True, mode=0o700)
            directories.append((target, entry))
        elif content is not None:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as out:  # noqa: PTH123 - the descriptor carries the mode
                while data := content.read(CHUNK):
                    out.write(data)
                os.fchmod(descriptor, entry.mode & 0o777)
                out.flush()
                os.fsync(descriptor)

    manifest = walk(file, sink)
    # Links come last, so that nothing was ever written through one; directories close after what is in them.
    for path, target in links:
        path.symlink_to(target)
    for path, entry in reversed(directories):
        with _held(path, os.O_DIRECTORY) as descriptor:
            os.fchmod(descriptor, entry.mode & 0o777)
    return manifest


def give(place: Path, manifest: Manifest, becomes: Path) -> None:
    """To each user of an application what was one's, by the number that the account has on this host once `place` has
    become the data directory `becomes`; no other owner is taken from a backup. A book that says nothing is left out:
    accounts get numbers of their own when they are first asked for.
    """
    file = place / ACCOUNTS
    if not file.exists():
        return
    try:
        book = msgspec.json.decode(file.read_bytes(), type=dict[str, int])
    except UNREADABLE:
        log.warning("user_numbers_not_restored", file=ACCOUNTS, hint="Deploy host processes and agents' work again.")
        file.unlink()
        return
    numbers = accounts.translated(becomes / Path(ACCOUNTS).parent, book)
    if numbers:
        write_durably(file, msgspec.json.encode({name: numbers[number] for name, number in book.items()}))
    for entry in manifest.entries:
        uid = numbers.get(entry.uid)
        if uid is None:
            continue
        if entry.kind == "link":
            os.chown(place / entry.path, uid, uid, follow_symlinks=False)
            continue
        with _held(place / entry.path) as descriptor:
            os.fchown(descriptor, uid, uid)


@contextlib.contextmanager
def _held(path: Path, flags: int = 0) -> Iterator[int]:
    """What is changed of it is there for good afterwards."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags)
    try:
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prove(file: Path, place: Path, manifest: Manifest) -> None:
    """Raise `Invalid` unless the unpacked databases are sound and hold what the manifest says."""
    header = manifest.header
    if header.database == "sqlite":
        for name in (DATABASE, LOGS):
            wrong = databases.fault(place / name) if (place / name).exists() else None
            if wrong is not None:
                raise damaged(file, f"{name} is no sound database ({wrong[:80]})")
        if not (place / DATABASE).exists() or databases.facts(place / DATABASE)[:2] != (header.schema, header.instance):
            raise damaged(file, "its database is not that of its header")
        counted = {table.name: table.rows for table in databases.tables(place / DATABASE)}
    else:
        counted = {table.name: _lines(place / TABLES / f"{table.name}.copy") for table in manifest.tables}
    for table in manifest.tables:
        if counted.get(table.name) != table.rows:
            raise damaged(file, f"the table {table.name} has {counted.get(table.name)} rows instead of {table.rows}")


def _lines(file: Path) -> int:
    if not file.exists():
        return -1
    with file.open("rb") as opened:
        return sum(data.count(b"\n") for data in iter(lambda: opened.read(CHUNK), b""))


def put_key(
    place: Path, manifest: Manifest, *, key: Path | None, passphrase: Secret[str] | None, others: Others = NO_OTHERS
) -> None:
    """The master key as `master.key` in `place`, if any secret needs it, and the proof that all of them open.

    It is the one named, else the one in the backup; `others` are the key backends elsewhere. Raises `Conflict`.
    """
    target = place / KEY
    if not manifest.needs_master_key:
        target.unlink(missing_ok=True)
    elif key is not None:
        write_durably(target, _read(key))
    elif (place / SEALED_KEY).exists():
        if passphrase is None:
            raise Conflict(
                "The master key of this backup is sealed with a passphrase.",
                code="backup_passphrase_missing",
                hint="Give it with --passphrase @FILE (or - for stdin), or the master key itself with --key FILE.",
            )
        write_durably(target, keys.unseal((place / SEALED_KEY).read_bytes(), passphrase, manifest.header.instance))
        (place / SEALED_KEY).unlink()
    elif not target.exists():
        raise Conflict(
            "This backup does not contain the master key, and without it no secret in it can be opened.",
            code="backup_key_missing",
            hint="Give the master.key that you keep apart: --key FILE.",
        )
    try:
        keys.require_opening(target, manifest.data_keys, others)
    except Conflict as problem:  # a person knows the file that was given, not where it was put
        told = problem.message.replace(str(target), str(key or target))
        raise Conflict(told, code=problem.code, hint=problem.hint) from None


def _read(key: Path) -> bytes:
    try:
        return key.read_bytes()
    except OSError as error:
        raise Conflict(
            f"The master key {key} cannot be read ({error.strerror}).",
            code="backup_key_missing",
            hint="Give the master.key that you keep apart: --key FILE.",
        ) from None


def note(place: Path, header: Header) -> None:
    write_durably(place / NOTE, msgspec.json.encode(header))
