"""Bytes of a terminal cut into text, controls and escape sequences, wherever the bytes themselves were cut.

One step for each character, after the parser of DEC's terminals: ESC begins a sequence anew wherever it comes, CAN and
SUB give one up, controls inside of one are done at once, DEL inside of one is nothing. What has begun and not ended is
kept as a state and not read again, so that no output costs more than its length.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import Protocol

LONGEST = 64 << 10
"""Characters of a string (OSC, DCS, …) that are kept; of a longer one nothing is, and it goes on until it ends."""
MOST_PARAMETERS = 256
"""Characters of a control sequence's parameters (xterm takes 30 numbers); a sequence that has more does nothing."""
MOST_BETWEEN = 4
_TEXT = re.compile("[^\x00-\x1f\x7f-\x9f]+")
_CSI = re.compile(r"(?:\x1b\[|\x9b)([<-?]?)([0-;]{0,96}+)([ -/]{0,4}+)([@-~])")
"""One that came whole; any other is read character by character."""
_ESCAPE = re.compile(r"\x1b([ -/]{0,2}+)([0-OQ-WYZ\\`-~])")
_PARAMETERS = re.compile("[0-;]+")
_STRING = re.compile("[^\x07\x18\x1a\x1b\x9c]+")
_KINDS = {"\x90": "P", "\x98": "X", "\x9d": "]", "\x9e": "^", "\x9f": "_"}
_C1 = {"\x84": "D", "\x85": "E", "\x88": "H", "\x8d": "M"}


class Listener(Protocol):
    """What is done about each piece."""

    def flood(self, text: str, at: int) -> int:
        """Take whole lines of plain text at once, where it can be done: answers where they end, else `at`."""
        ...

    def text(self, text: str) -> None: ...

    def control(self, control: str) -> None: ...

    def escape(self, between: str, final: str) -> None: ...

    def csi(self, mark: str, parameters: str, between: str, final: str) -> None: ...

    def string(self, kind: str, content: str) -> None: ...


class Parser:
    """UTF-8; what is none becomes U+FFFD, as everywhere."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._step: Callable[[str, int], int] = self._ground
        self._mark = self._parameters = self._between = ""
        self._nothing = False
        """The sequence does nothing any more, but has not ended."""
        self._kind = ""
        self._content: list[str] = []
        self._size = 0

    @property
    def pending(self) -> bytes:
        """What the next bytes go on with: part of a sequence, of a character, or nothing."""
        return self._begun().encode() + self._decoder.getstate()[0]

    def _begun(self) -> str:
        if self._step == self._ground:
            return ""
        if self._step == self._escape:
            return "\x1b" + self._between
        if self._step == self._csi:  # a digit behind what stands between is no sequence
            return "\x1b[ 0" if self._nothing else f"\x1b[{self._mark}{self._parameters}{self._between}"
        return f"\x1b{self._kind}{''.join(self._content)}" + ("\x1b" if self._step == self._string_escape else "")

    def reset(self) -> None:
        """Forget what has begun."""
        self._decoder.reset()
        self._step = self._ground
        self._content = []

    def feed(self, data: bytes) -> None:
        text = self._decoder.decode(data)
        at, end = 0, len(text)
        while at < end:
            at = self._step(text, at)

    # Each takes one step or more, and answers where the next one is.

    def _ground(self, text: str, at: int) -> int:
        listener = self._listener
        if (after := listener.flood(text, at)) > at:
            return after
        if found := _TEXT.match(text, at):
            listener.text(found[0])
            return found.end()
        if found := _CSI.match(text, at):
            listener.csi(found[1], found[2], found[3], found[4])
            return found.end()
        if found := _ESCAPE.match(text, at):
            listener.escape(found[1], found[2])
            return found.end()
        first = text[at]
        if first == "\x1b":
            self._begin(self._escape)
        elif first == "\x9b":
            self._begin(self._csi)
        elif (kind := _KINDS.get(first)) is not None:
            self._begin_string(kind)
        elif (letter := _C1.get(first)) is not None:
            listener.escape("", letter)
        elif first < " ":
            listener.control(first)
        return at + 1

    def _begin(self, step: Callable[[str, int], int]) -> None:
        self._step = step
        self._mark = self._parameters = self._between = ""
        self._nothing = False

    def _begin_string(self, kind: str) -> None:
        self._step, self._kind, self._content, self._size = self._string, kind, [], 0

    def _inside(self, character: str) -> bool:
        """Whether a character is one that is the same inside of every sequence: done."""
        if character == "\x1b":
            self._begin(self._escape)
        elif character in "\x18\x1a":
            self._step = self._ground
        elif character < " ":
            self._listener.control(character)
        elif character != "\x7f":
            return False
        return True

    def _escape(self, text: str, at: int) -> int:
        character = text[at]
        if self._inside(character):
            return at + 1
        between = self._between
        if " " <= character <= "/":
            self._nothing = self._nothing or len(between) >= MOST_BETWEEN
            self._between = between if self._nothing else between + character
        elif not between and character == "[":
            self._begin(self._csi)
        elif not between and character in "PX]^_":
            self._begin_string(character)
        else:
            self._step = self._ground
            if "\x80" <= character <= "\x9f":
                return at
            if character <= "~" and not self._nothing:
                self._listener.escape(between, character)
        return at + 1

    def _csi(self, text: str, at: int) -> int:
        if found := _PARAMETERS.match(text, at):
            if self._between or len(self._parameters) + found.end() - at > MOST_PARAMETERS:
                self._nothing = True
            elif not self._nothing:
                self._parameters += found[0]
            return found.end()
        character = text[at]
        if self._inside(character):
            return at + 1
        if "<" <= character <= "?":
            self._nothing = self._nothing or bool(self._mark or self._parameters or self._between)
            self._mark = character
        elif " " <= character <= "/":
            self._nothing = self._nothing or len(self._between) >= MOST_BETWEEN
            self._between = self._between if self._nothing else self._between + character
        else:
            self._step = self._ground
            if "\x80" <= character <= "\x9f":
                return at
            if "@" <= character <= "~" and not self._nothing:
                self._listener.csi(self._mark, self._parameters, self._between, character)
        return at + 1

    def _string(self, text: str, at: int) -> int:
        if found := _STRING.match(text, at):
            self._size += found.end() - at
            if self._size > LONGEST:
                self._content = []
            else:
                self._content.append(found[0])
            return found.end()
        if text[at] == "\x1b":
            self._step = self._string_escape
        else:
            self._end_string(whole=text[at] in "\x07\x9c")
        return at + 1

    def _string_escape(self, text: str, at: int) -> int:
        if text[at] == "\\":
            self._end_string(whole=True)
            return at + 1
        self._end_string(whole=False)  # what comes is another sequence
        self._begin(self._escape)
        return at

    def _end_string(self, *, whole: bool) -> None:
        content, self._content = self._content, []
        self._step = self._ground
        if whole and self._size <= LONGEST:
            self._listener.string(self._kind, "".join(content))
