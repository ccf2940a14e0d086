"""Giving a tree to the user of an application, and taking one back, while that user's own processes may be running.

Whoever may write in a directory can put a link in the place of a name at any moment. So nothing here goes by a path:
each thing is opened without following it, and changed by its descriptor.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quarterdeck.kernel.errors import Conflict, ProviderFailure
from quarterdeck.kernel.trees import DEEPEST, too_deep

SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def grant(tree: Path, uid: int | None) -> None:
    """Make `uid` the owner of `tree` and everything below it, what is in a directory before the directory. None: of
    nothing, as without root. Raises `Invalid` (`source_tree_too_deep`).
    """
    if uid is not None:
        with _opened(str(tree)) as top:
            _grant(top, uid, DEEPEST)


def renumber(tree: Path, before: int, after: int) -> None:
    """Give what belongs to the user or group `before` in `tree`, however deep, to that of `after`; the tree itself
    last, so that its owner tells whether all is done. No link is followed. Raises `ProviderFailure`
    (`process_files_not_given`).
    """
    for owner, given in ((f"{before}", f"{after}:{after}"), (f":{before}", f":{after}")):
        argv = ("chown", "-h", "-R", "-P", f"--from={owner}", given, "--", str(tree))
        done = subprocess.run(argv, capture_output=True, check=False, env={"PATH": SEARCH_PATH, "LC_ALL": "C"})
        if done.returncode != 0:
            told = done.stderr.decode(errors="replace").strip().splitlines()
            raise ProviderFailure(
                f"{tree} could not be given to the user {after} ({told[0][:200] if told else done.returncode}).",
                code="process_files_not_given",
                hint=f"Give it by hand, then try again: chown -hR --from={before} {after}:{after} {tree}",
            )


def publish(tree: Path, within: Path, uid: int | None) -> None:
    """Take `within`, a real directory below `tree`, back from `uid` and let everybody read it, so that what was looked
    at stays what is served: each directory before what is in it, from `tree` down. None: it is this process's own.

    What belongs to somebody else is left alone: it was linked into the tree. Raises `Conflict`
    (`static_publish_directory_changed`) where a directory on the way became something else meanwhile, and `Invalid`
    (`source_tree_too_deep`).
    """
    owner = os.geteuid() if uid is None else uid
    parts = within.relative_to(tree).parts
    with _opened(str(tree)) as top:
        _publish_below(top, parts, owner, within)


def _grant(here: int, uid: int, levels: int) -> None:
    if stat.S_ISDIR(os.fstat(here).st_mode):
        for name in _names(here, levels):
            with _opened(name, here) as one:
                _grant(one, uid, levels - 1)
    os.chown(_itself(here), uid, uid)


def _publish_below(here: int, parts: tuple[str, ...], owner: int, within: Path) -> None:
    if not stat.S_ISDIR(os.fstat(here).st_mode) or not _take(here, owner, 0o111 if parts else 0o555):
        raise _changed(within)
    if not parts:
        _publish_inside(here, owner, DEEPEST)
        return
    try:
        below = _open(parts[0], here)
    except OSError:
        raise _changed(within) from None
    try:
        _publish_below(below, parts[1:], owner, within)
    finally:
        os.close(below)


def _changed(within: Path) -> Conflict:
    return Conflict(
        f"The directory {within.name} of the build was changed while it was to be published.",
        code="static_publish_directory_changed",
        hint="Stop what else writes there, then deploy again.",
    )


def _publish_inside(here: int, owner: int, levels: int) -> None:
    for name in _names(here, levels):
        with _opened(name, here) as one:
            kind = os.fstat(one).st_mode
            if stat.S_ISDIR(kind):
                if _take(one, owner, 0o555):
                    _publish_inside(one, owner, levels - 1)
            elif not stat.S_ISLNK(kind):
                _take(one, owner, 0o444)


def _take(here: int, owner: int, rights: int) -> bool:
    """Whether it was `owner`'s, and is ours now, with `rights` for everybody and writable for nobody else."""
    found = os.fstat(here)
    if found.st_uid != owner:
        return False
    if owner != os.geteuid():
        os.chown(_itself(here), os.geteuid(), os.getegid())
    os.chmod(_itself(here), found.st_mode & 0o755 | rights)  # noqa: PTH101 - a descriptor
    return True


def _names(here: int, levels: int) -> list[str]:
    if not levels:
        raise too_deep()
    listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=here)
    try:
        return sorted(os.listdir(listing))  # noqa: PTH208 - by descriptor
    finally:
        os.close(listing)


def _open(name: str, within: int | None = None) -> int:
    """The thing itself, of any kind and without an effect on it: a link is not followed, a pipe not waited for."""
    return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)


@contextmanager
def _opened(name: str, within: int | None = None) -> Iterator[int]:
    descriptor = _open(name, within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _itself(descriptor: int) -> str:
    """The one name by which the owner and mode of such a descriptor's thing can be changed."""
    return f"/proc/self/fd/{descriptor}"
