"""From starting the program to the first answered request, migrations applied.

    python bench/start.py [--runs 7]

`start.first` begins with an empty data directory, `start.again` with one that was served before. `start.cpu` is the
processor time of a first start: what is left when the machine has nothing else to do.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

from record import record  # noqa: E402 - the paths come first

from serving.process import serving  # noqa: E402 - the paths come first
from support.deck_probe import cpu_seconds, free_port  # noqa: E402 - the paths come first

BUDGET = 2.0
PROGRAM = "import sys; from quarterdeck.cli.main import run; sys.exit(run(['serve']))"
"""The server as `qd serve` starts it."""


def answers(port: int) -> bool:
    """Asked with as little work as can be: whoever asks uses the same processors."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asking.request("GET", "/readyz")
        return asking.getresponse().status == 200
    except OSError:
        return False
    finally:
        asking.close()


def start(data: Path) -> tuple[float, float]:
    """Seconds to the first answer, and seconds of processor time until then."""
    port = free_port()
    ports = {"port": port, "edge_http_port": free_port(), "edge_https_port": free_port()}
    with serving(data, program=PROGRAM, no_edge=None, **ports) as served:
        while not answers(port):
            time.sleep(0.005)
        took = time.monotonic() - served.began
        used = cpu_seconds(served.process.pid)
        served.stop()
    return took, used


def measure(runs: int) -> dict[str, float]:
    """Medians over several starts of each kind."""
    from support.deck_probe import end_edge

    first, again, used = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-") as directory:
            data = Path(directory) / "data"
            try:
                took, cpu = start(data)
                first.append(took)
                used.append(cpu)
                again.append(start(data)[0])
            finally:
                end_edge(data / "runtime")
    return {"first": statistics.median(first), "again": statistics.median(again), "cpu": statistics.median(used)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    found = measure(parser.parse_args().runs)
    within = [record(f"start.{name}", value, "s", BUDGET) for name, value in found.items()]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
