"""A Docker engine for tests: one named by `QUARTERDECK_TEST_DOCKER_HOST`, or one started here and ended again.

with running_engine() as engine:
    engine.host  # "unix:///…/docker.sock"
"""

from __future__ import annotations

import contextlib
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


class RunEngine:
    """The engine of a test run. A test that stops it starts it again, for the others."""

    def __init__(self, root: Path, *, alone: bool) -> None:
        self.root = root
        self.host = f"unix://{root}/docker.sock"
        self._alone = alone
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it runs, and wait until it answers."""
        if self._process is not None:
            return
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command(self.root, alone=self._alone), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        await_answer(self.root, self._process)

    def stop(self) -> None:
        """As `systemctl stop docker` does: its containers end too."""
        if self._process is not None:
            end(self._process)
            self._process = None


@contextlib.contextmanager
def running_engine(place: Path | None = None) -> Iterator[RunEngine]:
    """An engine of our own that answers."""
    # Sockets have short path limits and /tmp may be a memory disk without overlay support: one short directory of ours.
    with tempfile.TemporaryDirectory(prefix="qd-engine-", dir=place, ignore_cleanup_errors=True) as made:
        root = Path(made)
        alone = not engines_running()
        if alone:
            clean_network.clean()
        engine = RunEngine(root, alone=alone)
        try:
            engine.start()
            if alone:
                base_images.ensure(engine.host, ["busybox"])
                bridge_probe.prove(f"{root}/docker.sock")
            yield engine
        finally:
            engine.stop()
            unmount_below(root)
            if alone and not engines_running():
                clean_network.clean()


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
