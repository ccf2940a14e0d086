"""The few file operations that the edge needs of a host, all of them safe to be interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from quarterdeck.kernel.errors import Invalid, Timeout
from quarterdeck.kernel.faults import point

TEMPORARY = ".new"


def unfinished(path: Path) -> Path:
    """Where a file is written before it takes the place of `path`; a crash may leave it."""
    return path.with_name(f".{path.name}{TEMPORARY}")


class Files(Protocol):
    async def read(self, path: Path) -> bytes | None:
        """The content, or None when there is no such file."""
        ...

    async def write_atomic(self, path: Path, data: bytes, *, group: int | None = None) -> None:
        """Readers see the old content or the new, also after a power cut. Nobody else may read it but `group`."""
        ...

    async def rename(self, old: Path, new: Path) -> None: ...

    async def list(self, directory: Path) -> Sequence[str]:
        """Names of complete files, sorted; none for a missing directory."""
        ...

    async def remove(self, path: Path) -> bool:
        """Whether there was something to remove."""
        ...

    async def make_directory(self, path: Path, *, mode: int = 0o700, group: int | None = None) -> None:
        """Gives the mode and the group to one that is there already, too."""
        ...

    async def outward_links(self, directory: Path) -> Sequence[str]:
        """Relative paths of the symbolic links below a directory that lead out of it. Raises `Invalid` without one."""
        ...

    def lock(self, path: Path, *, seconds: float = 30) -> AbstractAsyncContextManager[None]:
        """Exclusive among all processes that use the path; raises `Timeout` when it cannot be had in time."""
        ...


class LocalFiles:
    """Files of this machine. A small read takes less than a thread switch; what waits for the disk is done on a thread,
    because a new edge writes hundreds of files one after another.
    """

    async def read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()  # noqa: ASYNC240 - a few kilobytes, from the page cache
        except FileNotFoundError:
            return None

    async def write_atomic(self, path: Path, data: bytes, *, group: int | None = None) -> None:
        # One name for the unfinished file is enough, because writers hold a lock; what a crash left is overwritten.
        temporary = unfinished(path)
        await _on_disk(_write, temporary, data, group)
        await self.rename(temporary, path)

    async def rename(self, old: Path, new: Path) -> None:
        point("file.move")
        os.replace(old, new)  # noqa: PTH105 - one system call
        point("file.moved")
        await _on_disk(_sync, new.parent)

    async def list(self, directory: Path) -> Sequence[str]:
        try:
            names = os.listdir(directory)  # noqa: PTH208 - names are wanted
        except FileNotFoundError:
            return []
        return sorted(name for name in names if not name.startswith("."))

    async def remove(self, path: Path) -> bool:
        try:
            path.unlink()  # noqa: ASYNC240 - one system call
        except FileNotFoundError:
            return False
        return True

    async def make_directory(self, path: Path, *, mode: int = 0o700, group: int | None = None) -> None:
        path.mkdir(mode=mode, parents=True, exist_ok=True)  # noqa: ASYNC240 - one system call
        if group is not None:
            os.chown(path, -1, group)
        if stat.S_IMODE(path.stat().st_mode) != mode:  # noqa: ASYNC240 - one system call
            path.chmod(mode)  # noqa: ASYNC240 - one system call

    async def outward_links(self, directory: Path) -> Sequence[str]:
        return await asyncio.to_thread(_outward_links, directory)

    @contextlib.asynccontextmanager
    async def lock(self, path: Path, *, seconds: float = 30) -> AsyncIterator[None]:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await _flock(descriptor, path, seconds)
            yield
        finally:
            os.close(descriptor)


async def _on_disk(work: Callable[..., None], *arguments: object) -> None:
    """Do it on a thread. Who is interrupted waits for its end, so that no lock is let go of while it still writes."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _write(path: Path, data: bytes, group: int | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor with its mode from the start
        if group is not None:
            os.fchown(descriptor, -1, group)
        os.fchmod(descriptor, 0o600 if group is None else 0o640)
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _outward_links(directory: Path) -> list[str]:
    if not directory.is_dir():
        raise Invalid(
            f"{directory} is not a directory, so nothing can be served from it.",
            code="edge_proxy_upstream_invalid",
            hint="Publish the files first.",
        )
    inside = directory.resolve()
    return sorted(
        str(Path(parent, name).relative_to(directory))
        for parent, directories, names in os.walk(directory)
        for name in (*directories, *names)
        if Path(parent, name).is_symlink() and not Path(parent, name).resolve().is_relative_to(inside)
    )


async def _flock(descriptor: int, path: Path, seconds: float) -> None:
    """Asks again with growing pauses instead of blocking a thread: a waiting call can be canceled at any time."""
    deadline = asyncio.get_running_loop().time() + seconds
    pause = 0.001
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            return
        if asyncio.get_running_loop().time() >= deadline:
            raise Timeout(
                f"{path.name} of the edge is held by another process for more than {seconds:g} seconds.",
                code="edge_proxy_busy",
                hint="Another control plane or command is changing routes; try again when it has finished.",
                phase="proxy-reload",
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.05)
