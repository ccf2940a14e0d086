"""The terminal of an attempt as others see it: where its output goes and where a person's keys come from.

The words are those of `fleet/terminals`, which carries terminals to their viewers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Input:
    """The person who holds the terminal typed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Held:
    """A person holds the terminal: the runner neither types nor counts the time."""

    by: str


@dataclass(frozen=True, slots=True)
class Released:
    """Nobody holds it any more."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Send this to the program, by its name: `SIGINT`."""

    name: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Nobody can watch any more; the last event."""

    reason: str


UplinkEvent = Input | Resize | Held | Released | Signal | Ended


class Uplink(Protocol):
    """One for each attempt; it never raises."""

    def output(self, data: bytes) -> None:
        """Bytes of the program, in order; never waits, and never keeps more than it may."""
        ...

    def events(self) -> AsyncIterator[UplinkEvent]:
        """What people do; for one reader."""
        ...

    async def close(self, exit_code: int | None) -> None:
        """The terminal has ended, with the exit status of its last program."""
        ...


class LogOnly:
    """Nobody watches: the output stands in the log alone, and nobody types."""

    def output(self, data: bytes) -> None:
        pass

    async def events(self) -> AsyncIterator[UplinkEvent]:
        await asyncio.get_running_loop().create_future()
        yield Ended("nobody watches")

    async def close(self, exit_code: int | None) -> None:
        pass
