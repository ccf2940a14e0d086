"""Trees that others write: read, removed and measured by descriptors, so that no name can be made to mean another place
meanwhile, and however deep they are. An application may nest directories deeper than any path, or than our own stack.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from quarterdeck.kernel.errors import Invalid

DEEPEST = 200
"""Levels of directories that are gone down at once: each takes a descriptor."""
ROUNDS = 1_000
"""Times that what lies too deep is moved up: nobody makes us go on for ever."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def too_deep() -> Invalid:
    """What a tree is refused with that is deeper than `DEEPEST`."""
    return Invalid(
        f"Directories lie more than {DEEPEST} deep in each other.",
        code="source_tree_too_deep",
        hint="Look in the source, or in what its build writes, for directories that go round in a circle.",
    )


def beginning(path: Path, most: int) -> bytes | None:
    """The first bytes of a file, at most so many; None where no file lies: a link is not followed, and a pipe in the
    place of a file is not waited for.
    """
    try:
        descriptor = os.open(path, _FILE)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(most) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None


def remove(directory: Path) -> bool:
    """Remove a directory and everything in it, links themselves and never what they point at. Answers whether it is
    gone; what cannot be removed stays.
    """
    with contextlib.suppress(OSError):
        if directory.is_symlink():
            directory.unlink()
            return True
        top = _open_up(str(directory))
        try:
            # What lies too deep is moved to the top, and gone through in the next round.
            for _ in range(ROUNDS):
                if not _empty(top, top, DEEPEST, []):
                    break
        finally:
            os.close(top)
        directory.rmdir()
    return not os.path.lexists(directory)


def _empty(here: int, top: int, levels: int, moved: list[str]) -> bool:
    """Whether something was moved up, so that another round is needed."""
    with os.scandir(here) as found:
        entries = list(found)
    for entry in entries:
        with contextlib.suppress(OSError):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=here)
            elif not levels:
                name = f".deep-{os.urandom(8).hex()}"
                os.rename(entry.name, name, src_dir_fd=here, dst_dir_fd=top)
                moved.append(name)
            else:
                _empty_below(entry.name, here, top, levels, moved)
    return bool(moved)


def _empty_below(name: str, here: int, top: int, levels: int, moved: list[str]) -> None:
    below = _open_up(name, here)
    try:
        _empty(below, top, levels - 1, moved)
    finally:
        os.close(below)
    os.rmdir(name, dir_fd=here)


def _open_up(name: str, within: int | None = None) -> int:
    """A directory that is to be emptied; one of our own that was closed or made read-only is opened. Nobody's rights
    are an obstacle to root, who changes none.
    """
    if os.geteuid() != 0:
        found = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
        try:
            known = os.fstat(found)
            if known.st_uid == os.geteuid() and known.st_mode & 0o700 != 0o700:
                os.chmod(f"/proc/self/fd/{found}", 0o700)  # noqa: PTH101 - by its descriptor, whatever its name means
        finally:
            os.close(found)
    return os.open(name, _DIRECTORY, dir_fd=within)


def size(directory: Path) -> int:
    """Bytes on disk below a directory, as far as they can be seen while they change. Raises `Invalid`
    (`source_tree_too_deep`).
    """
    try:
        top = os.open(directory, _DIRECTORY)
    except OSError:
        return 0
    try:
        return _size(top, DEEPEST)
    finally:
        os.close(top)


def _size(here: int, levels: int) -> int:
    if not levels:
        raise too_deep()
    total = 0
    with os.scandir(here) as found:
        for entry in found:
            with contextlib.suppress(OSError):
                if not entry.is_dir(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    continue
                below = os.open(entry.name, _DIRECTORY, dir_fd=here)
                try:
                    total += _size(below, levels - 1)
                finally:
                    os.close(below)
    return total
