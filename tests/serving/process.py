"""A server as a process of its own, with no edge unless asked for."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

SOURCES = Path(__file__).resolve().parents[2] / "src"
PROGRAM = """
import asyncio, sys
from quarterdeck.app import serve
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.settings_reading import load
try:
    asyncio.run(serve(load(), announce=lambda line: print(line, flush=True)))
except Problem as problem:
    print(f"{problem.code}: {problem.message} {problem.hint}", flush=True)
    sys.exit(1)
"""


class Served:
    """A started process; `url` is where it answers."""

    def __init__(self, data: Path, *, program: str = PROGRAM, **settings: Any) -> None:
        self.data = data
        data.parent.mkdir(parents=True, exist_ok=True)
        self.output = data.parent / f"{data.name}.log"
        given = {"data_dir": data, "port": 0, "no_edge": "true", **settings}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("QUARTERDECK_", "DOCKER_"))}
        environment = {
            **kept,
            "PYTHONPATH": str(SOURCES),
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            **{f"QUARTERDECK_{key.upper()}": str(value) for key, value in given.items() if value is not None},
        }
        self.began = time.monotonic()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program], env=environment, stdout=output, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    @property
    def url(self) -> str:
        for line in self.said().splitlines():
            if " listens on " in line:
                return line.rpartition(" ")[2]
        return ""

    def ready(self, seconds: float = 120) -> Served:
        until = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.said()
            with contextlib.suppress(httpx.HTTPError):
                if self.url and httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200:
                    return self
            assert time.monotonic() < until, self.said()
            time.sleep(0.02)

    def ends(self, seconds: float = 20) -> int:
        return self.process.wait(seconds)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.ends()


@contextlib.contextmanager
def serving(data: Path, **settings: Any) -> Iterator[Served]:
    served = Served(data, **settings)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()
