"""A ZIP file as a source: fetched within limits, then unpacked so that nothing lands outside of its folder."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import httpx

from quarterdeck.deploy.sources.git import failures
from quarterdeck.deploy.sources.reading import local_path, open_file, open_root
from quarterdeck.deploy.sources.spec import FetchLimits, SourceSpec
from quarterdeck.fleet.git.commands import GitToken
from quarterdeck.kernel.errors import Invalid, NotFound, Problem, Unavailable

CHUNK = 1_048_576
MOST_REDIRECTS = 5
LONGEST_LINK = 4096
DEEPEST = 100
"""Folders in one another: below the deepest, a program that walks a tree by itself runs out of its stack."""
PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Of the other ways `zipfile` unpacks all that it has read at once, however much that is."""
LONGEST_ENTRY = 512
"""Bytes that an entry takes in the table of contents, on average at most: what is read of it before it is counted."""
_ENTRY = struct.Struct("<28x3H12x")
"""Of an entry in the table of contents: how long its name, its extra field and its comment are."""


@dataclass(frozen=True)
class Archive:
    """Takes one ZIP file into `place`."""

    source: SourceSpec
    place: Path
    limits: FetchLimits
    log: Callable[[str], None]
    within: Sequence[str]

    async def unpacked(self) -> Path:
        """The folder with what was in it: of an archive that holds one folder alone, that folder.

        Raises `source_unreachable`, `source_auth_failed`, `source_too_large`, `source_archive_invalid`,
        `source_folder_refused` or `source_timeout`.
        """
        end = time.monotonic() + self.limits.seconds
        folder = self.place / "unpacked"
        folder.mkdir()
        file = await asyncio.to_thread((self.place / "archive.zip").open, "w+b")
        try:
            await self._fetch(file)
            await asyncio.to_thread(_unpack, file, folder, self.limits, self.source.locator, end)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise failures.disk_full(self.source.locator) from None
            raise
        finally:
            file.close()
        inside = list(folder.iterdir())
        alone = len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink()
        return inside[0] if alone else folder

    async def _fetch(self, file: BinaryIO) -> None:
        path = local_path(self.source.kind, self.source.locator)
        if path is not None:
            await asyncio.to_thread(self._copy, path, file)
        else:
            try:
                # Around all of it: a head that drips is as endless as a body that does.
                async with asyncio.timeout(self.limits.seconds):
                    await self._download(file)
            except TimeoutError:
                raise failures.timed_out(self.source.locator, self.limits.seconds) from None
        self.log(f"Fetched {file.tell()} bytes")
        file.seek(0)

    def _copy(self, path: Path, file: BinaryIO) -> None:
        try:
            parent = open_root(path.parent, self.within)
            try:
                with os.fdopen(open_file(path.name, parent), "rb") as reader:
                    while chunk := reader.read(CHUNK):
                        self._take(chunk, file)
            finally:
                os.close(parent)
        except (FileNotFoundError, NotADirectoryError):
            raise _missing(str(path), "Check the path; it counts on the machine that runs the deployment.") from None
        except PermissionError:
            raise Unavailable(
                f"{path} cannot be read.",
                code="source_unreachable",
                hint="Let the user of the control plane read the file.",
                phase="detect",
            ) from None

    async def _download(self, file: BinaryIO) -> None:
        where, token = self.source.locator, self.source.credentials
        sign_in = (token.username, token.token.reveal()) if isinstance(token, GitToken) else None
        try:
            async with (
                httpx.AsyncClient(
                    follow_redirects=True, max_redirects=MOST_REDIRECTS, timeout=self.limits.answer_seconds
                ) as client,
                client.stream("GET", where, auth=sign_in) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    raise _refused(where, answer.status_code, with_credentials=sign_in is not None)
                async for chunk in answer.aiter_bytes():
                    await asyncio.to_thread(self._take, chunk, file)
        except httpx.TimeoutException:
            raise failures.timed_out(where, self.limits.answer_seconds) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"{where} could not be fetched ({type(error).__name__}).",
                code="source_unreachable",
                hint="Check the address, and that it answers from the machine that runs the deployment.",
                phase="detect",
            ) from None

    def _take(self, chunk: bytes, file: BinaryIO) -> None:
        file.write(chunk)
        if file.tell() > self.limits.size:
            raise _larger(self.limits)


def _unpack(file: BinaryIO, folder: Path, limits: FetchLimits, where: str, end: float) -> None:
    """Sizes are counted as they come, whatever the archive says of itself. Links are made last, so that nothing is
    written through one; whoever copies the folder refuses those that lead out of it.
    """
    links: list[tuple[Path, bytes]] = []
    made: set[str] = set()  # files and folders; a name alone may make many of these
    taken = 0
    _check_directory(file, limits, where)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            for entry in entries:
                if entry.compress_type not in PLAIN:
                    raise _invalid(where, "it is packed in a way that only few programs know")
                if time.monotonic() > end:
                    raise failures.timed_out(where, limits.seconds)
                place, mode = _safe(entry, where), entry.external_attr >> 16
                made.update((str(place), *map(str, place.parents)))
                if len(made) > limits.files + 1:  # `.` is nobody's
                    raise _more_files(limits)
                target = folder / place
                if entry.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as reader:
                    if stat.S_ISLNK(mode):
                        links.append((target, reader.read(LONGEST_LINK)))
                        continue
                    with target.open("xb") as writer:
                        while chunk := reader.read(CHUNK):
                            taken += len(chunk)
                            if taken > limits.size:
                                raise _larger(limits)
                            if time.monotonic() > end:
                                raise failures.timed_out(where, limits.seconds)
                            writer.write(chunk)
                        os.fchmod(writer.fileno(), 0o755 if mode & stat.S_IXUSR else 0o644)
        for link, aim in links:
            os.symlink(aim, link)  # noqa: PTH211 - the aim is bytes, as the archive has them
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise _invalid(where, "it is no ZIP file, or it is damaged or encrypted") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError, ValueError) as error:
        raise _invalid(where, "two of its entries have one name") from error
    except FileNotFoundError as error:
        raise _invalid(where, "it has a link that leads to nothing at all") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise _invalid(where, "one of its entries has a name that is too long for a file") from error
        if error.errno is None:  # what a decompressor says of data that it cannot read
            raise _invalid(where, "it is no ZIP file, or it is damaged or encrypted") from error
        raise


def _check_directory(file: BinaryIO, limits: FetchLimits, where: str) -> None:
    """Refuse a table of contents that is too large before it is read: `zipfile` makes an object of every entry."""
    try:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # noqa: SLF001 - what ZipFile itself begins with
    except OSError as error:
        raise _invalid(where, "it is no ZIP file, or it is damaged or encrypted") from error
    if end is None:
        raise _invalid(where, "it is no ZIP file, or it is damaged or encrypted")
    size, place = end[zipfile._ECD_SIZE], end[zipfile._ECD_LOCATION]  # type: ignore[attr-defined]  # noqa: SLF001
    if end[zipfile._ECD_SIGNATURE] == zipfile.stringEndArchive64:  # type: ignore[attr-defined]  # noqa: SLF001
        place -= zipfile.sizeEndCentDir64 + zipfile.sizeEndCentDir64Locator  # type: ignore[attr-defined]
    begin, entries = place - size, 0
    while 0 <= begin < place and size <= limits.files * LONGEST_ENTRY and entries <= limits.files:
        file.seek(begin)
        head = file.read(_ENTRY.size)
        if len(head) < _ENTRY.size:
            break
        begin += _ENTRY.size + sum(_ENTRY.unpack(head))
        entries += 1
    if size > limits.files * LONGEST_ENTRY or entries > limits.files:
        raise _more_files(limits)


def _safe(entry: zipfile.ZipInfo, where: str) -> PurePosixPath:
    """The place of an entry below the folder. `zipfile` mends such names silently; whoever wrote one meant no good."""
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.orig_filename or "\0" in entry.orig_filename:
        raise _invalid(where, f"its entry {entry.filename[:100]!r} would be written outside of it")
    if len(path.parts) > DEEPEST:
        raise _invalid(where, f"its entry {entry.filename[:100]!r} lies more than {DEEPEST} folders deep")
    return path


def _more_files(limits: FetchLimits) -> Problem:
    return failures.too_large(f"has more than {limits.files} files and folders", f"{limits.files}")


def _larger(limits: FetchLimits) -> Problem:
    limit = f"{limits.size // 1_000_000} MB"
    return failures.too_large(f"is larger than {limit}", limit)


def _invalid(where: str, why: str) -> Invalid:
    return Invalid(
        f"The archive {where} cannot be unpacked: {why}.",
        code="source_archive_invalid",
        hint="Make it anew with a plain `zip -r app.zip .` in the folder of the application.",
        phase="detect",
    )


def _missing(where: str, hint: str) -> NotFound:
    return NotFound(f"There is no file {where}.", code="source_unreachable", hint=hint, phase="detect")


def _refused(where: str, status: int, *, with_credentials: bool) -> Problem:
    if status in {401, 403}:
        hint = (
            "The credentials were refused: check the token and its rights."
            if with_credentials
            else "Put a token into the address: https://TOKEN@host/app.zip. It is kept as a secret."
        )
        return Invalid(f"{where} answers {status}.", code="source_auth_failed", hint=hint, phase="detect")
    if status in {404, 410}:
        return _missing(where, "Check the address.")
    return Unavailable(
        f"{where} answers {status}, not with a file.",
        code="source_unreachable",
        hint="Check the address in a browser, then deploy again.",
        phase="detect",
    )
