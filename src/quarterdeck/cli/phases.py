"""The phases of a deployment as lines: told from its events, drawn on a terminal in place, printed once elsewhere."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from quarterdeck.cli.states import Tone
from quarterdeck.cli.terminal import Terminal, clean, visible

STATUS_WORDS = {"running", "succeeded", "failed", "skipped"}
FIRST = "detect"
"""The phase that every execution of a deployment begins with: a second one means that the first was interrupted."""
WIDTH = 9


@dataclass
class Phase:
    name: str
    began: datetime
    ended: datetime | None = None
    tone: Tone = "run"
    detail: str = ""

    def line(self, terminal: Terminal, *, elapsed: float | None = None) -> str:
        """`✓ package   48.0 s   212 MB`, without colours for measuring and with them for a terminal."""
        seconds = elapsed if elapsed is not None else max(((self.ended or self.began) - self.began).total_seconds(), 0)
        mark = terminal.paint(terminal.mark(self.tone), self.tone, terminal.err)
        return f"  {mark} {self.name:<{WIDTH}} {duration(seconds):>7}   {clean(self.detail)}".rstrip()


@dataclass
class Phases:
    """What the events have told so far. `tell` answers the phases that have ended by it."""

    current: Phase | None = None
    finished: list[Phase] = field(default_factory=list)
    status: str = "created"

    def tell(self, event: dict[str, Any]) -> list[Phase]:
        at = moment(event["emittedAt"])
        self.status = event.get("status") or self.status
        kind = event["eventType"]
        if kind == "deployment-succeeded":
            return self._end(at, "good")
        if kind == "deployment-failed":
            return self._end(at, "bad")
        if self.status == "canceled":
            return self._end(at, "off")
        phase = event.get("phase")
        if kind != "deployment-progress" or not phase:
            return []
        label, _, said = str(event.get("summary") or "").partition(": ")
        name = "cut over" if label.lower() == "cut over" else str(phase)
        ended: list[Phase] = []
        if self.current is None or self.current.name != name:
            again = name == FIRST and self.current is not None
            ended = self._end(at, "interrupted" if again else "good")
            self.current = Phase(name, at)
        if said in STATUS_WORDS:
            if said == "skipped":
                self.current.tone = "off"
        elif said:
            self.current.detail = said
        return ended

    def _end(self, at: datetime, how: Tone | Literal["interrupted"]) -> list[Phase]:
        tone: Tone = "off" if how == "interrupted" else how
        if self.current is None:
            return []
        phase, self.current = self.current, None
        phase.ended = at
        phase.tone = phase.tone if phase.tone != "run" and tone == "good" else tone
        if how == "interrupted":
            phase.detail = "interrupted; all of it begins again"
        elif tone != "good":
            # Why it failed stands whole in the error below the phases.
            phase.detail = "canceled" if tone == "off" else ""
        self.finished.append(phase)
        return [phase]


class Drawing:
    """Draws phases on stderr: the running one is rewritten in place on a terminal, finished ones stay."""

    def __init__(self, terminal: Terminal, *, tick: float = 0.5) -> None:
        self._terminal = terminal
        self._tick = tick
        self._phases = Phases()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._elapsed = 0.0
        self._drawn = False
        self._painter: threading.Thread | None = None

    @property
    def status(self) -> str:
        return self._phases.status

    @property
    def begun(self) -> bool:
        """Whether a phase has been told."""
        return self._phases.current is not None or bool(self._phases.finished)

    def __enter__(self) -> Self:
        if self._terminal.rewrites:
            self._painter = threading.Thread(target=self._paint, daemon=True, name="phases")
            self._painter.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._painter is not None:
            self._painter.join()
        with self._lock:
            self._wipe()

    def tell(self, event: dict[str, Any]) -> None:
        with self._lock:
            before = self._phases.current
            ended = self._phases.tell(event)
            if self._phases.current is not before:
                self._elapsed = 0.0
            self._wipe()
            for phase in ended:
                self._terminal.say_styled(phase.line(self._terminal))
            self._draw()

    def note(self, text: str) -> None:
        """A line above the running phase."""
        with self._lock:
            self._wipe()
            self._terminal.say(text)
            self._draw()

    def _paint(self) -> None:
        while not self._over.wait(self._tick):
            with self._lock:
                self._elapsed += self._tick
                self._wipe()
                self._draw()

    def _draw(self) -> None:
        current = self._phases.current
        if self._terminal.rewrites and current is not None:
            line = current.line(self._terminal, elapsed=self._elapsed)
            width = self._terminal.columns - 1
            if visible(line) > width:
                line = line[: width + len(line) - visible(line)]
            self._terminal.err.write(line)
            self._terminal.err.flush()
            self._drawn = True

    def _wipe(self) -> None:
        if self._drawn:
            self._terminal.err.write("\r\x1b[2K")
            self._terminal.err.flush()
            self._drawn = False


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d}" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d}"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
