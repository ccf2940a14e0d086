"""A real server, and a real worker beside it, as processes of their own on one data directory."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from e2e.engine import View
from quarterdeck.fleet.processes import accounts

START_SECONDS = 120
"""Two where nobody else computes, which `test_start_up` and the budgets hold."""
STOP_SECONDS = 60
PROGRAM = [sys.executable, "-c", "import sys; from quarterdeck.cli.main import main; sys.exit(main())"]
SOURCES = Path(__file__).resolve().parents[2] / "src"
CAPABILITIES = ("deploy", "local")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(docker_host: str | None, **more: str) -> dict[str, str]:
    """The environment of a process of ours: nothing of the operator's, an engine or a socket that nobody answers, and
    modules that are compiled once, as for everybody who starts a server a second time.
    """
    not_ours = ("QUARTERDECK_", "DOCKER_", "PYTHONDONTWRITEBYTECODE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(not_ours)}
    found = kept.get("PYTHONPATH")
    kept |= {name: os.environ[name] for name in (accounts.VARIABLE,) if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": f"{SOURCES}:{found}" if found else str(SOURCES),
        "DOCKER_HOST": docker_host or "unix:///nonexistent/docker.sock",
        **more,
    }


@dataclass
class Deck:
    """One installation: its directory, its ports, and the processes that run on it."""

    data: Path
    docker_host: str | None = None
    database_url: str | None = None
    remote_worker: bool = False
    host: str = "127.0.0.1"
    """Where it listens; it is called at 127.0.0.1."""
    port: int = field(default_factory=free_port)
    edge_port: int = field(default_factory=free_port)
    edge_tls_port: int = field(default_factory=free_port)
    extra: dict[str, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    """Of `serve`, besides those above."""
    server: subprocess.Popen[bytes] | None = None
    worker: subprocess.Popen[bytes] | None = None
    resources: list[str] = field(default_factory=list)
    """What tests deployed here: how containers and images are found when all is cleared away."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def runtime(self) -> Path:
        """The target directory of this machine."""
        return self.data / "runtime"

    def options(self) -> list[str]:
        given = ["--host", self.host, "--port", str(self.port), "--data-dir", str(self.data)]
        given += ["--edge-http-port", str(self.edge_port), "--edge-https-port", str(self.edge_tls_port)]
        if self.database_url:
            file = self.data.parent / "database-url"
            file.write_text(self.database_url)
            given += ["--database-url", f"@{file}"]
        if self.remote_worker:
            given.append("--no-worker")
        return [*given, *self.flags]

    def start(self, *, server_faults: Path | None = None, worker_faults: Path | None = None) -> float:
        """Start what is not running and wait until the server can serve. Answers the seconds that took."""
        began = time.monotonic()
        if self.remote_worker and not self.token_file.exists():
            self.enrol()
        if self.server is None:
            self.server = self._run("server", ["serve", *self.options()], server_faults)
        self.await_ready()
        took = time.monotonic() - began
        if self.remote_worker and self.worker is None:
            arguments = ["worker", "--server", self.url, "--token", f"@{self.token_file}"]
            arguments += ["--capability", ",".join(CAPABILITIES), "--data-dir", str(self.data.parent / "worker")]
            self.worker = self._run("worker", arguments, worker_faults)
        return took

    def _run(self, name: str, arguments: list[str], faults: Path | None) -> subprocess.Popen[bytes]:
        more = {**self.extra, **({"QUARTERDECK_FAULTS": str(faults)} if faults else {})}
        log = self.data.parent / f"{name}.log"
        with log.open("ab") as output:
            return subprocess.Popen(
                [*PROGRAM, *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment(self.docker_host, **more),
                cwd=self.data.parent,
                start_new_session=True,
            )

    def await_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self.server is not None
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200:
                    return
            assert self.server.poll() is None, f"the server ended: {self.log('server')}"
            assert time.monotonic() < deadline, f"the server is not ready: {self.log('server')}"
            time.sleep(0.05)

    def log(self, name: str = "server", lines: int = 40) -> str:
        path = self.data.parent / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else "(no log)"

    @property
    def token_file(self) -> Path:
        return self.data.parent / "worker-token"

    def enrol(self) -> None:
        """Make a worker known before the first start, as an operator does with the server stopped."""
        script = Path(__file__).with_name("enrolling.py")
        arguments = [sys.executable, str(script), str(self.data), self.database_url or "", *CAPABILITIES]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment(self.docker_host))
        assert done.returncode == 0, done.stderr
        self.token_file.touch(mode=0o600)
        self.token_file.write_text(done.stdout.split()[-1])  # what it logs comes before

    def stop(self, *, graceful: bool = True) -> None:
        """End our processes; applications and the edge keep running."""
        for name in ("worker", "server"):
            process: subprocess.Popen[bytes] | None = getattr(self, name)
            if process is not None:
                process.send_signal(signal.SIGTERM if graceful else signal.SIGKILL)
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    raise
                finally:
                    setattr(self, name, None)

    def await_death(self, name: str, seconds: float) -> bool:
        """Whether the named process ended within the time; it is forgotten then."""
        process: subprocess.Popen[bytes] | None = getattr(self, name)
        assert process is not None
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        setattr(self, name, None)
        return True

    def destroy(self) -> None:
        """Also end what an operator would leave running: the edge, host processes, containers."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop()
        script = Path(__file__).with_name("clearing.py")
        subprocess.run([sys.executable, str(script), str(self.runtime)], check=True, env=environment(self.docker_host))
        if self.docker_host:
            with View(self.docker_host) as engine:
                engine.clear(self.resources)


@contextlib.contextmanager
def deck(place: Path, **options: object) -> Iterator[Deck]:
    """A started installation, destroyed afterwards. `server_faults` is the directory of its server's points."""
    faults: Any = options.pop("server_faults", None)
    place.mkdir(mode=0o711, parents=True, exist_ok=True)
    made = Deck(place / "data", **options)  # type: ignore[arg-type]
    try:
        made.start(server_faults=faults)
        yield made
    finally:
        made.destroy()
