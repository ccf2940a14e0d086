"""What connected workers cost a server, and how long a task is on its way to one of them.

    python bench/fabric.py [--workers 500] [--seconds 60] [--tasks 200]

A server and, in another process, workers that are enrolled, connected and idle. Its memory and processor time are told
for each worker, over what it takes before any came; then tasks are created one after the other, and the time is taken
from the moment at which one was asked for to that at which a worker has its order.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import httpx  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first
from start import PROGRAM  # noqa: E402 - the paths come first

from serving.process import serving  # noqa: E402 - the paths come first
from support.deck_probe import cpu_seconds, resident_megabytes  # noqa: E402

PASSWORD = "correct horse battery staple"  # noqa: S105 - of a server that lives for minutes
SETTLE = 10.0
PATIENCE = 300.0
PAUSE = 0.05
"""Seconds between two tasks: each is on its way alone."""
BUDGETS = {
    "fabric.memory_per_worker": (200, "KB"),
    "fabric.cpu_per_worker": (0.02, "% of a core"),
    "fabric.dispatch_p50": (50, "ms"),
    "fabric.dispatch_p99": (250, "ms"),
}


def signed_in(client: httpx.Client) -> None:
    body = {"email": "ada@example.com", "password": PASSWORD, "displayName": "Ada"}
    client.post("/api/bootstrap/auth/first-admin", json=body).raise_for_status()
    answer = client.post("/api/auth/login", json={"email": "ada@example.com", "password": PASSWORD})
    client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


def asked(client: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    answer = client.request(method, path, json=body)
    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


@contextlib.contextmanager
def workers(client: httpx.Client, url: str, count: int, place: Path) -> Iterator[Path]:
    """They are connected; answers the file of what they say."""
    made = [asked(client, "POST", "/api/admin/worker-tokens", {"label": str(one)})["token"] for one in range(count)]
    said = place / "workers.log"
    paths = os.pathsep.join(str(ROOT / one) for one in ("src", "bench"))
    program = [sys.executable, str(ROOT / "bench" / "fabric_workers.py"), url, str(place / "workers")]
    with said.open("wb") as output:
        process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=(place / "errors.log").open("wb"),
            env={**os.environ, "PYTHONPATH": paths},
        )
    try:
        assert process.stdin is not None
        process.stdin.write("\n".join(made).encode())
        process.stdin.close()

        def connected() -> bool:
            assert process.poll() is None, (place / "errors.log").read_text()[-2000:]
            return bool(asked(client, "GET", "/api/web/machines?status=online&limit=1")["total"] == count)

        until(connected, f"{count} workers are connected")
        yield said
    finally:
        process.kill()
        process.wait()


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.2)


def cost(pid: int, seconds: float) -> tuple[float, float]:
    """Megabytes, and percent of a core."""
    used, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    share = (cpu_seconds(pid) - used) / (time.monotonic() - began) * 100
    return resident_megabytes(pid), share


def dispatched(client: httpx.Client, said: Path, count: int) -> list[float]:
    """Milliseconds from asking for a task to its order on a machine."""
    body = {
        "key": "BENCH", "name": "Bench", "repoUrl": "https://git.example.com/bench.git", "agentType": "custom",
        "customAgent": {"argv": ["true"], "readyPattern": ">"},
        "pipeline": [{"name": "work", "command": "{description}"}],
    }  # fmt: skip
    asked(client, "POST", "/api/admin/projects", body)
    began: dict[int, float] = {}
    for number in range(count):
        at = time.time()
        made = asked(client, "POST", "/api/web/tasks", {"projectKey": "BENCH", "description": f"page {number}"})
        began[int(made["id"])] = at
        time.sleep(PAUSE)

    def came() -> dict[int, float]:
        lines = [line.split() for line in said.read_text().splitlines() if line.startswith("came ")]
        return {int(task): float(at) for _, task, at in lines}

    until(lambda: came().keys() >= began.keys(), "every task has come to a worker")
    arrived = came()
    return [(arrived[task] - at) * 1000 for task, at in began.items()]


def measure(count: int, seconds: float, tasks: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-") as directory:
        place = Path(directory)
        with serving(place / "data", program=PROGRAM, requests_per_address=0, requests_per_credential=0) as served:
            served.ready()
            with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as client:
                signed_in(client)
                asked(client, "PUT", "/api/admin/settings", {"loadThresholdPercent": 100})
                time.sleep(SETTLE)
                alone = cost(served.process.pid, seconds)
                with workers(client, served.url, count, place) as said:
                    time.sleep(SETTLE)
                    together = cost(served.process.pid, seconds)
                    told = f"{together[0]:.0f} MB, {together[1]:.2f} %"
                    print(
                        f"alone {alone[0]:.0f} MB, {alone[1]:.2f} % of a core; with {count} workers {told}", flush=True
                    )
                    took = sorted(dispatched(client, said, tasks))
            served.stop()
    return {
        "fabric.memory_per_worker": (together[0] - alone[0]) * 1024 / count,
        "fabric.cpu_per_worker": (together[1] - alone[1]) / count,
        "fabric.dispatch_p50": statistics.median(took),
        "fabric.dispatch_p99": took[int(len(took) * 0.99)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    found = measure(options.workers, options.seconds, options.tasks)
    if options.no_record:
        print(found)
        return
    within = [record(key, value, BUDGETS[key][1], BUDGETS[key][0]) for key, value in found.items()]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
