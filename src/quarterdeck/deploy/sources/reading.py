"""Opening what lies in a folder without being led elsewhere by whoever can write there, even in between."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from quarterdeck.deploy.sources.spec import INLINE
from quarterdeck.kernel.errors import Forbidden, Invalid

_ON_THE_WAY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
BELOW = "Put the source below one of the directories of QUARTERDECK_SOURCE_ROOTS."
EVERYWHERE = ("/",)
_LED_ELSEWHERE = {errno.ELOOP, errno.ENOTDIR}


def local_path(kind: str, locator: str) -> Path | None:
    """The path on this machine that a source is read from, if it is one."""
    if kind == "docker-image" or kind in INLINE:
        return None
    if locator.startswith("/"):
        return Path(locator)
    parts = urlsplit(locator)
    return Path(unquote(parts.path)) if parts.scheme.lower() == "file" else None


def lies_within(path: Path, roots: Sequence[str]) -> bool:
    """Whether `path` leads into one of the directories, with all links on the way followed on both sides."""
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(root)) for root in roots)


def refused(path: Path, hint: str) -> Forbidden:
    """The same words whether the folder exists or not."""
    return Forbidden(
        f"The folder {path} may not be used as a source.",
        code="source_folder_refused",
        hint=hint,
        phase="source-resolution",
    )


def open_root(path: Path, within: Sequence[str]) -> int:
    """A descriptor of the folder that `path` leads to, if that lies in one of the directories of `within`.

    Links are followed once, before the question is asked. From then on none is: the way is walked name by name, so
    what is swapped for a link meanwhile is refused.
    """
    real = Path(os.path.realpath(path))
    if not lies_within(real, within):
        raise refused(path, BELOW)
    descriptor = os.open("/", _ON_THE_WAY)
    for name in [*real.parts[1:], "."]:
        try:
            deeper = os.open(name, _FOLDER if name == "." else _ON_THE_WAY, dir_fd=descriptor)
        except NotADirectoryError:
            # What was no link when the way was resolved is one now, or it leads to a file.
            if stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                raise changed(str(path)) from None
            raise
        finally:
            os.close(descriptor)
        descriptor = deeper
    return descriptor


def open_folder(name: str, parent: int) -> int:
    return _opened(name, parent, _FOLDER)


def open_file(name: str, parent: int) -> int:
    descriptor = _opened(name, parent, _FILE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise changed(name)
    return descriptor


def _opened(name: str, parent: int, flags: int) -> int:
    try:
        return os.open(name, flags, dir_fd=parent)
    except OSError as error:
        if error.errno in _LED_ELSEWHERE:
            raise changed(name) from None
        raise


def changed(name: str) -> Invalid:
    return Invalid(
        f"{name} was replaced by something else while it was read.",
        code="source_changed",
        hint="Let nothing change the folder while it is deployed, then deploy again.",
        phase="detect",
    )
