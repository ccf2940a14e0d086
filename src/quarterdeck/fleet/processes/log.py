"""Reading what a process wrote, from any position, across rotations."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from quarterdeck.fleet.processes.supervisor.output import segment, segments
from quarterdeck.kernel.answers import LAST_SECOND, whole
from quarterdeck.kernel.clock import instant

CHUNK = 262_144
LATEST = LAST_SECOND * 1_000_000
STREAMS: dict[str, Literal["stdout", "stderr", "supervisor"]] = {"o": "stdout", "e": "stderr", "s": "supervisor"}


@dataclass(frozen=True, order=True)
class Position:
    """Just behind a line; grows for ever."""

    segment: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Line:
    position: Position
    at: datetime
    stream: Literal["stdout", "stderr", "supervisor"]
    text: str


def parse(raw: bytes, position: Position) -> Line:
    """One line as it stands in a segment. One that was not written by our supervisor is shown as it is, undated."""
    stamp, _, rest = raw.partition(b" ")
    stream, _, text = rest.partition(b" ")
    at, known = whole(stamp, LATEST), STREAMS.get(stream.decode(errors="replace"))
    if at is None or known is None:
        return Line(position, instant(0), "stdout", raw.decode(errors="replace"))
    return Line(position, instant(at), known, text.decode(errors="replace"))


def read(directory: Path, after: Position | None = None) -> Iterator[Line]:
    """Every complete line behind `after` that is still kept."""
    start = after or Position()
    for number in segments(directory):
        if number < start.segment:
            continue
        offset = start.offset if number == start.segment else 0
        try:
            file = segment(directory, number).open("rb")
        except FileNotFoundError:
            continue  # rotated away while reading
        with file:
            file.seek(offset)
            rest = b""
            while chunk := file.read(CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for raw in lines:
                    offset += len(raw) + 1
                    yield parse(raw, Position(number, offset))


async def follow(
    directory: Path, after: Position | None = None, *, ended: Callable[[], bool] | None = None, interval: float = 0.1
) -> AsyncIterator[Sequence[Line]]:
    """Batches of new lines as they come; ends when `ended()` and everything was read."""
    position = after or Position()
    while True:
        over = ended() if ended else False
        lines = await asyncio.to_thread(_some, directory, position)
        if lines:
            position = lines[-1].position
            yield lines
        elif over:
            return
        else:
            await asyncio.sleep(interval)


def _some(directory: Path, after: Position, most: int = 1000) -> list[Line]:
    return list(itertools.islice(read(directory, after), most))
