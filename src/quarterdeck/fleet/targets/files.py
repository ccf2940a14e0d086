"""Files of a server behind SSH, with the same promises as those of this machine: see `fleet.edge.files.Files`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from quarterdeck.fleet.edge.files import unfinished
from quarterdeck.fleet.targets import refusals
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure, Timeout

if TYPE_CHECKING:
    import asyncssh

HELD = "held"
SECONDS, COPY_SECONDS, CLOSE_SECONDS = 60.0, 900.0, 5.0
"""So long one piece of work with files may take. A server that answers keepalives and no SFTP is not waited for."""
LARGEST = 16 * 1024 * 1024
"""Bytes of a file that is read as a whole: what we write there has kilobytes."""
MOST_NAMES = 20_000
"""Entries of a directory that are listed."""
LOCK_STATUS = 75
"""What `flock` is told to answer with when it was not given the lock in time."""


class SshFiles:
    """Uses SFTP, so that names and contents are never words of a command. One session for all, opened at first need."""

    def __init__(self, host: SshHost, *, seconds: float = SECONDS) -> None:
        self._host = host
        self._seconds = seconds
        self._session: asyncssh.SFTPClient | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        session = self._drop()
        if session is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await session.wait_closed()

    def _drop(self) -> asyncssh.SFTPClient | None:
        session, self._session = self._session, None
        if session is not None:
            session.exit()
        return session

    async def read(self, path: Path) -> bytes | None:
        async with self._told(path) as session:
            import asyncssh

            try:
                async with session.open(str(path), "rb") as file:
                    content: bytes = await file.read(LARGEST + 1)
            except asyncssh.SFTPNoSuchFile:
                return None
            if len(content) > LARGEST:
                raise ProviderFailure(
                    f"{path} on {self._host.login.host} has more than {LARGEST >> 20} MiB.",
                    code="remote_file_refused",
                    hint="Quarterdeck writes no such file: look at what has, and remove it.",
                )
            return content
        raise AssertionError  # `_told` raises or runs the block

    async def read_from(self, path: Path, offset: int, size: int) -> bytes | None:
        """At most so many bytes from there on, or None when there is no such file."""
        async with self._told(path) as session:
            import asyncssh

            try:
                async with session.open(str(path), "rb") as file:
                    content: bytes = await file.read(size, offset)
            except asyncssh.SFTPNoSuchFile:
                return None
            return content
        raise AssertionError  # `_told` raises or runs the block

    async def write_atomic(self, path: Path, data: bytes, *, group: int | None = None) -> None:
        """Readers see the old content or the new. What a cut connection left is overwritten by the next writer."""
        import asyncssh

        temporary = unfinished(path)
        async with self._told(path) as session:
            private = asyncssh.SFTPAttrs(permissions=0o600)
            async with session.open(str(temporary), "wb", private) as file:
                await file.write(data)
                await self._give(session, temporary, 0o600 if group is None else 0o640, group)
                await _flush(file)
            await session.posix_rename(str(temporary), str(path))

    async def copy_in(self, source: Path, path: Path, *, mode: int) -> None:
        """Copy a file of this machine there, whole or not at all."""
        async with self._told(path, COPY_SECONDS) as session:
            await session.put(str(source), str(unfinished(path)))
            await session.chmod(str(unfinished(path)), mode)
            await session.posix_rename(str(unfinished(path)), str(path))

    async def rename(self, old: Path, new: Path) -> None:
        async with self._told(old) as session:
            await session.posix_rename(str(old), str(new))

    async def list(self, directory: Path) -> Sequence[str]:
        async with self._told(directory) as session:
            import asyncssh

            try:
                names: list[str] = []
                async for entry in session.scandir(str(directory)):
                    names.append(str(entry.filename))
                    if len(names) > MOST_NAMES:
                        raise self._too_many(directory)
            except asyncssh.SFTPNoSuchFile:
                return []
            return sorted(name for name in names if not name.startswith("."))
        raise AssertionError  # `_told` raises or runs the block

    def _too_many(self, directory: Path) -> ProviderFailure:
        return ProviderFailure(
            f"{directory} on {self._host.login.host} has more than {MOST_NAMES} entries.",
            code="remote_file_refused",
            hint="Quarterdeck makes fewer by far: look at what has, and remove them.",
        )

    async def remove(self, path: Path) -> bool:
        async with self._told(path) as session:
            import asyncssh

            try:
                await session.remove(str(path))
            except asyncssh.SFTPNoSuchFile:
                return False
            return True
        raise AssertionError  # `_told` raises or runs the block

    async def make_directory(self, path: Path, *, mode: int = 0o700, group: int | None = None) -> None:
        async with self._told(path) as session:
            import asyncssh

            await session.makedirs(str(path), asyncssh.SFTPAttrs(permissions=0o700), exist_ok=True)
            await self._give(session, path, mode, group)

    @staticmethod
    async def _give(session: asyncssh.SFTPClient, path: Path, mode: int, group: int | None) -> None:
        if group is not None:
            owner = (await session.stat(str(path))).uid
            await session.chown(str(path), owner if owner is not None else -1, group)
        await session.chmod(str(path), mode)

    async def outward_links(self, directory: Path) -> Sequence[str]:
        """Relative paths of the symbolic links below a directory that lead out of it."""
        async with self._told(directory) as session:
            if not await session.isdir(str(directory)):
                raise Invalid(
                    f"{directory} is not a directory, so nothing can be served from it.",
                    code="edge_proxy_upstream_invalid",
                    hint="Publish the files first.",
                )
            inside = PurePosixPath(str(await session.realpath(str(directory))))
        # Names may hold anything but a zero byte.
        found = await self._host.run(["find", str(directory), "-type", "l", "-print0"])
        outward = []
        for name in [raw.decode(errors="surrogateescape") for raw in found.stdout.split(b"\0") if raw]:
            target = (await self._host.run(["readlink", "-m", "--", name])).text.rstrip("\n")
            if not PurePosixPath(target).is_relative_to(inside):
                outward.append(str(PurePosixPath(name).relative_to(str(directory))))
        return sorted(outward)

    @contextlib.asynccontextmanager
    async def lock(self, path: Path, *, seconds: float = 30) -> AsyncIterator[None]:
        """Held by a process over there, which ends with its input: a cut connection gives the lock free."""
        import asyncssh

        held = f"echo {HELD}; exec cat > /dev/null"
        words = ["flock", "-w", f"{seconds:g}", "-E", str(LOCK_STATUS), str(path), "sh", "-c", held]
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(seconds):
                    process = await stack.enter_async_context(self._host.held(words, "lock"))
            except TimeoutError:
                raise self._not_locked(path, LOCK_STATUS, seconds) from None
            try:
                said = await process.stdout.readline()
            except (asyncssh.Error, OSError) as error:
                raise refusals.cut(self._host.login) from error
            if said.strip() != HELD.encode():
                await process.wait_closed()
                raise self._not_locked(path, process.exit_status, seconds)
            yield

    def _not_locked(self, path: Path, status: int | None, seconds: float) -> Problem:
        if status != LOCK_STATUS:
            return refusals.cut(self._host.login)
        return Timeout(
            f"{path.name} is held by another process for more than {seconds:g} seconds.",
            code="edge_proxy_busy",
            hint="Another control plane or command works there; try again when it has finished.",
        )

    @contextlib.asynccontextmanager
    async def _told(self, path: Path, seconds: float | None = None) -> AsyncIterator[asyncssh.SFTPClient]:
        """The SFTP session; its refusals become problems that name the path."""
        import asyncssh

        seconds = seconds or self._seconds
        try:
            async with asyncio.timeout(seconds):
                async with self._opening:
                    if self._session is None:
                        self._session = await self._host.connection.start_sftp_client()
                    session = self._session
                yield session
        except TimeoutError as error:
            self._drop()
            if self._host.closed:
                raise refusals.cut(self._host.login) from error
            raise Timeout(
                f"{self._host.login.host} answers nothing about {path} for {seconds:g} seconds.",
                code="remote_file_timeout",
                hint="Look at its disk and its sshd (Subsystem sftp), then try again.",
            ) from error
        except (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost, asyncssh.ConnectionLost) as error:
            self._session = None
            raise refusals.cut(self._host.login) from error
        except asyncssh.SFTPError as error:
            raise ProviderFailure(
                f"{path} on {self._host.login.host}: {error.reason.lower() or 'refused'}.",
                code="remote_file_refused",
                hint=f"Check that {self._host.login.username} may write there, and that the disk is not full.",
            ) from error
        except OSError as error:
            raise refusals.cut(self._host.login) from error
        except asyncssh.Error as error:
            if self._host.closed:
                raise refusals.cut(self._host.login) from error
            raise refusals.no_files(self._host.login) from error


async def _flush(file: Any) -> None:
    """Onto the disk, where the server knows how."""
    import asyncssh

    with contextlib.suppress(asyncssh.SFTPOpUnsupported):
        await file.fsync()
