"""A container's output, taken apart into lines of stdout and stderr."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.docker.engine import Engine

Channel = Literal["stdout", "stderr"]
LONGEST_LINE = 64 * 1024
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ?")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line without its end; `at` is the engine's time of it when timestamps were asked for."""

    channel: Channel
    text: str
    at: datetime | None = None


class Frames:
    """Takes the engine's multiplexed stream apart: eight bytes of header, then the payload of one channel."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[tuple[Channel, bytes]]:
        self._rest += data
        frames: list[tuple[Channel, bytes]] = []
        start = 0
        while len(self._rest) - start >= 8:
            end = start + 8 + int.from_bytes(self._rest[start + 4 : start + 8], "big")
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
        self._times: dict[Channel, datetime | None] = {"stdout": None, "stderr": None}

    def feed(self, channel: Channel, data: bytes) -> list[LogLine]:
        made: list[LogLine] = []
        part = self._parts[channel]
        for piece in split_keeping(data):
            if self._stamped:
                piece, at = unstamp(piece)  # noqa: PLW2901 - the piece without its stamp is the piece
                self._times[channel] = self._times[channel] or at
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
        at, self._times[channel] = self._times[channel], None
        return LogLine(channel, text, at)


def split_keeping(data: bytes) -> list[bytes]:
    """Split at line feeds alone: a carriage return redraws a line and does not end it."""
    pieces = data.split(b"\n")
    return [piece + b"\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def unstamp(piece: bytes) -> tuple[bytes, datetime | None]:
    head = piece[:40].decode("ascii", "replace")
    found = STAMP.match(head)
    if not found:
        return piece, None
    fraction = (found[2] or ".0")[:7]
    zone = "+00:00" if found[3] == "Z" else found[3]
    return piece[found.end() :], datetime.fromisoformat(f"{found[1]}{fraction:0<7}{zone}")


def query(*, follow: bool, since: str, until: str, tail: int | None, timestamps: bool) -> dict[str, str]:
    asked = {"stdout": "1", "stderr": "1", "tail": "all" if tail is None else str(tail)}
    wishes = {"follow": "1" if follow else "", "since": since, "until": until, "timestamps": "1" if timestamps else ""}
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
) -> AsyncIterator[LogLine]:
    """Lines of a container; with `follow` until it ends. `since` and `until` are Unix seconds (fractions allowed).

    Wrap it in `contextlib.aclosing` when you may stop early: closing drops the connection.
    """
    terminal = (await containers.inspect(engine, container)).config.tty
    asked = query(follow=follow, since=since, until=until, tail=tail, timestamps=timestamps)
    frames, joined = Frames(), Lines(stamped=timestamps)
    async with engine.stream("GET", f"/containers/{container}/logs", query=asked) as answer:
        async for chunk in answer.aiter_bytes():
            parts: list[tuple[Channel, bytes]] = [("stdout", chunk)] if terminal else frames.feed(chunk)
            for channel, data in parts:
                for line in joined.feed(channel, data):
                    yield line
    for line in joined.end():
        yield line
