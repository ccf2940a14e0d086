"""The Caddy process of a directory: found again, started detached, ended only when it is certainly ours."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from quarterdeck.kernel.answers import whole
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.unreadable import UNREADABLE

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """One process among all that ever had its pid: `started` is field 22 of /proc/<pid>/stat, in clock ticks."""

    pid: int
    started: int
    boot: str


def identify(pid: int) -> Identity | None:
    """The living process with this pid; None when there is none, or only its remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return None
    return identity_in(pid, stat, _BOOT_ID.read_text())


def identity_in(pid: int, stat: str, boot: str) -> Identity | None:
    """The process of a /proc/<pid>/stat file; None when only its remains are left, and for what is no such file."""
    fields = stat.rpartition(")")[2].split()
    started = whole(fields[19]) if len(fields) > 19 else None
    if started is None or fields[0] in {"Z", "X"}:
        return None
    return Identity(pid=pid, started=started, boot=boot.strip())


def lives(identity: Identity | None) -> bool:
    return identity is not None and identify(identity.pid) == identity


def decode_identity(data: bytes | None) -> Identity | None:
    """None for a missing, torn or foreign file: such a file proves nothing about any process."""
    with contextlib.suppress(*UNREADABLE):
        return msgspec.json.decode(data or b"", type=Identity)
    return None


@contextlib.contextmanager
def process_lock(path: Path) -> Iterator[int | None]:
    """A descriptor that holds the lock of the directory's Caddy, or None when a living process holds it.

    The descriptor is passed to the Caddy that is started under it, which then holds the lock as long as it lives.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def socket_owner(path: Path) -> Identity | None:
    """Who listens on a unix socket, as the kernel tells; None when nobody does."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return None
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, _uid, _gid = struct.unpack("3i", credentials)
    return identify(pid)


async def start_detached(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, lock: int
) -> Identity:
    """Runs a command that prints the pid of what it left behind; only `lock` is inherited.

    Raises `Unavailable` when nothing was started.
    """
    starter = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
        cwd=directory,
        start_new_session=True,
        pass_fds=(lock,),
    )
    printed, _ = await starter.communicate()
    pid = whole(printed)
    identity = identify(pid) if pid is not None else None
    if identity is None:
        raise Unavailable(
            "The edge proxy ended as soon as it was started.",
            code="edge_proxy_start_failed",
            hint="Look at log/start.log in the edge directory.",
            phase="proxy-bootstrap",
        )
    return identity


async def end_process(identity: Identity, *, grace_seconds: float) -> bool:
    """Asks the process to end, and kills it after the grace. Whether there was such a process.

    The signal goes through a descriptor taken before the identity was checked, so a pid that passes to somebody else in
    between is never hit.
    """
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        if not lives(identity):
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        if not await _ended(descriptor, grace_seconds):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            await _ended(descriptor, 10)
    finally:
        os.close(descriptor)
    return True


async def wait_for_end(identity: Identity) -> None:
    """Returns when the process is gone, at once if it is already; costs nothing while it lives."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return
    try:
        if lives(identity):
            await _ended(descriptor, None)
    finally:
        os.close(descriptor)


async def _ended(descriptor: int, seconds: float | None) -> bool:
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        async with asyncio.timeout(seconds):
            await gone.wait()
    except TimeoutError:
        return bool(select.select([descriptor], [], [], 0)[0])
    finally:
        loop.remove_reader(descriptor)
    return True


def program_of(identity: Identity) -> Path | None:
    """What the process runs, None where nobody tells."""
    try:
        return Path(f"/proc/{identity.pid}/exe").readlink()
    except OSError:
        return None
