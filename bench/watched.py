"""What it costs to watch servers behind SSH on which something serves and nothing happens: memory and processor.

    python bench/watched.py [--seconds 20] [--servers 50]

Real SSH servers on as many addresses of this machine, a connection to each; behind them one engine that answers as
Docker does and lists a container for each server. In-process worker, no edge, SQLite.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

from record import record  # noqa: E402 - the paths come first

from quarterdeck.deploy.deployments.admission import EXECUTE  # noqa: E402 - the paths come first
from quarterdeck.deploy.resources import resources  # noqa: E402 - the paths come first
from quarterdeck.fleet.credentials import access, credentials  # noqa: E402 - the paths come first
from quarterdeck.fleet.servers import servers  # noqa: E402 - the paths come first
from quarterdeck.kernel import jobs  # noqa: E402 - the paths come first
from quarterdeck.kernel.db import Tx  # noqa: E402 - the paths come first
from quarterdeck.kernel.vault import Secret  # noqa: E402 - the paths come first
from real.sshd import PROGRAM, new_key  # noqa: E402 - the paths come first
from serving.process import Served, serving  # noqa: E402 - the paths come first
from support.deck_probe import cpu_seconds, free_port, resident_megabytes  # noqa: E402 - the paths come first
from support.harbour import Harbour  # noqa: E402 - the paths come first

BUDGETS = {"watched.resident": (160, "MB"), "watched.cpu": (1.0, "%")}
WATCHED_SECONDS, SETTLE = 180.0, 45.0
"""How long until all are watched, and until what follows a first look has calmed down."""
STARTED, MOST_ADDRESSES = 1_700_000_000, 16


def address(number: int) -> str:
    return f"127.0.3.{number + 1}"


def container(number: int) -> str:
    return f"{number + 1:064x}"


class Docker:
    """What a watch asks of an engine: whether it is there, its containers, their lines and what happens to them."""

    def __init__(self, count: int) -> None:
        self.rows = [
            {
                "Id": container(number), "Names": [f"/app-{number}"], "Image": "app", "ImageID": "sha256:0",
                "Created": STARTED, "State": "running", "Status": "Up 2 days",
                "Labels": {"quarterdeck.managed": "true"},
            }
            for number in range(count)
        ]  # fmt: skip
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split()[1].partition("?")[0]
                if path.startswith("/v"):
                    path = "/" + path.split("/", 2)[2]
                self.asked += 1
                if path == "/events" or path.endswith("/logs"):
                    writer.write(
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
                        b"Transfer-Encoding: chunked\r\n\r\n"
                    )
                    await writer.drain()
                    await reader.read()  # until nobody listens any more
                    break
                writer.write(self._answer(path))
                await writer.drain()
        writer.close()

    def _answer(self, path: str) -> bytes:
        body: object = self.rows
        if path == "/_ping":
            body = "OK"
        elif path.startswith("/containers/") and path.endswith("/json") and path != "/containers/json":
            body = {
                "Id": path.split("/")[2], "Name": "/app", "Image": "sha256:0", "Created": "2024-01-01T00:00:00Z",
                "State": {"Status": "running", "Running": True, "ExitCode": 0, "StartedAt": "2024-01-01T00:00:00Z"},
                "Config": {"Labels": {}, "Tty": False}, "HostConfig": {}, "NetworkSettings": {"Networks": {}},
                "RestartCount": 0,
            }  # fmt: skip
        content = json.dumps(body).encode()
        head = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


@contextlib.contextmanager
def sshd(place: Path, numbers: range, port: int, docker: Path) -> Iterator[None]:
    """One SSH server on the addresses of some servers; who signs in finds the engine."""
    name = f"sshd-{numbers.start}"
    listen = [f"ListenAddress {address(number)}" for number in numbers]
    settings = [
        f"Port {port}", *listen, f"HostKey {place}/host", f"AuthorizedKeysFile {place}/key.pub",
        f"PidFile {place}/{name}.pid", "StrictModes no", "PasswordAuthentication no", "UsePAM no",
        "PermitRootLogin prohibit-password", "MaxStartups 200", "Subsystem sftp internal-sftp",
        f"SetEnv DOCKER_HOST=unix://{docker}", "",
    ]  # fmt: skip
    (place / name).write_text("\n".join(settings))
    told = place / f"{name}.log"
    with told.open("ab") as log:
        process = subprocess.Popen([PROGRAM, "-D", "-e", "-f", place / name], stdout=log, stderr=log)
    try:
        until = time.monotonic() + 20
        while told.read_text().count("Server listening") < len(numbers):
            assert process.poll() is None, told.read_text()
            assert time.monotonic() < until, told.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def all_sshd(place: Path, count: int, port: int, docker: Path) -> Iterator[None]:
    """As many SSH servers as it takes: one listens on sixteen addresses at most."""
    new_key(place / "host")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with contextlib.ExitStack() as stack:
        for start in range(0, count, MOST_ADDRESSES):
            numbers = range(start, min(start + MOST_ADDRESSES, count))
            stack.enter_context(sshd(place, numbers, port, docker))
        yield


async def furnish(data: Path, count: int, port: int, private: str) -> None:
    """An installation with an application that serves on each of so many servers behind SSH."""
    harbour = await Harbour.open(data, data / "quarterdeck.db", 0, {"kind": "docker-image", "locator": "app"})

    def make(tx: Tx, number: int, key: str) -> None:
        harbour.server = servers.register(
            tx, name=f"Server {number}", host=address(number), provider="generic-ssh", target_kind="single-server",
            port=port, proxy_kind="caddy",
        ).ref  # fmt: skip
        access.configure(tx, harbour.server, access.Way(access.STORED, credential_ref=key))
        source = {"kind": "docker-image", "locator": "app"}
        harbour.resource = resources.create(
            tx, project_ref=harbour.project, environment_ref=harbour.environment, name=f"app {number}", source=source
        ).ref

    try:
        made = await harbour.write(credentials.create, name="key", private_key=Secret(private), username=None)
        for number in range(count):
            await harbour.write(make, number, made.ref)
            deployment = await harbour.create()
            await harbour.claim()
            runtime = {"kind": "container", "container": container(number), "upstream": "127.0.0.1:1"}
            outcome = jobs.Outcome("succeeded", result=json.dumps({"runtime": runtime}))
            await harbour.told(await harbour.job(EXECUTE, deployment.ref), outcome)
    finally:
        await harbour.instance.close()


def watched(data: Path) -> int:
    """On how many servers something was seen to run."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(f"file:{data}/quarterdeck.db?mode=ro", uri=True)) as database:
        found = database.execute("SELECT count(*) FROM deploy_observations WHERE lifecycle = 'running'").fetchone()
    return int(found[0])


async def idle(served: Served, docker: Docker, count: int, seconds: float) -> dict[str, float]:
    pid, until = served.process.pid, time.monotonic() + WATCHED_SECONDS
    while (seen := watched(served.data)) < count:
        assert time.monotonic() < until, f"only {seen} of {count} are watched: {served.said()[-2000:]}"
        await asyncio.sleep(0.5)
    await asyncio.sleep(SETTLE)
    used, began, asked = cpu_seconds(pid), time.monotonic(), docker.asked
    await asyncio.sleep(seconds)
    took = time.monotonic() - began
    print(f"{count} watched, {(docker.asked - asked) / took:.1f} requests/s to their engines")
    return {"watched.resident": resident_megabytes(pid), "watched.cpu": (cpu_seconds(pid) - used) / took * 100}


@contextlib.asynccontextmanager
async def engine(docker: Docker, path: Path) -> AsyncIterator[None]:
    async with await asyncio.start_unix_server(docker.serve, path):
        yield


async def measure(count: int, seconds: float) -> dict[str, float]:
    place = Path(tempfile.mkdtemp(prefix="qd-watched-"))
    data, port, docker = place / "data", free_port(), Docker(count)
    try:
        new_key(place / "key")
        await furnish(data, count, port, (place / "key").read_text())
        async with engine(docker, place / "docker.sock"):
            with all_sshd(place, count, port, place / "docker.sock"), serving(data) as served:
                return await idle(served, docker, count, seconds)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--servers", type=int, default=50)
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.servers, arguments.seconds))
    within = [record(key, value, BUDGETS[key][1], BUDGETS[key][0]) for key, value in found.items()]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
