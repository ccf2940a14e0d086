"""BuildKit's progress, decoded from `moby.buildkit.trace` into steps and lines."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

from quarterdeck.fleet.docker.build import protobuf
from quarterdeck.kernel.errors import ProviderFailure

NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of the build began; `step` names it in the events that follow."""

    step: str
    name: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    step: str
    name: str
    seconds: float
    cached: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StepLog:
    """One line that a step wrote."""

    step: str
    channel: Literal["stdout", "stderr"]
    text: str


BuildEvent = StepStarted | StepEnded | StepLog


class Trace:
    """Follows the vertices of one build and tells each change once."""

    def __init__(self) -> None:
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self._rest: dict[tuple[str, int], bytes] = {}
        self.cached = 0
        self.steps = 0

    def feed(self, aux: object) -> list[BuildEvent]:
        """The events in one trace message (base64 text of a StatusResponse)."""
        try:
            found = protobuf.message(base64.b64decode(str(aux), validate=True))
            events: list[BuildEvent] = []
            for vertex in protobuf.embedded(found, 1):
                events += self._vertex(protobuf.message(vertex))
            for log in protobuf.embedded(found, 3):
                events += self._log(protobuf.message(log))
        except (ValueError, binascii.Error) as error:
            raise ProviderFailure("The builder's progress could not be read", code="image_build_failed") from error
        # Lines belong before the end of the step that wrote them.
        return sorted(events, key=lambda event: (isinstance(event, StepEnded), isinstance(event, StepLog)))

    def end(self) -> list[BuildEvent]:
        """Lines that never got their end."""
        rest = [line(step, channel, raw) for (step, channel), raw in self._rest.items() if raw]
        self._rest.clear()
        return list(rest)

    def _vertex(self, vertex: dict[int, list[protobuf.Value]]) -> list[BuildEvent]:
        step, name = protobuf.text(vertex, 1), protobuf.text(vertex, 3)
        started, completed = protobuf.embedded(vertex, 5), protobuf.embedded(vertex, 6)
        cached, error = bool(protobuf.integer(vertex, 4)), protobuf.text(vertex, 7) or None
        events: list[BuildEvent] = []
        if (started or completed) and step not in self._started:
            self._started.add(step)
            self.steps += 1
            events.append(StepStarted(step, name))
        if completed and step not in self._ended:
            self._ended.add(step)
            self.cached += cached
            began = seconds(started[-1]) if started else seconds(completed[-1])
            events.append(StepEnded(step, name, max(seconds(completed[-1]) - began, 0.0), cached, error))
        return events

    def _log(self, log: dict[int, list[protobuf.Value]]) -> list[BuildEvent]:
        step, channel = protobuf.text(log, 1), protobuf.integer(log, 3)
        raw = self._rest.pop((step, channel), b"") + b"".join(protobuf.embedded(log, 4))
        *whole, rest = raw.split(b"\n")
        if len(rest) > 64 * 1024:
            whole, rest = [*whole, rest], b""
        if rest:
            self._rest[step, channel] = rest
        return [line(step, channel, part) for part in whole]


def line(step: str, channel: int, raw: bytes) -> StepLog:
    return StepLog(step, "stderr" if channel == 2 else "stdout", raw.decode("utf-8", "replace").rstrip("\r"))


def seconds(timestamp: bytes) -> float:
    found = protobuf.message(timestamp)
    return protobuf.integer(found, 1) + protobuf.integer(found, 2) / NANOS
