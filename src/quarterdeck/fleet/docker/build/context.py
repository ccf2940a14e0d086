"""A build context as a tar stream that never stands in memory whole."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import tarfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.fleet.docker.build.ignore import Ignore
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound

CHUNK = 512 * 1024
BLOCK = tarfile.BLOCKSIZE
LARGEST_IGNORE = 256 * 1024
"""Bytes of an ignore file: each of its lines is asked about each file of the context."""


@dataclass(frozen=True, slots=True)
class Context:
    """A directory to build from. `overlay` adds or replaces files (a generated Dockerfile) without touching it.

    `dockerfile` is relative to the directory. `extra_ignore` are further lines for the ignore file (`.git`).
    """

    directory: Path
    dockerfile: str = "Dockerfile"
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    extra_ignore: tuple[str, ...] = ()
    max_bytes: int = 1024 * 1024 * 1024
    max_files: int = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of the archive, decided on before the first byte is sent."""

    name: str
    mode: int
    size: int
    modified: int
    link: str | None = None
    content: bytes | None = None


def ignore_rules(context: Context) -> Ignore:
    """`<Dockerfile>.dockerignore` if there is one, else `.dockerignore`; both files and the Dockerfile are kept."""
    names = (f"{context.dockerfile}.dockerignore", ".dockerignore")
    text = ""
    for name in names:
        place = context.directory / name
        if name in context.overlay:
            text = context.overlay[name].decode("utf-8", "replace")
            break
        if place.is_file():
            text = _patterns(place, name)
            break
    lines = "\n".join((*context.extra_ignore, text)) if context.extra_ignore else text
    return Ignore(lines, frozenset({context.dockerfile, *names, *context.overlay}))


def _patterns(place: Path, name: str) -> str:
    """Half of them would send what the other half keeps at home, so that a file which is too long is refused."""
    content = trees.beginning(Path(os.path.realpath(place)), LARGEST_IGNORE + 1)
    if content is None or len(content) > LARGEST_IGNORE:
        why = "cannot be read" if content is None else f"has more than {LARGEST_IGNORE // 1024} KB"
        raise Invalid(
            f"{name} in the build context {why}.",
            code="build_context_ignore_refused",
            hint="Shorten it: one pattern can keep a whole directory at home.",
        )
    return content.decode("utf-8", "replace")


def survey(context: Context) -> list[Entry]:
    """Everything that will be sent, in a stable order; refuses what is too large or cannot be packed."""
    if not context.directory.is_dir():
        raise NotFound("The build context is not a directory", code="build_context_missing")
    rules = ignore_rules(context)
    entries = [
        Entry(name, 0o644, len(content), 0, content=content) for name, content in sorted(context.overlay.items())
    ]
    total = sum(entry.size for entry in entries)
    for entry in walk(context.directory, "", rules, context.overlay):
        entries.append(entry)
        total += entry.size
        if total > context.max_bytes or len(entries) > context.max_files:
            raise Invalid(
                f"The build context is larger than {context.max_bytes:,} bytes or {context.max_files:,} files",
                code="build_context_too_large",
                hint="Name what the build does not need in .dockerignore, or point the source at a subdirectory.",
            )
    if context.dockerfile not in {entry.name for entry in entries}:
        raise NotFound(
            f"There is no {context.dockerfile} in the source",
            code="dockerfile_missing",
            hint="Check the Dockerfile path, which is relative to the source's base directory.",
        )
    return entries


def walk(directory: Path, prefix: str, rules: Ignore, overlay: Mapping[str, bytes]) -> Iterator[Entry]:
    with os.scandir(directory) as listing:
        found = sorted(listing, key=lambda item: item.name)
    for item in found:
        name = f"{prefix}{item.name}"
        excluded = rules.excludes(name)
        facts = item.stat(follow_symlinks=False)
        is_directory = stat.S_ISDIR(facts.st_mode)
        if (not is_directory and excluded) or name in overlay:
            continue
        if is_directory and excluded:
            if rules.may_enter(name):
                yield from walk(Path(item.path), f"{name}/", rules, overlay)
            continue
        yield describe(item.path, name, facts)
        if is_directory:
            yield from walk(Path(item.path), f"{name}/", rules, overlay)


def describe(path: str, name: str, facts: os.stat_result) -> Entry:
    mode, modified = facts.st_mode, int(facts.st_mtime)
    if stat.S_ISLNK(mode):
        return Entry(name, mode, 0, modified, link=str(Path(path).readlink()))
    if stat.S_ISDIR(mode):
        return Entry(name, mode, 0, modified)
    if stat.S_ISREG(mode):
        return Entry(name, mode, facts.st_size, modified)
    raise Invalid(
        f"{name} in the build context is neither a file, a directory nor a symbolic link",
        code="build_context_unsupported_file",
        hint="Remove the device, socket or pipe, or name it in .dockerignore.",
    )


def header(entry: Entry) -> bytes:
    """GNU format: the engine's BuildKit stumbles over PAX headers. Owner and group are root's everywhere."""
    info = tarfile.TarInfo(entry.name)
    info.mode, info.mtime, info.size = stat.S_IMODE(entry.mode), entry.modified, entry.size
    if entry.link is not None:
        info.type, info.linkname = tarfile.SYMTYPE, entry.link
    elif stat.S_ISDIR(entry.mode):
        info.type = tarfile.DIRTYPE
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def pack(directory: Path, entries: list[Entry]) -> Iterator[bytes]:
    """The archive in pieces of at most `CHUNK` and a header."""
    pending = bytearray()
    for entry in entries:
        pending += header(entry)
        if entry.size:
            with open_content(directory, entry) as source:
                left = entry.size
                while left:
                    piece = source.read(min(CHUNK, left))
                    if not piece:
                        raise Conflict(f"{entry.name} became shorter while it was packed", code="build_context_changed")
                    left -= len(piece)
                    pending += piece
                    if len(pending) >= CHUNK:
                        yield bytes(pending)
                        pending.clear()
            pending += b"\0" * (-entry.size % BLOCK)
    yield bytes(pending + b"\0" * (2 * BLOCK))


def open_content(directory: Path, entry: Entry) -> io.BufferedIOBase:
    if entry.content is not None:
        return io.BytesIO(entry.content)
    try:
        # A name that has become a symbolic link since the survey must not lead out of the context.
        return os.fdopen(os.open(directory / entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
    except OSError as error:
        raise Conflict(f"{entry.name} changed while it was packed", code="build_context_changed") from error


async def pack_stream(directory: Path, entries: list[Entry]) -> AsyncIterator[bytes]:
    """`pack`, with the disk read in worker threads."""
    pieces = pack(directory, entries)
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
