"""The terminal of an attempt as others see it: where its output goes and where a person's keys come from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Keys:
    """What the person who holds the terminal typed."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Resized:
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Held:
    """Whether a person holds the terminal: the runner then neither types nor counts the time."""

    by_person: bool


Input = Keys | Resized | Held


class Uplink(Protocol):
    """What the runner needs of whoever carries a terminal to its viewers."""

    def output(self, data: bytes) -> None:
        """Bytes of the program, in order; never waits, and never keeps more than it may."""
        ...

    def opened(self, pid: int, columns: int, rows: int) -> None:
        """A program runs in the terminal from here on; it may be another one than before."""
        ...

    async def receive(self) -> Input:
        """The next thing that a person did."""
        ...

    async def close(self, code: int | None) -> None:
        """The terminal has ended, with the exit status of its last program."""
        ...


class LogOnly:
    """Nobody watches: the output stands in the log alone, and nobody types."""

    def output(self, data: bytes) -> None:
        pass

    def opened(self, pid: int, columns: int, rows: int) -> None:
        pass

    async def receive(self) -> Input:
        never: asyncio.Future[Input] = asyncio.get_running_loop().create_future()
        return await never

    async def close(self, code: int | None) -> None:
        pass
