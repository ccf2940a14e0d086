"""The data directory: ours alone, one process at a time, with room left on its disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from datetime import datetime
from pathlib import Path

from quarterdeck.kernel import disk
from quarterdeck.kernel.durable import write_durably
from quarterdeck.kernel.errors import Conflict, Problem, Unavailable
from quarterdeck.kernel.ids import Ids

RESTORING = ".restoring"
"""There while a backup is restored; left behind by a restore that was cut off."""
KEPT_IN = "database.json"
"""Which database the installation is kept in: there from its first start, while a master key may lie elsewhere."""
RESTORED = "restored"
"""An empty file as old as the last restore: what was made between backup and restore is unknown to the database."""


class DataDirectory:
    """Knows where things lie in it. `open` makes it; `lock` keeps other processes out until `release`."""

    def __init__(self, path: Path, least_free: float = disk.LEAST_FREE) -> None:
        self.path = path
        self.least_free = least_free
        self._lock: int | None = None

    @classmethod
    def open(cls, path: Path, least_free: float = disk.LEAST_FREE) -> DataDirectory:
        """Make the directory (0700) where it is missing. Refuses one that others may write to or that is not ours."""
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            status = path.stat()
        except OSError as error:
            raise Conflict(
                f"The data directory {path} cannot be made ({error.strerror}).",
                code="data_directory_unusable",
                hint="Choose another with --data-dir, or create it for the user that runs Quarterdeck.",
            ) from None
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022 or not os.access(path, os.W_OK):
            raise Conflict(
                f"The data directory {path} belongs to another user, or others may write to it.",
                code="data_directory_unusable",
                hint=f"Run: chown {os.geteuid()} {path} && chmod 700 {path}",
            )
        return cls(path, least_free)

    @property
    def database(self) -> Path:
        return self.path / "quarterdeck.db"

    @property
    def logs(self) -> Path:
        return self.path / "logs.db"

    @property
    def master_key(self) -> Path:
        return self.path / "master.key"

    @property
    def runtime(self) -> Path:
        return self.path / "runtime"

    @property
    def locked(self) -> bool:
        return self._lock is not None

    def lock(self) -> None:
        """Raises `Conflict` that names the process which holds it. The lock goes with the process, however it ends."""
        if self._lock is not None:
            return
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise Conflict(
                f"The data directory {self.path} is in use by process {holder}.",
                code="data_directory_in_use",
                hint=f"Stop process {holder}, or choose another directory with --data-dir.",
                pid=holder,
            ) from None
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(descriptor)
            raise Unavailable(
                f"Nothing can be written to the data directory {self.path} ({error.strerror}).",
                code="data_directory_unusable",
                hint="Free space on its disk, then start again.",
            ) from None
        self._lock = descriptor

    def process_uid(self, ids: Ids, machine: str) -> str:
        """Names whoever runs on this directory, for as long as it stays where it is: call it with the lock held.

        Whoever has the lock knows that the process of that name before it is dead. A copy of the directory (or the
        same disk in another `machine`) has a lock of its own, which proves nothing of the first one's process, so
        there the name is drawn anew.
        """
        assert self._lock is not None, "the lock is what the name stands for"  # noqa: S101
        status = os.fstat(self._lock)
        place = f"{machine}:{status.st_dev}:{status.st_ino}"
        file = self.path / "process"
        try:
            uid, _, noted = file.read_text("ascii").strip().partition(" ")
        except (FileNotFoundError, ValueError):
            uid = noted = ""
        if not uid or noted != place:
            uid = ids.uid()
            write_durably(file, f"{uid} {place}\n".encode())
        return uid

    def require_whole(self) -> None:
        """Raise `Conflict` where a restore was cut off: what is here may be a part of something."""
        if (self.path / RESTORING).exists():
            raise Conflict(
                f"A backup is only partly restored into {self.path}.",
                code="restore_unfinished",
                hint="Run the same `quarterdeck restore` again, then start.",
            )

    def require_alone(self) -> None:
        """Raise `Conflict` where another installation, over SSH, has made this the home of what it deploys here, and we
        begin anew: we would clear that away as something that nobody needs.
        """
        if self.master_key.exists() or (self.path / KEPT_IN).exists():
            return
        with contextlib.suppress(FileNotFoundError):
            if any((self.runtime / "installations").iterdir()):
                raise Conflict(
                    f"Another installation of Quarterdeck deploys to this machine, from the directory {self.path}.",
                    code="data_directory_in_use",
                    hint="Choose another directory with --data-dir, or have that installation leave this machine "
                    "first (qd server uninstall there, with the name that this machine has in it).",
                )

    def restored_since(self, instant: datetime) -> bool:
        """Whether a backup was restored here at or after an instant."""
        try:
            return (self.path / RESTORED).stat().st_mtime >= instant.timestamp()
        except FileNotFoundError:
            return False

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def free(self) -> float:
        """The share of the disk that is free to us, 0 to 1."""
        return disk.free_share(self.path)

    def room(self) -> tuple[int, int]:
        """Bytes of the disk that are free to us, and how many it has."""
        return disk.room(self.path)

    def shortage(self) -> Problem | None:
        """See `disk.shortage`."""
        return disk.shortage(self.path, self.free(), self.least_free)

    def require_space(self) -> None:
        shortage = self.shortage()
        if shortage is not None:
            raise shortage
