"""A deployment over the bare `docker build` + `docker run` of the same source, and where its time goes.

PYTHONPATH=src:tests DOCKER_HOST=… python bench/deployment.py [rounds]
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from record import record

from quarterdeck.deploy.deployments import deployments
from quarterdeck.fleet.docker import containers, images
from quarterdeck.fleet.docker.address import engine_address
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.kernel.db import Tx
from support.harbour import Harbour

SOURCE = Path(__file__).parents[1] / "tests" / "apps" / "dockerfile"
PORT = 3000
BUDGET_SECONDS = 1.5


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def change(source: Path, number: int) -> None:
    """Every round builds: a source that changed by one file."""
    file = source / "server.py"
    file.write_text(f"{(SOURCE / file.name).read_text()}\n# {time.time_ns()} {number}\n")


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def bare(source: Path, number: int) -> float:
    """Seconds until what was built and run by hand answers."""
    change(source, number)
    port, name = free_port(), f"quarterdeck-bench-{os.getpid()}-{number}"
    began = time.monotonic()
    docker("build", "-q", "-t", name, str(source))
    docker("run", "-d", "--init", "--name", name, "-e", f"PORT={PORT}", "-p", f"127.0.0.1:{port}:{PORT}", name)
    with httpx.Client(trust_env=False, timeout=5) as client:
        while True:
            try:
                client.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.HTTPError:
                time.sleep(0.01)
    took = time.monotonic() - began
    docker("rm", "-f", name)
    docker("rmi", name)
    return took


async def deployed(harbour: Harbour, source: Path, number: int) -> tuple[float, dict[str, float]]:
    """Seconds from the request to its end, and those of each phase."""
    change(source, number)
    began = time.monotonic()
    deployment = await harbour.create()
    job = await harbour.instance.jobs.wait(deployment.job_id or 0, 120)
    took = time.monotonic() - began
    assert job.state == "succeeded", (job.error_code, job.error_message)

    def phases(tx: Tx) -> dict[str, float]:
        rows = deployments.phases(tx, deployments.find(tx, deployment.ref))
        return {row.phase: (row.finished_at - row.started_at).total_seconds() for row in rows if row.finished_at}

    return took, await harbour.instance.db.read(phases)


async def main(rounds: int) -> None:
    place = Path(tempfile.mkdtemp(prefix="qd-bench-"))
    place.chmod(0o711)  # noqa: ASYNC240 - before anything runs
    source = place / "source"
    shutil.copytree(SOURCE, source)
    harbour = await Harbour.open(
        place / "data", place / "data", free_port(), {"kind": "local-folder", "locator": str(source)}
    )
    await harbour.instance.start()
    hand, ours, parts = [], [], []
    try:
        await deployed(harbour, source, 0)
        bare(source, 0)
        for number in range(1, rounds + 1):
            hand.append(await asyncio.to_thread(bare, source, number))
            took, phases = await deployed(harbour, source, number)
            ours.append(took)
            parts.append(phases)
            print(f"round {number}: bare {hand[-1]:.2f} s, deployment {took:.2f} s")
    finally:
        if harbour.instance.edge is not None:
            await harbour.instance.edge.stop(grace_seconds=1)
        uid = harbour.instance.uid
        await harbour.instance.stop()
        async with await Engine.connect(engine_address(os.environ)) as engine:
            for row in await containers.listed(engine, {"quarterdeck.instance": uid}):
                await containers.remove(engine, row.id)
            for image in await images.listed(engine, {"quarterdeck.instance": uid}):
                await images.remove(engine, image.id, force=True)
        processes = Processes(place / "data" / "runtime")
        for status in processes.list():
            await processes.remove(status.instance, 0)
        shutil.rmtree(place, ignore_errors=True)
    for phase in parts[0]:
        print(f"  {phase}: {statistics.median(part.get(phase, 0) for part in parts) * 1000:.0f} ms")
    print(f"  bare: {statistics.median(hand) * 1000:.0f} ms; deployment: {statistics.median(ours) * 1000:.0f} ms")
    over = statistics.median(took - by_hand for took, by_hand in zip(ours, hand, strict=True))
    record("deployment over bare docker", over, "s", BUDGET_SECONDS)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
