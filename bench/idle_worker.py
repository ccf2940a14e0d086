"""What a worker costs that has nothing to do: memory of `qd worker`, joined to a server.

    python bench/idle_worker.py [--seconds 20]

Both are processes of their own; the worker takes agent tasks, and has none.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import httpx  # noqa: E402 - the paths come first
from fabric import asked, signed_in, until  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first

from serving.process import serving  # noqa: E402 - the paths come first
from support.deck_probe import resident_megabytes  # noqa: E402 - the paths come first

BUDGETS = {"idle_worker.resident": (60, "MB")}


@contextlib.contextmanager
def joined(client: httpx.Client, url: str, place: Path) -> Iterator[int]:
    """The process of a worker that is connected."""
    token, errors = place / "token", place / "errors.log"
    token.write_text(asked(client, "POST", "/api/admin/worker-tokens", {"label": "idle"})["token"])
    arguments = ["worker", "--server", url, "--token", f"@{token}", "--data-dir", str(place / "worker")]
    with errors.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "quarterdeck.cli.main", *arguments, "--capability", "tasks"],
            stdout=subprocess.DEVNULL,
            stderr=output,
        )

    def connected() -> bool:
        assert process.poll() is None, errors.read_text()[-2000:]
        return bool(asked(client, "GET", "/api/web/machines?status=online&limit=1")["total"] == 1)

    try:
        until(connected, "the worker is connected")
        yield process.pid
    finally:
        process.kill()
        process.wait()


def measure(seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-") as directory:
        place = Path(directory)
        with serving(place / "data") as served:
            served.ready()
            with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as client:
                signed_in(client)
                with joined(client, served.url, place) as pid:
                    time.sleep(seconds)
                    resident = resident_megabytes(pid)
            served.stop()
    return {"idle_worker.resident": resident}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    found = measure(parser.parse_args().seconds)
    within = [record(key, value, BUDGETS[key][1], BUDGETS[key][0]) for key, value in found.items()]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
