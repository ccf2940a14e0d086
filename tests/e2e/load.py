"""A steady load by `wrk`, every failure counted, and a WebSocket that speaks all the while."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

RATE = 500
"""Requests a second: four fifths over connections that stay, one fifth each over a new one."""
SCRIPT = """
local told = {}
function setup(thread) table.insert(told, thread) end
function init(args)
  seen, failed = {}, 0
  wrk.headers["Host"] = args[1]
  if args[3] == "close" then wrk.headers["Connection"] = "close" end
  pause = tonumber(args[2])
end
function delay() return pause end
function response(status, headers, body)
  if status ~= 200 then body = "status " .. status end
  seen[body] = (seen[body] or 0) + 1
end
function done(summary, latency, requests)
  local lines = {}
  for _, thread in ipairs(told) do
    for body, count in pairs(thread:get("seen")) do
      table.insert(lines, string.format("%d %s", count, (body:gsub("%s+$", ""))))
    end
  end
  local e = summary.errors
  io.write(string.format("\\nFIGURES %d %d %d %d %d %d\\n", summary.requests, e.connect, e.read, e.write, e.timeout,
    latency:percentile(99)))
  for _, line in ipairs(lines) do io.write("SEEN " .. line .. "\\n") end
end
"""


@dataclass
class Load:
    """What came of it, once it has ended. `seen` counts answers by what they said, `status …` for what was no 200."""

    requests: int = 0
    seconds: float = 0
    seen: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    p99_ms: float = 0

    @property
    def failures(self) -> dict[str, int]:
        bad = {said: count for said, count in self.seen.items() if said.startswith("status ")}
        return {**bad, **{kind: count for kind, count in self.errors.items() if count}}

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@contextlib.contextmanager
def load(address: str, hostname: str, rate: int = RATE) -> Iterator[Load]:
    """Ask `http://address/` by a name at a steady rate until the block ends."""
    found = Load()
    with tempfile.TemporaryDirectory() as made:
        script = Path(made) / "load.lua"
        script.write_text(SCRIPT)
        began = time.monotonic()
        running = [
            _started(script, address, hostname, 20, 20_000 // (rate * 4 // 5), "keep"),
            _started(script, address, hostname, 5, 5_000 // (rate // 5), "close"),
        ]
        try:
            yield found
        finally:
            found.seconds = time.monotonic() - began
            for process in running:
                process.send_signal(signal.SIGINT)
            for process in running:
                _told(found, process.communicate(timeout=30)[0])


def _started(script: Path, address: str, hostname: str, connections: int, pause: int, ways: str) -> Any:
    words = ["wrk", "-t1", f"-c{connections}", "-d3600s", "--timeout", "10s", "-s", str(script), f"http://{address}/"]
    return subprocess.Popen(
        [*words, "--", hostname, str(pause), ways], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _told(found: Load, output: str) -> None:
    lines = output.splitlines()
    figures = [line.split()[1:] for line in lines if line.startswith("FIGURES ")]
    assert len(figures) == 1, output
    count, *errors, p99 = (int(word) for word in figures[0])
    found.requests += count
    for kind, number in zip(("connect", "read", "write", "timeout"), errors, strict=True):
        found.errors[kind] = found.errors.get(kind, 0) + number
    found.p99_ms = max(found.p99_ms, p99 / 1000)
    for line in lines:
        if line.startswith("SEEN "):
            number, _, said = line.removeprefix("SEEN ").partition(" ")
            found.seen[said] = found.seen.get(said, 0) + int(number)


class Talk:
    """A WebSocket that says something ten times a second, and is answered each time, until the other side ends it."""

    def __init__(self, address: str, hostname: str) -> None:
        self.answers: list[str] = []
        self.ended: float | None = None
        self.code: int | None = None
        self._place = (address, hostname)
        self._open, self._leaving = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()
        assert self._open.wait(15), "no WebSocket was opened"

    def _speak(self) -> None:
        (host, _, port), name = self._place[0].partition(":"), self._place[1]
        way = socket.create_connection((host, int(port or 80)), 10)
        with connect(f"ws://{name}/", sock=way, open_timeout=10) as talk:
            self._open.set()
            number = 0
            try:
                while not self._leaving.wait(0.1):
                    number += 1
                    talk.send(f"word {number}")
                    self.answers.append(str(talk.recv(timeout=10)))
            except (ConnectionClosed, TimeoutError) as error:
                self.ended = time.monotonic()
                self.code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else None

    def close(self) -> None:
        self._leaving.set()
        self._thread.join(15)


def said(answers: list[str]) -> str:
    """The version that answered, if all answers are of one and none is missing."""
    versions = {answer.split(" ", 1)[0] for answer in answers}
    words = [answer.split(" ", 1)[1] for answer in answers]
    assert words == [f"word {number}" for number in range(1, len(words) + 1)], json.dumps(words[-5:])
    (version,) = versions
    return version
