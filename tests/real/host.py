"""A machine of its own for tests: a network, mount and process namespace with a real SSH server and, if asked for, a
Docker engine, reached over a cable. It can be cut off, and switched off and on again.

with machine(3, authorized=[public_line]) as host:
    host.address, host.docker_host, host.fingerprint, host.off(), host.on(), host.unplug(), host.plug(), host.cut(),
    host.lose(0.1), host.fill(), host.kill_engine(), host.start_engine()
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from real import base_images
from real.engine import answers
from real.sshd import PROGRAM, new_key

START_SECONDS = 40
ACCOUNT_ID = 4711
NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def sh(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, check=check, capture_output=True, text=True)


@dataclass
class Machine:
    """`number` tells machines of one run apart: their addresses and cables. `with_engine`: whether there is Docker."""

    place: Path
    number: int
    authorized: Sequence[str]
    with_engine: bool
    username: str = ""
    process: subprocess.Popen[bytes] | None = None
    account: str | None = None
    _lossy: Sequence[str] = ()

    @property
    def address(self) -> str:
        return f"10.77.{self.number}.2"

    @property
    def address6(self) -> str:
        """The same by IPv6."""
        return f"fd77:{self.number}::2"

    @property
    def network(self) -> str:
        return f"10.77.{self.number}.0/24"

    @property
    def cable(self) -> str:
        return f"qdt{os.getpid() % 100_000}n{self.number}"

    @property
    def docker_host(self) -> str:
        """Its engine, past SSH: for the eyes of tests."""
        return f"unix://{self.place}/docker.sock"

    @property
    def root(self) -> Path:
        """Where Quarterdeck keeps its things there, seen from here."""
        return self.place / "varlib" / "quarterdeck" / "runtime"

    @property
    def home(self) -> Path:
        """Of the account that is not root."""
        return self.place / "homes" / (self.account or "")

    def allow_sudo(self, *lines: str) -> None:
        """What stands in sudoers beside root's own line."""
        (self.place / "sudoers").write_text("\n".join(["root ALL=(ALL:ALL) ALL", *lines, ""]))

    def _accounts(self) -> list[str]:
        """Tables of accounts with one more person, laid over those of the machine that we run on."""
        if self.account is None:
            return []
        self.home.mkdir(parents=True, exist_ok=True)
        os.chown(self.home, ACCOUNT_ID, ACCOUNT_ID)
        rows = {
            "passwd": f"{self.account}:x:{ACCOUNT_ID}:{ACCOUNT_ID}::{self.home}:/bin/sh",
            "group": f"{self.account}:x:{ACCOUNT_ID}:",
            "shadow": f"{self.account}:*:19000:0:99999:7:::",
        }
        for name, row in rows.items():
            (self.place / name).write_text(f"{Path('/etc', name).read_text().rstrip()}\n{row}\n")
        (self.place / "shadow").chmod(0o640)
        if not (self.place / "sudoers").exists():
            self.allow_sudo()
        (self.place / "sudoers").chmod(0o440)
        return [f"mount --bind {shlex.quote(str(self.place))}/{name} /etc/{name}" for name in (*rows, "sudoers")]

    @property
    def fingerprint(self) -> str:
        return sh("ssh-keygen", "-lf", str(self.place / "host.pub")).stdout.split()[1]

    def _script(self) -> str:
        place = shlex.quote(str(self.place))
        lines = [
            "ip link set lo up",
            f"mount --bind {place}/varlib /var/lib",
            # The account's own start-up files are no part of the test, and must not be interrupted in the middle.
            f'mount --bind {place}/home "$HOME"',
            *self._accounts(),
            # What a machine forgets when it is switched off.
            f"rm -rf {place}/exec {place}/pid {place}/docker.sock",
            "mkdir -p /run/sshd",
            f"until ip link show eth0 >{place}/null 2>&1; do sleep 0.05; done",
            f"ip address add {self.address}/24 dev eth0; ip address add {self.address6}/64 dev eth0 nodad",
            "ip link set eth0 up",
            f"{PROGRAM} -D -e -f {place}/sshd_config >>{place}/log 2>&1 &",
        ]
        if self.with_engine:
            lines.append(self._engine())
        else:
            lines[1:1] = [f"touch {place}/nothing", *(f"mount --bind {place}/nothing {path}" for path in _engines())]
        # The first process of a machine looks after those whose parent has ended.
        return "\n".join([*lines, "while :; do wait; sleep 0.2; done"])

    def _engine(self) -> str:
        place = shlex.quote(str(self.place))
        return (
            f"dockerd --data-root {place}/data --exec-root {place}/exec --pidfile {place}/pid"
            f" -H {self.docker_host} --log-level warn >>{place}/engine.log 2>&1 </dev/null &"
        )

    def on(self) -> None:
        """Switch it on and wait until one can sign in and its engine answers."""
        assert self.process is None
        listen = f"ListenAddress {self.address}\nListenAddress {self.address6}"
        docker = [f"SetEnv DOCKER_HOST={self.docker_host}"] if self.with_engine else []
        settings = [
            "Port 22", listen, f"HostKey {self.place}/host", f"AuthorizedKeysFile {self.place}/authorized_keys",
            f"PidFile {self.place}/sshd.pid", "StrictModes no", "PasswordAuthentication no",
            "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password", "UsePAM no",
            "Subsystem sftp internal-sftp", *docker, "",
        ]  # fmt: skip
        (self.place / "sshd_config").write_text("\n".join(settings))
        with (self.place / "init.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*NAMESPACES, "sh", "-c", self._script()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while self._first() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        sh("ip", "link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", str(self._first()))
        sh("ip", "route", "delete", "unreachable", self.network, check=False)
        sh("ip", "address", "add", f"10.77.{self.number}.1/24", "dev", self.cable)
        sh("ip", "address", "add", f"fd77:{self.number}::1/64", "dev", self.cable, "nodad", check=False)
        sh("ip", "link", "set", self.cable, "up")
        while not self._listens() or (self.with_engine and not answers(f"{self.place}/docker.sock")):
            assert self.process.poll() is None, (self.place / "init.log").read_text()
            assert time.monotonic() < deadline, [path.read_text()[-2000:] for path in self.place.glob("*.log")]
            time.sleep(0.05)
        if self.with_engine:
            base_images.ensure(self.docker_host, ["busybox"])

    def off(self) -> None:
        """As by the power switch: everything on it ends at once, and nobody else answers for it."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        self.process = None
        sh("ip", "link", "delete", self.cable, check=False)  # it goes by itself, but later
        sh("ip", "route", "replace", "unreachable", self.network)  # else whoever is behind the default route is asked

    def unplug(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        sh("ip", "link", "set", self.cable, "down")

    def plug(self) -> None:
        sh("ip", "link", "set", self.cable, "up")

    def cut(self) -> None:
        """End every connection to its SSH server, which goes on listening."""
        for child in _children(self._sshd()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def lose(self, share: float) -> None:
        """Of what is sent to it and comes from it so much is lost (0.1: a tenth); 0 is as before."""
        for chain, side in (("OUTPUT", "-d"), ("INPUT", "-s")):
            rule = [chain, side, self.address, "-m", "comment", "--comment", self.cable, "-m", "statistic"]
            while self._lossy and sh("iptables", "-D", *rule, *self._lossy, check=False).returncode == 0:
                pass
            if share:
                sh("iptables", "-A", *rule, *_dropped(share))
        self._lossy = _dropped(share) if share else ()

    def fill(self) -> Path:
        """Take all that is left of the disk that Quarterdeck's things lie on; removing the file gives it back."""
        file = self.place / "varlib" / "filling"
        with contextlib.suppress(OSError), file.open("wb", buffering=0) as filling:
            while True:
                filling.write(b"x" * 65_536)
        return file

    def kill_engine(self) -> None:
        """As by a crash of the Docker engine; what runs in its containers goes on until it is started again."""
        for name in ("dockerd", "containerd"):
            self.run("pkill", "-KILL", "-x", name, check=False)
        while self.run("pgrep", "-x", "dockerd", check=False).strip():
            time.sleep(0.02)
        (self.place / "pid").unlink(missing_ok=True)
        (self.place / "docker.sock").unlink(missing_ok=True)

    def start_engine(self) -> None:
        self.run("sh", "-c", self._engine())
        deadline = time.monotonic() + START_SECONDS
        while not answers(f"{self.place}/docker.sock"):
            assert time.monotonic() < deadline, (self.place / "engine.log").read_text()[-2000:]
            time.sleep(0.05)

    def run(self, *words: str, check: bool = True) -> str:
        """What a command on the machine says."""
        first = str(self._first())
        return sh("nsenter", "-t", first, "--net", "--mount", "--pid", "--", *words, check=check).stdout

    def _first(self) -> int | None:
        assert self.process is not None
        children = _children(self.process.pid)
        return children[0] if children else None

    def _sshd(self) -> int:
        first = self._first()
        assert first is not None
        names = {child: Path(f"/proc/{child}/comm").read_text().strip() for child in _children(first)}
        return next(child for child, name in names.items() if name == "sshd")

    def _listens(self) -> bool:
        try:
            with socket.create_connection((self.address, 22), 0.5):
                return True
        except OSError:
            return False


def _engines() -> list[str]:
    """Every program of an engine that a command would find."""
    places = [Path(directory) for directory in os.get_exec_path()]
    return sorted({os.path.realpath(place / name) for place in places for name in ("docker", "dockerd")
                   if (place / name).is_file()})  # fmt: skip


def _dropped(share: float) -> Sequence[str]:
    return ("--mode", "random", "--probability", str(share), "-j", "DROP")


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


@contextlib.contextmanager
def machine(
    number: int, *, authorized: Sequence[str], engine: bool = True, disk: str | None = None, account: str | None = None
) -> Iterator[Machine]:
    """`disk` is how large that of Quarterdeck's own things is (`400m`), if it shall have one of its own; `account` is
    somebody who may sign in beside root.
    """
    place = Path(tempfile.mkdtemp(prefix=f"qd-host{number}-"))
    place.chmod(0o755)
    for name in ("varlib", "home"):
        (place / name).mkdir()
    if disk is not None:
        sh("mount", "-t", "tmpfs", "-o", f"size={disk},mode=755", "tmpfs", str(place / "varlib"))
    new_key(place / "host")
    (place / "authorized_keys").write_text("".join(f"{line}\n" for line in authorized))
    made = Machine(place, number, authorized, engine, getpass.getuser(), account=account)
    try:
        made.on()
        yield made
    finally:
        made.lose(0)
        made.off()
        sh("ip", "route", "delete", "unreachable", made.network, check=False)
        if disk is not None:
            sh("umount", str(place / "varlib"), check=False)
        shutil.rmtree(place, ignore_errors=True)


def available() -> str | None:
    """Why no machine can be made here, or None if one can."""
    if os.geteuid() != 0:
        return "making a machine of its own needs root"
    missing = [program for program in ("dockerd", "unshare", "nsenter", "ip", PROGRAM) if shutil.which(program) is None]
    return f"not installed: {', '.join(missing)}" if missing else None
