"""What a server costs that has nothing to do: memory and processor of the server, memory of the edge beside it.

    python bench/idle.py [--seconds 20] [--servers 50]

The server as `qd serve` starts it, with its worker inside; 50 registered servers, SQLite.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import httpx  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first
from start import PROGRAM  # noqa: E402 - the paths come first

from serving.process import serving  # noqa: E402 - the paths come first
from support.deck_probe import cpu_seconds, edge_pid, end_edge, free_port, resident_megabytes  # noqa: E402

PASSWORD = "correct horse battery staple"  # noqa: S105 - of a server that lives for seconds
BUDGETS = {"idle.resident": (160, "MB"), "idle.cpu": (1.0, "%"), "idle.edge_resident": (60, "MB")}
SETTLE = 3.0


def register(url: str, count: int) -> None:
    """Sign in and register servers, as an operator's script would."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        body = {"email": "ada@example.com", "password": PASSWORD, "displayName": "Ada"}
        client.post("/api/bootstrap/auth/first-admin", json=body).raise_for_status()
        answer = client.post("/api/auth/login", json={"email": "ada@example.com", "password": PASSWORD})
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        for number in range(count):
            body = {"name": f"Server {number}", "host": f"10.0.0.{number + 1}", "providerKey": "generic-ssh"}
            client.post("/api/servers", json=body).raise_for_status()
        client.get("/console/", headers={"accept": "text/html"})


def measure(seconds: float, servers: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-") as directory:
        data = Path(directory) / "data"
        ports = {"edge_http_port": free_port(), "edge_https_port": free_port()}
        try:
            with serving(data, program=PROGRAM, no_edge=None, **ports) as served:
                served.ready()
                register(served.url, servers)
                while (edge := edge_pid(data / "runtime")) is None:
                    time.sleep(0.05)
                time.sleep(SETTLE)
                used, began = cpu_seconds(served.process.pid), time.monotonic()
                time.sleep(seconds)
                share = (cpu_seconds(served.process.pid) - used) / (time.monotonic() - began) * 100
                found = {
                    "idle.resident": resident_megabytes(served.process.pid),
                    "idle.cpu": share,
                    "idle.edge_resident": resident_megabytes(edge),
                }
                served.stop()
        finally:
            end_edge(data / "runtime")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--servers", type=int, default=50)
    arguments = parser.parse_args()
    found = measure(arguments.seconds, arguments.servers)
    within = [record(key, value, BUDGETS[key][1], BUDGETS[key][0]) for key, value in found.items()]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
