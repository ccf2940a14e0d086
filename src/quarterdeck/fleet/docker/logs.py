"""A container's output, taken apart into lines of stdout and stderr."""

from __future__ import annotations

import contextlib
import re
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.kernel.clock import instant, micros
from quarterdeck.kernel.errors import Conflict, NotFound, ProviderFailure

Channel = Literal["stdout", "stderr"]
LONGEST_LINE = 64 * 1024
LONGEST_FRAME = 4 << 20
"""Bytes; an engine sends what it reads of a container's output, tens of kilobytes at a time."""
LOOK = "Check the engine's version, and what listens at its socket."
NANOS = 1_000_000_000
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ?")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line without its end; `at` is the engine's time of it when timestamps were asked for.

    `nanos` is the same to the nanosecond since the epoch (0 when unknown): where a later reading can go on.
    """

    channel: Channel
    text: str
    at: datetime | None = None
    nanos: int = field(default=0, compare=False, repr=False)


class Frames:
    """Takes the engine's multiplexed stream apart: eight bytes of header, then the payload of one channel."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[tuple[Channel, bytes]]:
        self._rest += data
        frames: list[tuple[Channel, bytes]] = []
        start = 0
        while len(self._rest) - start >= 8:
            length = int.from_bytes(self._rest[start + 4 : start + 8], "big")
            if length > LONGEST_FRAME:
                raise ProviderFailure("Docker announced a frame that is too long.", code="docker_error", hint=LOOK)
            end = start + 8 + length
            if len(self._rest) < end:
                break
            channel: Channel = "stderr" if self._rest[start] == 2 else "stdout"
            frames.append((channel, bytes(self._rest[start + 8 : end])))
            start = end
        del self._rest[:start]
        return frames


class Lines:
    """Joins payloads into lines, each channel apart.

    With `stamped`, every payload of a multiplexed stream (and every line of a terminal's) begins with a timestamp; a
    line that the engine cut at 16 KB carries one in each part.
    """

    def __init__(self, *, stamped: bool = False) -> None:
        self._stamped = stamped
        self._parts: dict[Channel, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._times: dict[Channel, int] = {"stdout": 0, "stderr": 0}

    def feed(self, channel: Channel, data: bytes) -> list[LogLine]:
        made: list[LogLine] = []
        part = self._parts[channel]
        for piece in split_keeping(data):
            if self._stamped:
                piece, nanos = unstamp(piece)  # noqa: PLW2901 - the piece without its stamp is the piece
                self._times[channel] = self._times[channel] or nanos
            part += piece
            if part.endswith(b"\n") or len(part) > LONGEST_LINE:
                made.append(self._take(channel))
        return made

    def end(self) -> list[LogLine]:
        """What is left when the stream has ended without a line end."""
        return [self._take(channel) for channel in self._parts if self._parts[channel]]

    def _take(self, channel: Channel) -> LogLine:
        text = self._parts[channel].decode("utf-8", "replace").rstrip("\r\n")
        self._parts[channel].clear()
        nanos, self._times[channel] = self._times[channel], 0
        return LogLine(channel, text, instant(nanos // 1000) if nanos else None, nanos)


def split_keeping(data: bytes) -> list[bytes]:
    """Split at line feeds alone: a carriage return redraws a line and does not end it."""
    pieces = data.split(b"\n")
    return [piece + b"\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def unstamp(piece: bytes) -> tuple[bytes, int]:
    """The piece without its timestamp, and the timestamp in nanoseconds (0 if there is none)."""
    found = STAMP.match(piece[:40].decode("ascii", "replace"))
    if not found:
        return piece, 0
    zone = "+00:00" if found[3] == "Z" else found[3]
    try:
        whole = micros(datetime.fromisoformat(f"{found[1]}{zone}"))
    except (ValueError, OverflowError):
        return piece, 0
    return piece[found.end() :], max(whole * 1000 + int(f"{(found[2] or '.0')[1:10]:0<9}"), 0)


def query(*, follow: bool, since: str, until: str, tail: int | None) -> dict[str, str]:
    asked = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": "all" if tail is None else str(tail)}
    wishes = {"follow": "1" if follow else "", "since": since, "until": until}
    return asked | {key: value for key, value in wishes.items() if value}


async def logs(
    engine: Engine,
    container: str,
    *,
    follow: bool = False,
    since: str = "",
    until: str = "",
    tail: int | None = None,
    timestamps: bool = False,
) -> AsyncGenerator[LogLine, None]:
    """Lines of a container; with `follow` until it ends. `since` and `until` are Unix seconds (fractions allowed).

    Wrap it in `contextlib.aclosing` when you may stop early: closing drops the connection.
    """
    terminal = (await containers.inspect(engine, container)).config.tty
    asked = query(follow=follow, since=since, until=until, tail=tail)
    seen: deque[tuple[int, Channel, str]] = deque(maxlen=1024)
    async with contextlib.aclosing(read(engine, container, asked, terminal=terminal)) as lines:
        async for line in lines:
            seen.append((line.nanos, line.channel, line.text))
            yield line if timestamps else replace(line, at=None)
    if follow:
        # The engine can lose the last lines of a container that ends while it begins to follow; they are in the file.
        start = f"{seen[-1][0] // NANOS - 1}" if seen else since
        asked = query(follow=False, since=start, until=until, tail=None if seen else tail)
        async for line in leftover(engine, container, asked, terminal=terminal):
            if (line.nanos, line.channel, line.text) not in seen and line.nanos >= (seen[-1][0] if seen else 0):
                yield line if timestamps else replace(line, at=None)


async def leftover(
    engine: Engine, container: str, asked: dict[str, str], *, terminal: bool
) -> AsyncGenerator[LogLine, None]:
    with contextlib.suppress(NotFound, Conflict):  # removed meanwhile: then what was followed is all there is
        async for line in read(engine, container, asked, terminal=terminal):
            yield line


async def read(
    engine: Engine, container: str, asked: dict[str, str], *, terminal: bool
) -> AsyncGenerator[LogLine, None]:
    """One request's lines, with their times."""
    frames, joined = Frames(), Lines(stamped=True)
    async with engine.stream("GET", f"/containers/{container}/logs", query=asked) as answer:
        async for chunk in answer.aiter_bytes():
            parts: list[tuple[Channel, bytes]] = [("stdout", chunk)] if terminal else frames.feed(chunk)
            for channel, data in parts:
                for line in joined.feed(channel, data):
                    yield line
    for line in joined.end():
        yield line
