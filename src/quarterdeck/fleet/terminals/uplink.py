"""A terminal as the worker that runs its program has it: output goes up, and what people do comes down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from quarterdeck.fleet.terminals import frames


@dataclass(frozen=True, slots=True)
class Input:
    """Somebody typed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """Give the PTY this size (`TIOCSWINSZ`)."""

    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Held:
    """A person types: keep your own hands off."""

    by: str


@dataclass(frozen=True, slots=True)
class Released:
    """Nobody types any more."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Send this to the foreground process group (`SIGINT`, …; `frames.SIGNALS`)."""

    name: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The server has ended the terminal: nothing is taken or told any more. The last event, if there is one."""

    reason: str


UplinkEvent = Input | Resize | Held | Released | Signal | Ended


class Uplink(Protocol):
    """One for each attempt."""

    def output(self, data: bytes) -> None:
        """Never waits. While the server is away the newest 1 MiB is kept; of more, what the screen shows."""
        ...

    def events(self) -> AsyncIterator[UplinkEvent]:
        """For one reader."""
        ...

    async def close(self, exit_code: int | None) -> None:
        """The program has ended. What was written is sent first, for at most some seconds."""
        ...


def event_of(item: Any) -> UplinkEvent | None:
    """What a worker is told, as an event; None for what is none of the program's business."""
    match item:
        case bytes():
            return Input(item)
        case frames.Input():
            return Input(item.data.encode(errors="replace"))
        case frames.Resize():
            return Resize(item.cols, item.rows)
        case frames.Signal():
            return Signal(item.name)
        case frames.Control():
            return Released() if item.holder is None else Held(item.holder.user)
        case frames.Exit():
            return Ended(item.reason)
    return None
