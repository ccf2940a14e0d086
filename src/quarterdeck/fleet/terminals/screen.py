"""What a terminal shows after some bytes: kept for the part of the output that is not kept itself.

The rules are those of xterm where programs can tell, so that what `drawing` makes of a screen and the bytes that follow
leave every emulator as if it had been given all bytes (contract: tasks §5).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from quarterdeck.fleet.terminals.cells import GRAPHICS, PLAIN, Look, changed, width
from quarterdeck.fleet.terminals.parsing import Parser

KEPT_MODES = frozenset({1, 5, 6, 7, 9, 12, 25, 45, 66, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1034,
                        1035, 1036, 1039, 2004})  # fmt: skip
"""Private modes that last; those of the alternate screen are told apart."""
USUAL_MODES = frozenset({7, 25})
ALTERNATE = frozenset({47, 1047, 1049})


class Row:
    """The cells of a line. The right half of a wide character is the empty text."""

    __slots__ = ("looks", "texts")

    def __init__(self, columns: int, look: Look = PLAIN) -> None:
        self.texts = [" "] * columns
        self.looks = [look] * columns


@dataclass(slots=True)
class Cursor:
    x: int = 0
    y: int = 0
    look: Look = PLAIN
    sets: tuple[str, str] = ("B", "B")
    shifted: int = 0


@dataclass(slots=True)
class Modes:
    private: set[int] = field(default_factory=lambda: set(USUAL_MODES))
    ansi: set[int] = field(default_factory=set)
    keypad: bool = False
    alternate: int = 0
    """The private mode by which the alternate screen was entered; 0: the main one is shown."""
    shape: str = ""
    title: str = ""


class Screen:
    """Columns and rows of one terminal, fed with its output in any pieces."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.parser = Parser(self)
        self._clear()

    def _clear(self) -> None:
        self.lines = [Row(self.columns) for _ in range(self.rows)]
        self.main: list[Row] | None = None
        self.cursor, self.saved, self.saved_main = Cursor(), Cursor(), Cursor()
        self.modes = Modes()
        self.top, self.bottom = 0, self.rows - 1
        self.stops = set(range(8, self.columns, 8))
        self.last = ""

    def feed(self, data: bytes) -> None:
        self.parser.feed(data)

    def resize(self, columns: int, rows: int) -> None:
        """Lines go at the top and come at the bottom, columns at the right. The scroll region becomes the whole."""
        if (columns, rows) == (self.columns, self.rows):
            return
        for lines in (self.lines, *([self.main] if self.main is not None else [])):
            del lines[: max(0, len(lines) - rows)]
            for row in lines:
                del row.texts[columns:], row.looks[columns:]
                row.texts += [" "] * (columns - len(row.texts))
                row.looks += [PLAIN] * (columns - len(row.looks))
                if len(row.texts) == columns and width(row.texts[-1][:1] or " ") == 2:
                    row.texts[-1] = " "
            lines += [Row(columns) for _ in range(rows - len(lines))]
        self.stops = {stop for stop in self.stops if stop < columns} | {
            stop for stop in range(8, columns, 8) if stop >= self.columns
        }
        self.columns, self.rows = columns, rows
        self.top, self.bottom = 0, rows - 1
        for cursor in (self.cursor, self.saved, self.saved_main):
            cursor.x, cursor.y = min(cursor.x, columns - 1), min(cursor.y, rows - 1)

    # What the parser finds.

    def text(self, text: str) -> None:
        cursor = self.cursor
        if cursor.sets[cursor.shifted] == "0":
            text = text.translate(GRAPHICS)
        if 4 in self.modes.ansi or not text.isascii():
            for character in text:
                self._put(character)
            return
        wraps, at = 7 in self.modes.private, 0
        self.last = text[-1]
        while at < len(text):
            if cursor.x >= self.columns:
                if wraps:
                    self._wrap()
                else:
                    cursor.x = self.columns - 1
                    at = max(at, len(text) - 1)  # each overwrites the one before
            piece = text[at : at + self.columns - cursor.x]
            row, x = self.lines[cursor.y], cursor.x
            self._part(row, x, x + len(piece))
            row.texts[x : x + len(piece)] = piece
            row.looks[x : x + len(piece)] = [cursor.look] * len(piece)
            cursor.x = x + len(piece)
            at += len(piece)

    def _put(self, character: str) -> None:
        cells, cursor = width(character), self.cursor
        if cells == 0:
            self._combine(character)
            return
        if cells > self.columns:
            return
        if cursor.x + cells > self.columns:
            if 7 in self.modes.private:
                self._wrap()
            else:
                cursor.x = self.columns - cells
        row, x = self.lines[cursor.y], cursor.x
        if 4 in self.modes.ansi:
            self._insert(row, x, cells)
        self._part(row, x, x + cells)
        row.texts[x], row.looks[x] = character, cursor.look
        if cells == 2:
            row.texts[x + 1], row.looks[x + 1] = "", cursor.look
        cursor.x, self.last = x + cells, character

    def _combine(self, character: str) -> None:
        x, y = self.cursor.x - 1, self.cursor.y
        if x < 0 and y > 0:
            x, y = self.columns - 1, y - 1
        if x >= 0:
            row = self.lines[y]
            x -= row.texts[x] == "" and x > 0
            if len(row.texts[x]) < 16:
                row.texts[x] = unicodedata.normalize("NFC", row.texts[x] + character)

    @staticmethod
    def _part(row: Row, begin: int, end: int) -> None:
        """Cells are written over: the other halves of wide characters at both ends go."""
        if 0 < begin < len(row.texts) and row.texts[begin] == "":
            row.texts[begin - 1] = " "
        if end < len(row.texts) and row.texts[end] == "":
            row.texts[end] = " "

    def _wrap(self) -> None:
        self.cursor.x = 0
        self._index()

    def control(self, control: str) -> None:
        cursor = self.cursor
        if control == "\r":
            cursor.x = 0
        elif control in "\n\x0b\x0c":
            self._index()
            if 20 in self.modes.ansi:
                cursor.x = 0
        elif control == "\b":
            cursor.x = max(min(cursor.x, self.columns - 1) - 1, 0)
        elif control == "\t":
            cursor.x = min((stop for stop in self.stops if stop > cursor.x), default=self.columns - 1)
        elif control in "\x0e\x0f":
            cursor.shifted = int(control == "\x0e")

    def escape(self, between: str, final: str) -> None:
        if between in {"(", ")"}:
            first, second = self.cursor.sets
            self.cursor.sets = (final, second) if between == "(" else (first, final)
        elif (between, final) == ("#", "8"):
            for row in self.lines:
                row.texts[:], row.looks[:] = ["E"] * self.columns, [PLAIN] * self.columns
            self.top, self.bottom, self.cursor.x, self.cursor.y = 0, self.rows - 1, 0, 0
        elif not between and (act := _ESCAPES.get(final)) is not None:
            act(self)

    def string(self, kind: str, content: str) -> None:
        number, separator, text = content.partition(";")
        if kind == "]" and separator and number in {"0", "2"}:
            self.modes.title = text[:1000]

    def csi(self, mark: str, parameters: str, between: str, final: str) -> None:
        if final == "m" and not mark and not between:
            self.cursor.look = changed(self.cursor.look, parameters)
        elif final in "hl" and mark in {"", "?"} and not between:
            for word in parameters.split(";"):
                self._mode(int(word) if word.isdigit() else -1, private=bool(mark), on=final == "h")
        elif (between, final) == (" ", "q") and not mark:
            self.modes.shape = parameters
        elif (between, final) == ("!", "p") and not mark:
            self._soft_reset()
        elif not mark and not between and (act := _SEQUENCES.get(final)) is not None:
            numbers = [min(int(word), 9999) if word.isdigit() else 0 for word in parameters.split(";")]
            act(self, numbers)

    # Modes.

    def _mode(self, number: int, *, private: bool, on: bool) -> None:
        kept = self.modes.private if private else self.modes.ansi
        if private and number in ALTERNATE:
            self._alternate(number, on=on)
        elif private and number == 1048:
            self.save() if on else self.restore()
        elif number in (KEPT_MODES if private else {4, 20}):
            (kept.add if on else kept.discard)(number)
            if private and number == 6:
                self.move(0, 0)

    def _alternate(self, number: int, *, on: bool) -> None:
        if on and self.main is None:
            if number == 1049:
                self.save()
            self.main, self.saved_main = self.lines, self.saved
            self.saved = Cursor()
            self.lines = [Row(self.columns) for _ in range(self.rows)]
            self.modes.alternate = number
        elif not on and self.main is not None:
            self.lines, self.main, self.saved = self.main, None, self.saved_main
            self.modes.alternate = 0
            if number == 1049:
                self.restore()

    def _soft_reset(self) -> None:
        self.modes.ansi.clear()
        self.modes.private -= {1, 6}
        self.modes.private |= USUAL_MODES
        self.modes.keypad = False
        self.top, self.bottom = 0, self.rows - 1
        self.cursor.look, self.cursor.sets, self.cursor.shifted = PLAIN, ("B", "B"), 0
        self.saved = Cursor()

    # Acts.

    def reset(self) -> None:
        self._clear()

    def save(self) -> None:
        cursor = self.cursor  # that a line waits to wrap is not kept: emulators disagree on it
        self.saved = Cursor(min(cursor.x, self.columns - 1), cursor.y, cursor.look, cursor.sets, cursor.shifted)

    def restore(self) -> None:
        saved = self.saved
        self.cursor = Cursor(saved.x, saved.y, saved.look, saved.sets, saved.shifted)

    def move(self, x: int, y: int) -> None:
        """To a place, counted from the scroll region in origin mode."""
        origin = 6 in self.modes.private
        low, high = (self.top, self.bottom) if origin else (0, self.rows - 1)
        self.cursor.x = min(max(x, 0), self.columns - 1)
        self.cursor.y = min(max(y + low, low), high)

    def _index(self) -> None:
        if self.cursor.y == self.bottom:
            self._scroll(self.top, 1)
        elif self.cursor.y < self.rows - 1:
            self.cursor.y += 1

    def _index_back(self) -> None:
        if self.cursor.y == self.top:
            self._scroll(self.top, -1)
        elif self.cursor.y > 0:
            self.cursor.y -= 1

    def _next_line(self) -> None:
        self.cursor.x = 0
        self._index()

    def _scroll(self, first: int, count: int) -> None:
        """Lines `first` to the bottom of the region go up (down: a negative count), blank ones come."""
        lines, height = self.lines, self.bottom + 1 - first
        blank = Look(back=self.cursor.look.back) if self.cursor.look.back else PLAIN
        if count == 1:  # what nearly every line of output does
            row = lines.pop(first)
            row.texts[:], row.looks[:] = [" "] * self.columns, [blank] * self.columns
            lines.insert(self.bottom, row)
            return
        size = min(abs(count), height)
        fresh = [Row(self.columns, blank) for _ in range(size)]
        kept = lines[first + size : self.bottom + 1] if count > 0 else lines[first : self.bottom + 1 - size]
        lines[first : self.bottom + 1] = [*kept, *fresh] if count > 0 else [*fresh, *kept]

    def _erase(self, y: int, begin: int, end: int) -> None:
        row, begin, end = self.lines[y], max(begin, 0), min(end, self.columns)
        if begin < end:
            self._part(row, begin, end)
            row.texts[begin:end] = [" "] * (end - begin)
            row.looks[begin:end] = [Look(back=self.cursor.look.back)] * (end - begin)

    def _insert(self, row: Row, x: int, count: int) -> None:
        count = min(count, self.columns - x)
        self._part(row, x, x)
        row.texts[x:] = [" "] * count + row.texts[x : self.columns - count]
        row.looks[x:] = [Look(back=self.cursor.look.back)] * count + row.looks[x : self.columns - count]
        if width(row.texts[-1][:1] or " ") == 2:
            row.texts[-1] = " "

    def _insert_characters(self, numbers: list[int]) -> None:
        if self.cursor.x < self.columns:
            self._insert(self.lines[self.cursor.y], self.cursor.x, numbers[0] or 1)

    def _delete_characters(self, numbers: list[int]) -> None:
        row, x = self.lines[self.cursor.y], self.cursor.x
        count = min(numbers[0] or 1, self.columns - x)
        if count > 0:
            self._part(row, x, x + count)
            del row.texts[x : x + count], row.looks[x : x + count]
            row.texts += [" "] * count
            row.looks += [Look(back=self.cursor.look.back)] * count

    def _erase_characters(self, numbers: list[int]) -> None:
        self._erase(self.cursor.y, self.cursor.x, self.cursor.x + (numbers[0] or 1))

    def _erase_in_line(self, numbers: list[int]) -> None:
        x, y, how = self.cursor.x, self.cursor.y, numbers[0]
        if how in {0, 1, 2}:
            self._erase(y, 0 if how else x, x + 1 if how == 1 else self.columns)

    def _erase_in_display(self, numbers: list[int]) -> None:
        y, how = self.cursor.y, numbers[0]
        if how in {0, 1}:
            self._erase_in_line(numbers)
        for other in {0: range(y + 1, self.rows), 1: range(y), 2: range(self.rows)}.get(how, ()):
            self._erase(other, 0, self.columns)

    def _shift_lines(self, numbers: list[int], sign: int) -> None:
        if self.top <= self.cursor.y <= self.bottom:
            self._scroll(self.cursor.y, sign * (numbers[0] or 1))
            self.cursor.x = 0

    def _sideways(self, count: int) -> None:
        self.cursor.x = min(max(min(self.cursor.x, self.columns - 1 if count < 0 else self.columns) + count, 0),
                            self.columns - 1)  # fmt: skip

    def _upright(self, count: int) -> None:
        y = self.cursor.y
        low, high = (0 if y < self.top else self.top), (self.rows - 1 if y > self.bottom else self.bottom)
        self.cursor.y = min(max(y + count, low), high)

    def _line(self, count: int) -> None:
        self._upright(count)
        self.cursor.x = 0

    def _margins(self, numbers: list[int]) -> None:
        top, bottom = (numbers[0] or 1) - 1, (numbers[1] if len(numbers) > 1 else 0) or self.rows
        bottom = min(bottom, self.rows) - 1
        if top < bottom:
            self.top, self.bottom = top, bottom
            self.move(0, 0)

    def _tabs(self, numbers: list[int]) -> None:
        for _ in range(min(numbers[0] or 1, self.columns)):
            self.control("\t")

    def _tabs_back(self, numbers: list[int]) -> None:
        for _ in range(min(numbers[0] or 1, self.columns)):
            self.cursor.x = max((stop for stop in self.stops if stop < self.cursor.x), default=0)

    def _repeat(self, numbers: list[int]) -> None:
        if self.last:
            self.text(self.last * (numbers[0] or 1))

    def _clear_stops(self, numbers: list[int]) -> None:
        if numbers[0] == 0:
            self.stops.discard(self.cursor.x)
        elif numbers[0] == 3:
            self.stops.clear()

    def _set_stop(self) -> None:
        self.stops.add(self.cursor.x)

    def _keypad(self, *, application: bool) -> None:
        self.modes.keypad = application


_ESCAPES: dict[str, Callable[[Screen], None]] = {
    "c": Screen.reset,
    "D": Screen._index,  # noqa: SLF001 - the table of the class's own acts, as below
    "E": Screen._next_line,  # noqa: SLF001
    "M": Screen._index_back,  # noqa: SLF001
    "H": Screen._set_stop,  # noqa: SLF001
    "7": Screen.save,
    "8": Screen.restore,
    "=": lambda screen: screen._keypad(application=True),  # noqa: SLF001
    ">": lambda screen: screen._keypad(application=False),  # noqa: SLF001
}
_SEQUENCES: dict[str, Callable[[Screen, list[int]], None]] = {
    "@": Screen._insert_characters,  # noqa: SLF001
    "A": lambda screen, numbers: screen._upright(-(numbers[0] or 1)),  # noqa: SLF001
    "B": lambda screen, numbers: screen._upright(numbers[0] or 1),  # noqa: SLF001
    "C": lambda screen, numbers: screen._sideways(numbers[0] or 1),  # noqa: SLF001
    "D": lambda screen, numbers: screen._sideways(-(numbers[0] or 1)),  # noqa: SLF001
    "E": lambda screen, numbers: screen._line(numbers[0] or 1),  # noqa: SLF001
    "F": lambda screen, numbers: screen._line(-(numbers[0] or 1)),  # noqa: SLF001
    "G": lambda screen, numbers: setattr(screen.cursor, "x", min((numbers[0] or 1), screen.columns) - 1),
    "H": lambda screen, numbers: screen.move((numbers[1] if len(numbers) > 1 else 1) - 1, (numbers[0] or 1) - 1),
    "I": Screen._tabs,  # noqa: SLF001
    "J": Screen._erase_in_display,  # noqa: SLF001
    "K": Screen._erase_in_line,  # noqa: SLF001
    "L": lambda screen, numbers: screen._shift_lines(numbers, -1),  # noqa: SLF001
    "M": lambda screen, numbers: screen._shift_lines(numbers, 1),  # noqa: SLF001
    "P": Screen._delete_characters,  # noqa: SLF001
    "S": lambda screen, numbers: screen._scroll(screen.top, numbers[0] or 1),  # noqa: SLF001
    "T": lambda screen, numbers: screen._scroll(screen.top, -(numbers[0] or 1)),  # noqa: SLF001
    "X": Screen._erase_characters,  # noqa: SLF001
    "Z": Screen._tabs_back,  # noqa: SLF001
    "a": lambda screen, numbers: screen._sideways(numbers[0] or 1),  # noqa: SLF001
    "b": Screen._repeat,  # noqa: SLF001
    "d": lambda screen, numbers: screen.move(screen.cursor.x, (numbers[0] or 1) - 1),
    "e": lambda screen, numbers: screen._upright(numbers[0] or 1),  # noqa: SLF001
    "g": Screen._clear_stops,  # noqa: SLF001
    "r": Screen._margins,  # noqa: SLF001
    "s": lambda screen, _: screen.save(),
    "u": lambda screen, _: screen.restore(),
}
_SEQUENCES["f"], _SEQUENCES["`"] = _SEQUENCES["H"], _SEQUENCES["G"]
