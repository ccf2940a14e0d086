"""A log line, and what followers receive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

Source = Literal["quarterdeck", "application"]
Channel = Literal["stdout", "stderr", "system"]
LONGEST = 16 * 1024


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of at most 16 KiB. `number` counts from 1 within its stream and is given by the store."""

    time: datetime
    source: Source
    stream: Channel
    phase: str | None
    level: str
    message: str
    number: int = 0


class Batch:
    """Consecutive lines of one stream, shared by all its followers: what one of them encodes, all of them send."""

    __slots__ = ("_encoded", "lines", "stream")

    def __init__(self, stream: str, lines: Sequence[Line]) -> None:
        self.stream = stream
        self.lines = lines
        self._encoded: dict[str, bytes] = {}

    @property
    def first(self) -> int:
        return self.lines[0].number

    @property
    def last(self) -> int:
        return self.lines[-1].number

    def after(self, number: int) -> Batch:
        """What of it lies above `number`: itself where nothing is cut off."""
        if number < self.first:
            return self
        return Batch(self.stream, [line for line in self.lines if line.number > number])

    def encoded(self, form: str, encode: Callable[[Sequence[Line]], bytes]) -> bytes:
        """The lines in a wire form; `encode` is called once for each `form`, whoever asks first."""
        found = self._encoded.get(form)
        if found is None:
            found = self._encoded[form] = encode(self.lines)
        return found


class Gap(msgspec.Struct, frozen=True):
    """Lines `first` to `last` were not sent: pruned, or passed over because the follower lagged; those `read` has."""

    stream: str
    first: int
    last: int
    reason: Literal["pruned", "lagging"]


def split(message: str) -> list[str]:
    """A message as storable lines: no line breaks, no NUL, at most 16 KiB of UTF-8 each."""
    if len(message) <= LONGEST // 4 and "\n" not in message and "\r" not in message and "\x00" not in message:
        try:
            message.encode()
        except UnicodeEncodeError:
            message = message.encode("utf-8", "replace").decode()
        return [message]
    message = message.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    parts: list[str] = []
    for line in message.removesuffix("\n").replace("\r\n", "\n").split("\n"):
        raw = line.encode()
        while len(raw) > LONGEST:
            cut = LONGEST
            while raw[cut] & 0xC0 == 0x80:  # never inside a character
                cut -= 1
            parts.append(raw[:cut].decode())
            raw = raw[cut:]
        parts.append(raw.decode())
    return parts
