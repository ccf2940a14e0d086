"""Having an installation again from a backup: into an empty data directory, all of it or nothing.

Everything is unpacked below `.restoring` and proven there first. A restore that was cut off leaves that directory, with
which no server starts; the same command begins again.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psycopg

from quarterdeck.backups import postgresql, staging
from quarterdeck.backups.archive import header as read_header
from quarterdeck.backups.manifest import (
    ARTEFACTS,
    DATABASE,
    KEY,
    LOGS,
    RUNTIME,
    SECRETS,
    TABLES,
    Header,
    Manifest,
)
from quarterdeck.kernel import kept_in, trees
from quarterdeck.kernel.datadir import RESTORED, RESTORING, DataDirectory
from quarterdeck.kernel.db.migrate import require_known
from quarterdeck.kernel.durable import sync
from quarterdeck.kernel.errors import Conflict, Unavailable
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.wrapping import NO_OTHERS, Others

HARMLESS = frozenset({"lock", KEY, "quarterdeck.toml", "lost+found"})
"""What an empty data directory may have: where a disk is mounted, and what an operator puts there beforehand."""
ORDER = (RUNTIME, ARTEFACTS, SECRETS, LOGS, KEY, RESTORED, kept_in.NAME, DATABASE)
"""The database comes last: a directory without one is no installation."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`address` is a PostgreSQL URL, or None for SQLite in the directory. `elsewhere`: at another path than it was.
    `backends` are the key backends that are configured, by their names.
    """

    address: str | None = None
    key: Path | None = None
    passphrase: Secret[str] | None = None
    elsewhere: bool = False
    backends: Others = field(default_factory=lambda: NO_OTHERS)


def check(file: Path, wanted: Wanted) -> Manifest:
    """Prove a backup without restoring it: every checksum, the databases, and where a key can be had, that it opens
    the secrets.
    """
    require_known(read_header(file).schema)
    with tempfile.TemporaryDirectory(prefix="quarterdeck-check-") as scratch, _told(file):
        place = Path(scratch)
        manifest = staging.unpack(file, place, everything=False)
        staging.prove(file, place, manifest)
        if tries_key(manifest, wanted):
            _put_key(place, manifest, wanted, wanted.key)
        return manifest


def tries_key(manifest: Manifest, wanted: Wanted) -> bool:
    """Whether `check` proves that the data keys open: a master key was given, lies in the backup as it is, or is not
    needed, and every key backend that is needed is configured.
    """
    given = wanted.key is not None or wanted.passphrase is not None or manifest.header.key == "plain"
    return (given or not manifest.needs_master_key) and manifest.backends <= wanted.backends.keys()


def _put_key(place: Path, manifest: Manifest, wanted: Wanted, key: Path | None) -> None:
    staging.put_key(place, manifest, key=key, passphrase=wanted.passphrase, others=wanted.backends)


def restore(file: Path, directory: Path, wanted: Wanted) -> Manifest:
    """Restore into an empty data directory (and an empty PostgreSQL database). Raises a `Problem`; then both are as
    they were.
    """
    header = read_header(file)
    require_known(header.schema)
    _require_same_database(header, wanted.address)
    made = not directory.exists()
    data = DataDirectory.open(directory)
    data.lock()
    began = kept = loaded = False
    try:
        resumed = _require_empty(data)
        _require_same_place(header, data, wanted)
        loaded = wanted.address is not None and _loaded(data, header, wanted.address, resumed=resumed)
        began = True
        _clear(data)
        with _told(file):
            manifest = _staged(file, data, header, wanted)
            if wanted.address is not None and not loaded:
                staged = data.path / RESTORING / TABLES
                postgresql.load(wanted.address, staged, header.schema, manifest.tables, manifest.sequences)
            kept = True
            point("restore.loaded")
            _move(data)
    except BaseException:
        # What was refused before it began leaves an earlier try that was cut off as it is, and a database that such a
        # try has filled stays known as one: both by what that try left here.
        if began and not kept and not loaded:
            trees.remove(data.path / RESTORING)
        raise
    else:
        return manifest
    finally:
        data.release()
        if made and not kept:
            trees.remove(directory)


def _staged(file: Path, data: DataDirectory, header: Header, wanted: Wanted) -> Manifest:
    place = data.path / RESTORING
    place.mkdir(mode=0o700, exist_ok=True)
    staging.note(place, header)
    manifest = staging.unpack(file, place, everything=True)
    staging.prove(file, place, manifest)
    staging.give(place, manifest, data.path)
    own = data.master_key if manifest.header.key == "apart" and data.master_key.exists() else None
    _put_key(place, manifest, wanted, wanted.key or own)
    (place / RUNTIME).mkdir(mode=0o711, exist_ok=True)
    (place / RUNTIME).chmod(0o711)
    (place / RESTORED).touch(mode=0o600)
    kept_in.note(place, wanted.address or data.database)
    point("restore.staged")
    return manifest


def _move(data: DataDirectory) -> None:
    place = data.path / RESTORING
    for name in ORDER:
        if (place / name).exists():
            (place / name).rename(data.path / name)
            point(f"restore.{name}")
    sync(data.path)
    trees.remove(place)
    sync(data.path)


def _require_empty(data: DataDirectory) -> bool:
    """Whether a restore was begun here before. Raises `Conflict` for a directory that has anything else."""
    if (data.path / RESTORING).exists():
        return True
    found = sorted(path.name for path in data.path.iterdir() if path.name not in HARMLESS)
    if found:
        raise Conflict(
            f"The data directory {data.path} is not empty ({', '.join(found[:3])}). "
            "A backup is restored into an empty one only.",
            code="restore_target_not_empty",
            hint="Move what is there away (do not delete it before the restored server runs), or name another.",
        )
    return False


def _clear(data: DataDirectory) -> None:
    """What an earlier try has put here. The key stays: an operator may have put it. So does what says that a restore
    is under way, and of which backup.
    """
    place = data.path / RESTORING
    if not place.exists():
        return
    mine = [data.path / name for name in (RUNTIME, ARTEFACTS, SECRETS, LOGS, RESTORED, kept_in.NAME, DATABASE)]
    for path in [*mine, *(path for path in place.iterdir() if path.name != staging.NOTE)]:
        if path.is_dir():
            trees.remove(path)
        else:
            path.unlink(missing_ok=True)


def _require_same_place(header: Header, data: DataDirectory, wanted: Wanted) -> None:
    if str(data.path) != header.data_dir and not wanted.elsewhere:
        raise Conflict(
            f"This is the backup of {header.data_dir}, and it is to be restored to {data.path}.",
            code="restore_other_place",
            hint="Name the same --data-dir, or say --elsewhere: then host processes and sites have to be deployed "
            "again, because what was built for them contains its path.",
        )


def _require_same_database(header: Header, address: str | None) -> None:
    given = "sqlite" if address is None else "postgresql"
    if header.database != given:
        raise Conflict(
            f"This is the backup of an installation on {header.database}, and it is to be restored on {given}.",
            code="restore_other_database",
            hint="Name an empty PostgreSQL database with --database-url @FILE."
            if address is None
            else "Leave --database-url out: it goes into the data directory.",
        )


def _loaded(data: DataDirectory, header: Header, address: str, *, resumed: bool) -> bool:
    """Whether an earlier try of this same backup has filled the database. Raises `Conflict` for any other content."""
    if resumed and postgresql.holds(address, header.instance):
        with contextlib.suppress(OSError, *UNREADABLE):
            noted = msgspec.json.decode((data.path / RESTORING / staging.NOTE).read_bytes(), type=Header)
            if noted == header:
                return True
    postgresql.require_empty(address)
    return False


@contextlib.contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, psycopg.Error) as error:
        what = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise Unavailable(
            f"The backup {file} could not be unpacked ({what}).",
            code="restore_failed",
            hint="Make room on the disk, check that the user may write there, and try again.",
        ) from None
