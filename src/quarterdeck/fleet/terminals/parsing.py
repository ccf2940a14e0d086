"""Bytes of a terminal cut into text, controls and escape sequences, wherever the bytes themselves were cut."""

from __future__ import annotations

import codecs
import re
from typing import Protocol

LONGEST = 64 << 10
"""Characters that are kept of a sequence which has not ended: a string (OSC, DCS, …) above is known by its beginning
alone, anything else is given up.
"""
_TEXT = re.compile("[^\x00-\x1f\x7f-\x9f]+")
_CSI = re.compile(r"(?:\x1b\[|\x9b)([<-?]?)([0-;]*)([ -/]*)([@-~])")
_LOOSE = re.compile(r"(?:\x1b\[|\x9b)[ -?]*")
_ESCAPE = re.compile(r"\x1b([ -/]*)([0-~])")
_OPENED = re.compile("\x1b[ -/]*")
_STRING = re.compile("\x1b[]PX^_]|[\x90\x98\x9d\x9e\x9f]")
_ENDED = re.compile("\x07|\x1b\\\\|\x9c|[\x18\x1a]|\x1b(?=[^\\\\])")
_KINDS = {"\x90": "P", "\x98": "X", "\x9d": "]", "\x9e": "^", "\x9f": "_"}
_C1 = {"\x84": "D", "\x85": "E", "\x88": "H", "\x8d": "M"}


class Listener(Protocol):
    """What is done about each piece."""

    def text(self, text: str) -> None: ...

    def control(self, control: str) -> None: ...

    def escape(self, between: str, final: str) -> None: ...

    def csi(self, mark: str, parameters: str, between: str, final: str) -> None: ...

    def string(self, kind: str, content: str) -> None: ...


class Parser:
    """Keeps what has begun and not ended for the next bytes. UTF-8; what is none becomes U+FFFD, as everywhere."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    @property
    def pending(self) -> bytes:
        """What the next bytes go on with: part of a sequence, of a character, or nothing."""
        return self._rest.encode() + self._decoder.getstate()[0]

    def reset(self) -> None:
        self._decoder.reset()
        self._rest = ""

    def feed(self, data: bytes) -> None:
        text = self._rest + self._decoder.decode(data)
        at, end, listener = 0, len(text), self._listener
        while at < end:
            if found := _TEXT.match(text, at):
                listener.text(found[0])
                at = found.end()
                continue
            first = text[at]
            if first == "\x1b" or "\x80" <= first <= "\x9f":
                after = self._sequence(text, at)
                if after is None:
                    break
                text, at, end = (after[0], after[1], len(after[0])) if isinstance(after, tuple) else (text, after, end)
                continue
            listener.control(first)
            at += 1
        self._rest = text[at:]
        if len(self._rest) > LONGEST:
            opened = _STRING.match(self._rest)
            self._rest = opened[0] if opened else ""

    def _sequence(self, text: str, at: int) -> int | tuple[str, int] | None:
        """Where the sequence at `at` ends; None where it has not ended; another text where one had a control inside."""
        if found := _CSI.match(text, at):
            self._listener.csi(*found.groups())
            return found.end()
        if found := _STRING.match(text, at):
            ended = _ENDED.search(text, found.end())
            if ended is None or (ended[0] == "\x1b" and ended.end() == len(text)):
                return None
            kind = found[0][1] if len(found[0]) == 2 else _KINDS[found[0]]
            if ended[0] in {"\x07", "\x1b\\", "\x9c"}:
                self._listener.string(kind, text[found.end() : ended.start()])
            return ended.start() if ended[0] == "\x1b" else ended.end()
        if found := _LOOSE.match(text, at):
            return self._crooked(text, at, found.end())
        if found := _ESCAPE.match(text, at):
            self._listener.escape(*found.groups())
            return found.end()
        if found := _OPENED.match(text, at):
            if found.end() == len(text):
                return None
            following = text[found.end()]
            if following < " " and following not in "\x18\x1a\x1b":  # done at once, and the sequence goes on
                self._listener.control(following)
                return found[0] + text[found.end() + 1 :], 0
            return found.end() if following == "\x1b" else found.end() + 1
        if (letter := _C1.get(text[at])) is not None:
            self._listener.escape("", letter)
        return at + 1

    def _crooked(self, text: str, begin: int, at: int) -> int | tuple[str, int] | None:
        """A control sequence that has not ended at `at`, or is none."""
        if at == len(text):
            return None
        following = text[at]
        if following < " " and following not in "\x18\x1a\x1b":
            self._listener.control(following)
            return text[begin:at] + text[at + 1 :], 0
        if following == "\x7f":
            return text[begin:at] + text[at + 1 :], 0
        return at if following == "\x1b" else at + 1
