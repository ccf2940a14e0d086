"""A real OpenSSH server on a loopback port, with host keys, account keys and settings of its own.

with sshd(directory, authorized=[public_line]) as server:
    ...  # server.port, server.fingerprint, server.renew_host_key()
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = "/usr/sbin/sshd"


def new_key(path: Path, *options: str) -> str:
    """Make a key pair as people do; answers the public line."""
    path.unlink(missing_ok=True)
    given = list(options or ("-t", "ed25519"))
    passphrase = [] if "-N" in given else ["-N", ""]
    subprocess.run(["ssh-keygen", "-q", *passphrase, "-f", path, *given], check=True, stdin=subprocess.DEVNULL)
    return path.with_name(f"{path.name}.pub").read_text().strip()


@dataclass
class Sshd:
    """`username` is who may sign in: the account that the tests run as."""

    directory: Path
    port: int
    settings: Sequence[str] = ()
    sftp: bool = True
    username: str = field(default_factory=getpass.getuser)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    @property
    def fingerprint(self) -> str:
        told = subprocess.run(
            ["ssh-keygen", "-lf", self.directory / "host.pub"], check=True, capture_output=True, text=True
        )
        return told.stdout.split()[1]

    def authorize(self, *lines: str) -> None:
        (self.directory / "authorized_keys").write_text("".join(f"{line}\n" for line in lines))
        (self.directory / "authorized_keys").chmod(0o600)

    def start(self) -> None:
        (self.directory / "sshd_config").write_text(
            "\n".join(
                [
                    f"Port {self.port}",
                    "ListenAddress 127.0.0.1",
                    f"HostKey {self.directory}/host",
                    f"AuthorizedKeysFile {self.directory}/authorized_keys",
                    f"PidFile {self.directory}/pid",
                    "StrictModes no",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "PermitRootLogin prohibit-password",
                    "UsePAM no",
                    *(["Subsystem sftp internal-sftp"] if self.sftp else []),
                    *self.settings,
                    "",
                ]
            )
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "-D", "-e", "-f", self.directory / "sshd_config"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1
        for _ in range(500):
            # A look at the port would not do: a connection to a free port of one's own range may reach itself.
            if (self.directory / "log").read_text().count("Server listening") >= self.starts:
                return
            assert self.process.poll() is None, (self.directory / "log").read_text()
            time.sleep(0.02)
        raise RuntimeError("sshd did not start:\n" + (self.directory / "log").read_text())

    def stop(self) -> None:
        """End the server and every connection that it serves."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGTERM)
            self.process.wait(10)
            self.process = None

    def cut(self) -> None:
        """End every connection, and go on listening."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def renew_host_key(self, *options: str) -> None:
        """What happens when a machine is set up anew."""
        self.stop()
        new_key(self.directory / "host", *options)
        self.start()


@contextlib.contextmanager
def sshd(*, authorized: Sequence[str] = (), settings: Sequence[str] = ()) -> Iterator[Sshd]:
    with tempfile.TemporaryDirectory(prefix="qd-sshd-") as made:
        directory = Path(made)
        directory.chmod(0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        new_key(directory / "host")
        server = Sshd(directory, port, settings)
        server.authorize(*authorized)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def available() -> str | None:
    """Why no SSH server can be had here, or None if one can."""
    missing = [name for name in ("ssh-keygen", PROGRAM) if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else None
