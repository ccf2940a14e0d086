"""How the cells of a screen look, the lines that they make, and how wide a character is."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple


class Look(NamedTuple):
    """Colours as the parameters that chose them (`31`, `38;5;200`, empty: the default), underlining likewise, and the
    numbers of what else is on (1 bold, 3 italic, 7 reverse, …).
    """

    front: str = ""
    back: str = ""
    under: str = ""
    on: tuple[int, ...] = ()

    @property
    def sequence(self) -> str:
        """Sets exactly this look."""
        chosen = [*(str(number) for number in self.on), self.under, self.front, self.back]
        return "\x1b[" + ";".join(["0", *(one for one in chosen if one)]) + "m"


PLAIN = Look()
_OFF = {22: (1, 2), 23: (3,), 25: (5, 6), 27: (7,), 28: (8,), 29: (9,), 55: (53,)}
_ON = frozenset({1, 2, 3, 5, 6, 7, 8, 9, 53})
_LINES = frozenset("12345")
"""How something can be underlined (`4:3`)."""
_REST = {"2": 3, "5": 1}
"""Of an extended colour: how many numbers follow its kind."""


_COLOUR = re.compile(r"\d{2}(?:[:;]\d{0,3}){1,8}")
"""An extended colour (`38:2::1:2:3`); what is longer is none, so that no cell is worth more than some bytes."""
LONGEST_KEPT = 48
"""Characters of parameters whose effect is remembered."""


def changed(look: Look, parameters: str) -> Look:
    """The look after a sequence `CSI parameters m`."""
    return _changed(look, parameters) if len(parameters) <= LONGEST_KEPT else _change(look, parameters)


def _change(look: Look, parameters: str) -> Look:
    words = parameters.split(";")
    front, back, under, on = look
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        main, colon, rest = word.partition(":")
        number = int(main or 0) if main.isdigit() or not main else -1
        if number in {38, 48, 58}:
            if colon:
                chosen = word
            else:
                kind = words[at] if at < len(words) else ""
                taken = words[at : at + 1 + _REST.get(kind, 0)]
                at += len(taken)
                chosen = ";".join([word, *taken]) if len(taken) == 1 + _REST.get(kind, -1) and all(taken) else ""
            if not _COLOUR.fullmatch(chosen):
                continue
            if number == 38:
                front = chosen
            elif number == 48:
                back = chosen
        elif number == 0:
            front, back, under, on = PLAIN
        elif number == 4:
            under = "" if rest == "0" else f"4:{rest}" if rest in _LINES else "4"
        elif number == 21:
            under = "21"
        elif number == 24:
            under = ""
        elif number in _ON:
            on = tuple(sorted({*on, number}))
        elif number in _OFF:
            on = tuple(one for one in on if one not in _OFF[number])
        elif 30 <= number <= 37 or 90 <= number <= 97:
            front = str(number)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            back = str(number)
        elif number == 39:
            front = ""
        elif number == 49:
            back = ""
    return Look(front, back, under, on)


_changed = lru_cache(maxsize=4096)(_change)


@lru_cache(maxsize=4096)
def width(character: str) -> int:
    """Columns that a character takes: 0, 1 or 2."""
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


class Written(NamedTuple):
    """A line as text, without what pads it at its end, unless it is `wrapped`: it goes on in the next one then."""

    text: str
    wrapped: bool


class Row:
    """The cells of a line. The right half of a wide character is the empty text. `wrapped`: how many cells were full
    when what was written went on in the next line; 0 where it did not. A `shared` row stands for many: it is copied
    before anything is written to it.
    """

    __slots__ = ("looks", "shared", "texts", "wrapped")

    def __init__(self, columns: int, look: Look = PLAIN, text: str = " ", *, shared: bool = False) -> None:
        self.texts = [text] * columns
        self.looks = [look] * columns
        self.wrapped = 0
        self.shared = shared

    def copy(self) -> Row:
        row = Row.__new__(Row)
        row.texts, row.looks = self.texts.copy(), self.looks.copy()
        row.wrapped, row.shared = self.wrapped, False
        return row

    @property
    def written(self) -> Written:
        if self.wrapped:
            return Written("".join(self.texts[: self.wrapped]), True)
        return Written("".join(self.texts).rstrip(), False)


GRAPHICS = dict(zip(range(0x5F, 0x7F), "\xa0◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))
"""The line-drawing set (`ESC ( 0`)."""
