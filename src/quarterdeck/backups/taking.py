"""Making a backup, while the server runs or not."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import shutil
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO

import msgspec
import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from quarterdeck import __version__
from quarterdeck.backups import contents, databases, keys, postgresql
from quarterdeck.backups.archive import Writer
from quarterdeck.backups.databases import nothing_to_keep
from quarterdeck.backups.manifest import (
    DATABASE,
    FORMAT,
    KEY,
    LOCAL,
    LOGS,
    SEALED_KEY,
    TABLES,
    VERSION,
    DataKey,
    Header,
    KeyForm,
    Manifest,
    Table,
)
from quarterdeck.backups.record import Last, keep
from quarterdeck.deploy.deployments.retention import needed
from quarterdeck.kernel.clock import Clock, SystemClock, wire_time
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.db.backups import KEPT
from quarterdeck.kernel.db.migrate import is_newest
from quarterdeck.kernel.durable import sync, write_durably
from quarterdeck.kernel.errors import Conflict, Unavailable
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.wrapping import NO_OTHERS

SUFFIX = ".tar.gz"


class Copied(msgspec.Struct, frozen=True):
    """The databases as files in a scratch directory: name in the backup and where it lies. `releases` are those that
    what was copied needs.
    """

    schema: str
    instance: str
    data_keys: list[DataKey]
    tables: list[Table]
    sequences: dict[str, int]
    files: list[tuple[str, Path]]
    releases: frozenset[str]


def take(
    data: DataDirectory,
    address: str | Path,
    target: Path,
    *,
    with_key: bool = False,
    passphrase: Secret[str] | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    releases: frozenset[str] | None = None,
    say: Callable[[str], None] = lambda _text: None,
) -> tuple[Path, Manifest]:
    """Back the installation up to `target`: a new file, or a directory to put one into. The file is complete, durable
    and readable by its owner alone when it has its name; before that nothing of that name is there. `releases` instead
    of those that are needed. A master key that is asked for and that no secret needs is left out. `say` is told how
    far it is.

    Raises `Conflict` (`backup_exists`, `backup_nothing_there`, `backup_key_rotated`) or `Unavailable`
    (`backup_failed`).
    """
    if passphrase is not None:
        keys.check_passphrase(passphrase)
    data.require_whole()
    now = (clock or SystemClock()).now()
    file = target / f"quarterdeck-{now:%Y%m%dT%H%M%SZ}{SUFFIX}" if target.is_dir() else target.absolute()
    if file.exists():
        raise _exists(file)
    with _scratch(file, data) as scratch:
        say("Copying the databases.")
        copied = _copy(data, address, scratch, releases)
        form: KeyForm = "passphrase" if passphrase is not None else "plain" if with_key else "apart"
        if copied.data_keys and all(key.backend != LOCAL for key in copied.data_keys):
            form = "backend"
        header = Header(
            format=FORMAT,
            version=VERSION,
            instance=copied.instance,
            created_at=wire_time(now),
            release=__version__,
            schema=copied.schema,
            database="sqlite" if isinstance(address, Path) else "postgresql",
            data_dir=str(data.path),
            key=form,
        )
        taken: list[tuple[str, bytes]] = []
        if form == "plain":
            taken = [(KEY, _key(data, scratch, copied.data_keys))]
        elif form == "passphrase" and passphrase is not None:
            key = _key(data, scratch, copied.data_keys)
            taken = [(SEALED_KEY, keys.seal(key, passphrase, header.instance, ids or Ids()))]
        draft = scratch / "draft"
        draft.touch(mode=0o600)
        with draft.open("wb") as stream:
            there = sum((data.runtime / "releases" / name).is_dir() for name in copied.releases)
            say(f"Packing them, with {there} {'release' if there == 1 else 'releases'}.")
            writer = Writer(Told(stream, say), header)
            for path, source in copied.files:
                writer.file(path, source, own=True)
                source.unlink()
            for path, content in taken:
                writer.content(path, content)
            _add_files(writer, data, copied.releases)
            manifest = Manifest(
                header=header,
                entries=writer.entries,
                tables=copied.tables,
                sequences=copied.sequences,
                data_keys=copied.data_keys,
            )
            writer.close(manifest)
        sync(draft)
        point("backup.written")
        _name(draft, file)
        sync(file.parent)
    if releases is None:
        keep(data, Last(created_at=header.created_at, file=str(file), size=file.stat().st_size, key=form))
    return file, manifest


class Told:
    """A file to write to that tells now and then how much it has got."""

    SECONDS = 5.0

    def __init__(self, stream: IO[bytes], say: Callable[[str], None]) -> None:
        self._stream, self._say = stream, say
        self._size, self._told = 0, time.monotonic()

    def write(self, data: bytes) -> int:
        self._size += len(data)
        if time.monotonic() - self._told >= self.SECONDS:
            self._told = time.monotonic()
            self._say(f"{self._size / 1e6:.1f} MB are written.")
        return self._stream.write(data)

    def flush(self) -> None:
        self._stream.flush()


def before_upgrade(data: DataDirectory, address: str, revision: str, *, clock: Clock | None = None) -> Path:
    """Keep a PostgreSQL database at the revision it is at, beside the copies of SQLite files; the newest three stay."""
    directory = data.path / "backups"
    directory.mkdir(mode=0o700, exist_ok=True)
    stamp = (clock or SystemClock()).now().strftime("%Y%m%dT%H%M%S%fZ")
    made, _ = take(data, address, directory / f"quarterdeck-{revision}-{stamp}{SUFFIX}", releases=frozenset())
    kept = sorted(directory.glob(f"quarterdeck-*{SUFFIX}"), key=lambda path: path.name.rpartition("-")[2])
    for old in kept[:-KEPT]:
        old.unlink(missing_ok=True)
    return made


@contextmanager
def _scratch(file: Path, data: DataDirectory) -> Iterator[Path]:
    """A directory beside the file, gone afterwards; what the disk refuses is said with what to do.

    Its name says whose it is, because several installations may keep their backups in one place. It is locked while it
    is written to: what nobody holds is left of one that was ended, and goes.
    """
    own = hashlib.sha256(f"{socket.gethostname()}:{data.path}".encode()).hexdigest()[:12]
    held = None
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in file.parent.glob(f".*.{own}.part*"):
            left = _held(old)
            if left is not None:
                shutil.rmtree(old, ignore_errors=True)
                os.close(left)
        while held is None:
            scratch = Path(tempfile.mkdtemp(prefix=f".{file.name}.{own}.part", dir=file.parent))
            held = _held(scratch)
        yield scratch
    except (OSError, sqlite3.Error, psycopg.Error) as error:
        what = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise Unavailable(
            f"The backup {file} could not be written ({what}). Nothing of it is kept.",
            code="backup_failed",
            hint="Make room there, let the user that runs Quarterdeck write there, or name another place.",
        ) from None
    finally:
        if held is not None:
            shutil.rmtree(scratch, ignore_errors=True)
            os.close(held)


def _held(directory: Path) -> int | None:
    """The descriptor that locks a directory; None where somebody has it, or it is gone."""
    try:
        # A file: a directory cannot be locked over a network everywhere.
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), (directory / "lock").lstat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _name(draft: Path, file: Path) -> None:
    """Give a finished backup its name. Raises `Conflict` where another one has got it meanwhile."""
    try:
        file.hardlink_to(draft)
    except FileExistsError:
        raise _exists(file) from None
    except OSError:  # a file system without links
        if file.exists():
            raise _exists(file) from None
        draft.rename(file)


def _exists(file: Path) -> Conflict:
    return Conflict(
        f"{file} exists. A backup overwrites nothing.",
        code="backup_exists",
        hint="Choose another name, or name a directory: each backup gets a name of its own there.",
    )


def _copy(data: DataDirectory, address: str | Path, scratch: Path, releases: frozenset[str] | None) -> Copied:
    if isinstance(address, Path) and not address.exists():
        raise nothing_to_keep(f"{address} does not exist")
    with ExitStack() as after:
        if isinstance(address, Path):
            databases.copy(address, scratch / DATABASE)
            schema, instance, data_keys = databases.facts(scratch / DATABASE)
            files = [(DATABASE, scratch / DATABASE)]
            tables, sequences = databases.tables(scratch / DATABASE), dict[str, int]()
            kept = _releases(data, schema, databases.session(scratch / DATABASE)) if releases is None else releases
            if data.logs.exists():
                databases.copy(data.logs, scratch / LOGS)
                files.append((LOGS, scratch / LOGS))
        else:
            found = after.enter_context(postgresql.snapshot(address))
            schema, instance, data_keys = found.facts()
            files, tables = [], []
            for name, columns in found.tables():
                place = scratch / f"{name}.copy"
                with place.open("wb") as out:
                    tables.append(found.write(name, columns, out))
                files.append((f"{TABLES}/{name}.copy", place))
            sequences = found.sequences()
            kept = _releases(data, schema, found.session()) if releases is None else releases
    return Copied(schema, instance, data_keys, tables, sequences, files, kept)


def _releases(data: DataDirectory, schema: str, copy: AbstractContextManager[Session]) -> frozenset[str]:
    """Those that serve or may be given back, as the copy says it; all there are where it has an older schema."""
    if not is_newest(schema):
        place = data.runtime / "releases"
        return frozenset(path.name for path in place.iterdir()) if place.is_dir() else frozenset()
    try:
        with copy as session:
            found = needed(session)
    except DBAPIError as error:
        raise error.orig or error from None  # as the driver says it
    return found.deployments | found.directories


def _key(data: DataDirectory, scratch: Path, data_keys: list[DataKey]) -> bytes:
    """The master key, proven to open what was copied. Raises `Conflict` (`backup_key_rotated`)."""
    key = data.master_key.read_bytes()
    place = scratch / KEY
    write_durably(place, key)
    try:
        keys.require_opening(place, [one for one in data_keys if one.backend == LOCAL], NO_OTHERS)
    except Conflict as problem:
        if problem.code != "backup_key_wrong":
            raise
        raise Conflict(
            "The master key was rotated while the backup was made, and does not open what was copied. Nothing is kept.",
            code="backup_key_rotated",
            hint="Make the backup again.",
        ) from None
    finally:
        place.unlink(missing_ok=True)
    return key


def _add_files(writer: Writer, data: DataDirectory, releases: frozenset[str]) -> None:
    beside = (contents.artefacts(data.path), contents.secrets(data.path))
    for path, source in itertools.chain(contents.listed(data.runtime, releases), *beside):
        try:
            writer.file(path, source)
        except FileNotFoundError:  # taken away meanwhile, so nobody needs it
            continue
