"""A backup as a file: a compressed tar archive, header first, manifest last, every file under its checksum.

Any tar program can open one. It is read as a stream, so that its size does not matter.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import msgspec

from quarterdeck.backups.manifest import (
    HEADER,
    MANIFEST,
    SUM,
    Entry,
    Header,
    Manifest,
    check_directory,
    check_link,
    checked_path,
    damaged,
    foreign,
    unreadable,
)
from quarterdeck.backups.manifest import header_of as read_header
from quarterdeck.kernel.unreadable import UNREADABLE

LEVEL = 3
CHUNK = 1 << 20
LARGEST_MANIFEST = 512 << 20
Sink = Callable[[Entry, IO[bytes] | None], None]
"""Told of every entry; of a file it reads the content as far as it wants."""


class Stream(Protocol):
    """What a backup is written to."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


class Writer:
    """Adds files in the order of the calls; `close` writes the manifest."""

    def __init__(self, stream: Stream, header: Header) -> None:
        self._packed = gzip.GzipFile(filename="", fileobj=stream, mode="wb", compresslevel=LEVEL, mtime=0)
        self._tar = tarfile.open(fileobj=self._packed, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - see `close`
        self._header = header
        self.entries: list[Entry] = []
        self._put(HEADER, msgspec.json.format(msgspec.json.encode(header), indent=1))

    def _put(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self._tar.addfile(info, io.BytesIO(data))

    def content(self, path: str, data: bytes) -> None:
        self._put(path, data)
        self.entries.append(Entry(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest()))

    def file(self, path: str, source: Path, *, own: bool = False) -> None:
        """Add one file, directory or link as it stands. With `own`, a file of ours (0600). What is neither is left out.

        Raises `FileNotFoundError` for one that is gone, `OSError` for one that cannot be read.
        """
        status = source.lstat()
        info = tarfile.TarInfo(path)
        info.mode = 0o600 if own else stat.S_IMODE(status.st_mode) & 0o777
        info.uid, info.gid, info.mtime = (0, 0, 0) if own else (status.st_uid, status.st_gid, int(status.st_mtime))
        if stat.S_ISLNK(status.st_mode):
            info.type, info.linkname = tarfile.SYMTYPE, str(source.readlink())
            self._tar.addfile(info)
            self.entries.append(_owned(info, Entry(path=path, kind="link", target=info.linkname)))
        elif stat.S_ISDIR(status.st_mode):
            info.type = tarfile.DIRTYPE
            self._tar.addfile(info)
            self.entries.append(_owned(info, Entry(path=path, kind="directory")))
        elif stat.S_ISREG(status.st_mode):
            with source.open("rb") as opened:
                info.size = os.fstat(opened.fileno()).st_size
                counted = _Hashed(opened, info.size, pad=True)
                self._tar.addfile(info, counted)
            self.entries.append(_owned(info, Entry(path=path, size=info.size, sha256=counted.digest)))

    def close(self, manifest: Manifest) -> None:
        data = msgspec.json.encode(manifest)
        self._put(MANIFEST, data)
        self._put(SUM, _sum(data))
        self._tar.close()
        self._packed.close()


def _sum(manifest: bytes) -> bytes:
    """As `sha256sum -c` reads it."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()


class _Hashed:
    """Gives exactly `size` bytes: what a file gains while it is read is not part of the backup, and with `pad` what it
    loses is zeros.
    """

    def __init__(self, stream: IO[bytes], size: int, *, pad: bool = False) -> None:
        self._stream, self._left, self._pad, self._hash = stream, size, pad, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._stream.read(wanted)
        if self._pad:
            data = data.ljust(wanted, b"\0")
        self._left -= len(data)
        self._hash.update(data)
        return data

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def header(file: Path) -> Header:
    """The header alone. Raises `Invalid` for a file that is not a backup."""
    with _members(file, whole=False) as members:
        for member, tar in members:
            if member.name != HEADER or not member.isreg() or member.size > CHUNK:
                raise foreign(file)
            content = tar.extractfile(member)
            assert content is not None  # noqa: S101 - it is a regular file
            found = content.read()
            break
        else:
            raise foreign(file)
    return read_header(found, file)


def walk(file: Path, sink: Sink) -> Manifest:
    """Read the whole archive, checksum by checksum, and answer its manifest.

    Raises `Invalid`: `backup_foreign`, or `backup_damaged` when anything is missing, altered or too much. What `sink`
    was told before that was not yet proven.
    """
    first = header(file)
    seen: list[Entry] = []
    told = total = b""
    with _members(file) as members:
        for member, tar in members:
            if member.name in {MANIFEST, SUM} and member.isreg() and member.size <= LARGEST_MANIFEST:
                content = tar.extractfile(member)
                data = content.read() if content is not None else b""
                told, total = (data, total) if member.name == MANIFEST else (told, data)
            elif told:
                raise damaged(file, "something follows its manifest")
            elif member.name != HEADER:
                seen.append(_entry(file, member, tar, sink))
    if not total:
        raise damaged(file, "it ends before its manifest")
    if total != _sum(told):
        raise damaged(file, "its manifest was altered")
    try:
        manifest = msgspec.json.decode(told, type=Manifest)
    except UNREADABLE:
        raise damaged(file, "its manifest cannot be read") from None
    if manifest.header != first:
        raise damaged(file, "its header and its manifest do not belong together")
    _compare(file, seen, manifest.entries)
    return manifest


def _entry(file: Path, member: tarfile.TarInfo, tar: tarfile.TarFile, sink: Sink) -> Entry:
    path = checked_path(member.name, file)
    if member.issym():
        check_link(path, file)
        entry = _owned(member, Entry(path=member.name, kind="link", target=member.linkname))
        sink(entry, None)
        return entry
    if member.isdir():
        check_directory(path, file)
        entry = _owned(member, Entry(path=member.name, kind="directory"))
        sink(entry, None)
        return entry
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise damaged(file, f"{member.name[:80]!r} is neither file, directory nor link")
    hashed = _Hashed(content, member.size)
    bare = _owned(member, Entry(path=member.name, size=member.size))
    sink(bare, hashed)  # type: ignore[arg-type]  # `read` is all that is asked for
    while hashed.read(CHUNK):
        pass
    return msgspec.structs.replace(bare, sha256=hashed.digest)


def _owned(info: tarfile.TarInfo, entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, mode=info.mode & 0o777, uid=info.uid, gid=info.gid)


def _compare(file: Path, seen: list[Entry], told: list[Entry]) -> None:
    if len({entry.path for entry in told}) != len(told):
        raise damaged(file, "a file stands in it twice")
    found = {entry.path: entry for entry in seen}
    for entry in told:
        there = found.pop(entry.path, None)
        if there is None:
            raise damaged(file, f"{entry.path} is missing")
        if there != entry:
            raise damaged(file, f"{entry.path} is not what was backed up")
    if found or len(seen) != len(told):
        raise damaged(file, f"{next(iter(found), seen[-1].path)} does not belong to it")


@contextmanager
def _members(file: Path, *, whole: bool = True) -> Iterator[Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]]:
    """Every member in turn. What gzip and tar complain about becomes a refusal."""
    try:
        opened = file.open("rb")
    except OSError as error:
        raise unreadable(file, error) from None
    with opened:
        if opened.read(2) != b"\x1f\x8b":
            raise foreign(file)
        opened.seek(0)
        try:
            with gzip.GzipFile(fileobj=opened) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
                yield ((member, tar) for member in tar)
                while whole and packed.read(CHUNK):  # the checksum of the whole stands at its very end
                    pass
        except (tarfile.TarError, EOFError, zlib.error, OSError, UnicodeError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise damaged(file, f"it cannot be read to its end ({str(error)[:80] or type(error).__name__})") from None
