"""A Docker engine for tests: one named by `QUARTERDECK_TEST_DOCKER_HOST`, or one started here and ended again.

with running_engine(tmp_path) as host:
    ...  # "unix:///…/docker.sock"

with own_engine(tmp_path) as engine:
    engine.stop()  # whatever others use stays
    engine.start()
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from real import base_images, bridge_probe, clean_network

START_SECONDS = 40
END_SECONDS = 20


@contextlib.contextmanager
def running_engine(place: Path | None = None) -> Iterator[str]:
    """The `DOCKER_HOST` of an engine that answers."""
    given = os.environ.get("QUARTERDECK_TEST_DOCKER_HOST")
    if given:
        yield given
        return
    # Sockets have short path limits and /tmp may be a memory disk without overlay support: one short directory of ours.
    with tempfile.TemporaryDirectory(prefix="qd-engine-", dir=place, ignore_cleanup_errors=True) as made:
        root = Path(made)
        alone = not engines_running()
        if alone:
            clean_network.clean()
        with (root / "log").open("wb") as log:
            engine = subprocess.Popen(
                command(root, alone=alone), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            await_answer(root, engine)
            if alone:
                base_images.ensure(f"unix://{root}/docker.sock", ["busybox"])
                bridge_probe.prove(f"{root}/docker.sock")
            yield f"unix://{root}/docker.sock"
        finally:
            end(engine)
            unmount_below(root)
            if alone and not engines_running():
                clean_network.clean()


class OwnEngine:
    """An engine that a test may stop and start, beside one that stays. It shares the other's bridge, because an engine
    with another one removes `docker0`, takes addresses of its own there, and does not touch the firewall.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host = f"unix://{root}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        network = ["--bridge", "docker0", "--fixed-cidr", shared_addresses(), "--default-address-pool"]
        network += ["base=198.18.0.0/16,size=24", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command(self.root, alone=True), *network],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        await_answer(self.root, self._process)

    def stop(self) -> None:
        """As `systemctl stop docker` does: its containers end too."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def destroy(self) -> None:
        self.stop()
        unmount_below(self.root)


def shared_addresses() -> str:
    """The upper half of the addresses of `docker0`: the other engine begins with the lower."""
    shown = subprocess.run(["ip", "-4", "-o", "addr", "show", "docker0"], check=True, capture_output=True, text=True)
    whole = ipaddress.ip_interface(shown.stdout.split("inet ", 1)[1].split()[0]).network
    return str(list(whole.subnets())[1])


@contextlib.contextmanager
def own_engine(place: Path | None = None) -> Iterator[OwnEngine]:
    """A started engine that nobody else uses."""
    with tempfile.TemporaryDirectory(prefix="qd-own-", dir=place, ignore_cleanup_errors=True) as made:
        engine = OwnEngine(Path(made))
        try:
            engine.start()
            yield engine
        finally:
            engine.destroy()


def command(root: Path, *, alone: bool) -> list[str]:
    """The engine's argv. Beside another engine it gets a network of its own: two would delete each other's bridges."""
    daemon = [
        "dockerd",
        *("--data-root", str(root / "data"), "--exec-root", str(root / "exec"), "--pidfile", str(root / "pid")),
        *("-H", f"unix://{root}/docker.sock", "--log-level", "warn"),
    ]
    if alone:
        return daemon
    # Its published ports and container addresses can be reached only from inside that network, not from the tests:
    # a test that dials them wants `QUARTERDECK_TEST_DOCKER_HOST` or a host without another engine.
    script = 'ip link set lo up && exec "$@"'
    return ["unshare", "--net", "--mount", "sh", "-c", script, "sh", *daemon]


def engines_running() -> bool:
    """Whether another engine uses this network namespace."""
    ours = Path("/proc/self/ns/net").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "comm").read_text().strip() == "dockerd" and (process / "ns/net").readlink() == ours:
                return True
    return False


def await_answer(root: Path, engine: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(f"{root}/docker.sock"):
        if engine.poll() is not None or time.monotonic() > deadline:
            tail = (root / "log").read_text(errors="replace").splitlines()[-15:]
            raise RuntimeError("The test engine did not start:\n" + "\n".join(tail))
        time.sleep(0.1)


def answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
        connection.settimeout(5)
        connection.connect(path)
        connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return b" 200 " in connection.recv(100)
    return False


def end(engine: subprocess.Popen[bytes]) -> None:
    """The engine stops its containers and its own containerd when asked politely."""
    engine.send_signal(signal.SIGTERM)
    try:
        engine.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(engine.pid, signal.SIGKILL)  # the session that we started: the engine and its containerd
        engine.wait(END_SECONDS)


def unmount_below(root: Path) -> None:
    """Network namespaces and layers that the engine left mounted."""
    mounted = [line.split(" ")[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in sorted((mount for mount in mounted if mount.startswith(f"{root}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)


def available() -> str | None:
    """Why no test engine can be had here, or None if one can."""
    if os.environ.get("QUARTERDECK_TEST_DOCKER_HOST"):
        return None
    if os.geteuid() != 0:
        return "starting a Docker engine needs root (or QUARTERDECK_TEST_DOCKER_HOST)"
    missing = [program for program in ("dockerd", "unshare", "ip") if shutil.which(program) is None]
    return f"not installed: {', '.join(missing)}" if missing else None
