"""What a terminal shows after some bytes: kept for the part of the output that is not kept itself.

The rules are those of xterm where programs can tell, so that what `drawing` makes of a screen and the bytes that follow
leave every emulator as if it had been given all bytes (contract: tasks §5). The bytes come from programs that nobody
vouches for: no sequence costs more than about a line's worth of work, which is why blank lines are one shared `Row`.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable

from quarterdeck.fleet.terminals.cells import GRAPHICS, PLAIN, Look, Row, Written, changed, width
from quarterdeck.fleet.terminals.grid import MOST_SCROLLED, Grid
from quarterdeck.fleet.terminals.modes import ALTERNATE, KEPT_MODES, USUAL_MODES, Cursor
from quarterdeck.fleet.terminals.parsing import Parser

NARROW = re.compile("[ -~\xa0-\xac\xae-\u02ff\u2500-\u25fc]+")
"""Runs of characters that are one column wide for certain: letters of Europe, lines and blocks."""
FLOOD = r"(?:[ -~]{{1,{columns}}}+\r{{1,4}}+\n|\r{{0,4}}+\n)+"
MOST_NUMBERS = 32
MOST_REPLIES = 64


class Screen(Grid):
    """One terminal, fed with its output in any pieces."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(columns, rows)
        self.parser = Parser(self)
        self.moved = False
        """Whether the program has moved the cursor about, as full-screen programs do; line by line until then."""
        self.replies: list[bytes] = []
        """What a terminal answers to questions of the program: for who holds it."""

    def _sized(self) -> None:
        super()._sized()
        self._flood = re.compile(FLOOD.format(columns=self.columns))

    def _clear(self) -> None:
        super()._clear()
        self.last = ""
        """The character that was written last, which can be repeated."""

    def feed(self, data: bytes) -> None:
        self.parser.feed(data)

    # What the parser finds.

    def flood(self, text: str, at: int) -> int:
        """Whole lines of plain text that fit, from the first column on. Where they end; `at` where there are none."""
        cursor = self.cursor
        if cursor.x or self.main is not None or self.top or self.bottom != self.rows - 1:
            return at
        if 4 in self.modes.ansi or cursor.sets[cursor.shifted] == "0":
            return at
        found = self._flood.match(text, at)
        if found is None:
            return at
        lines = found[0].split("\n")
        over = min(self.bottom - cursor.y + 1, len(lines) - 1)
        for line in lines[:over]:  # there may stand something where these come
            if line := line.rstrip("\r"):
                self._run(line)
            cursor.x = 0
            self.control("\n")
        self._pass([line.rstrip("\r") for line in lines[over:-1]])
        return found.end()

    def _pass(self, texts: list[str]) -> None:
        """Lines are written to the last one of the screen, which is blank, and each makes place for the next."""
        if not texts:
            return
        shown = self.lines[:-1]
        over = max(0, len(texts) - len(shown))
        self._leave(shown[: len(texts)])
        if over and self.scrolled is not None and len(self.scrolled) < MOST_SCROLLED:
            self.scrolled.extend([Written(text.rstrip(), False) for text in texts[:over]])
        blank, look = self._blank(), self.cursor.look
        self.lines = shown[len(texts) :]
        for text in texts[over:]:
            row = blank
            if text:
                row = blank.copy()
                row.texts[: len(text)] = text
                row.looks[: len(text)] = [look] * len(text)
                self.last = text[-1]
            self.lines.append(row)
        self.lines.append(blank)

    def text(self, text: str) -> None:
        cursor = self.cursor
        if not text:
            return
        if cursor.sets[cursor.shifted] == "0":
            text = text.translate(GRAPHICS)
        if 4 in self.modes.ansi:
            for character in text:
                self._put(character)
        elif text.isascii():
            self._run(text)
        else:
            at = 0
            while at < len(text):
                if found := NARROW.match(text, at):
                    self._run(found[0])
                    at = found.end()
                else:
                    self._put(text[at])
                    at += 1

    def _run(self, text: str) -> None:
        """Characters of one column each."""
        cursor, wraps, at = self.cursor, 7 in self.modes.private, 0
        self.last = text[-1]
        while at < len(text):
            if cursor.x >= self.columns:
                if wraps:
                    self._wrap()
                else:
                    cursor.x = self.columns - 1
                    at = max(at, len(text) - 1)  # each overwrites the one before
            piece = text[at : at + self.columns - cursor.x]
            row, x = self._own(cursor.y), cursor.x
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
        row, x = self._own(cursor.y), cursor.x
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
            row = self._own(y)
            x -= row.texts[x] == "" and x > 0
            if len(row.texts[x]) < 16:
                row.texts[x] = unicodedata.normalize("NFC", row.texts[x] + character)

    def control(self, control: str) -> None:
        cursor = self.cursor
        if control == "\r":
            cursor.x = 0
        elif control in "\n\x0b\x0c":
            row = self.lines[cursor.y]
            if control == "\n" and row.wrapped:
                self._own(cursor.y).wrapped = 0
            self._index()
            if 20 in self.modes.ansi:
                cursor.x = 0
        elif control == "\b":
            cursor.x = max(min(cursor.x, self.columns - 1) - 1, 0)
        elif control == "\t":
            self._tabs([1])
        elif control in "\x0e\x0f":
            cursor.shifted = int(control == "\x0e")

    def escape(self, between: str, final: str) -> None:
        if between in {"(", ")"}:
            first, second = self.cursor.sets
            self.cursor.sets = (final, second) if between == "(" else (first, final)
        elif (between, final) == ("#", "8"):
            self.lines = [Row(self.columns, text="E", shared=True)] * self.rows
            self.top, self.bottom, self.cursor.x, self.cursor.y = 0, self.rows - 1, 0, 0
        elif not between and (act := _ESCAPES.get(final)) is not None:
            self.moved = self.moved or final == "M"
            act(self)

    def string(self, kind: str, content: str) -> None:
        number, separator, text = content.partition(";")
        if kind == "]" and separator and number in {"0", "2"}:
            self.modes.title = text[:1000]

    def csi(self, mark: str, parameters: str, between: str, final: str) -> None:
        if final == "m" and not mark and not between:
            self.cursor.look = changed(self.cursor.look, parameters)
        elif final in "hl" and mark in {"", "?"} and not between:
            for word in parameters.split(";")[:MOST_NUMBERS]:
                self._mode(int(word) if word.isdigit() else -1, private=bool(mark), on=final == "h")
        elif (between, final) == (" ", "q") and not mark:
            self.modes.shape = parameters if len(parameters) < 4 else ""
        elif (between, final) == ("!", "p") and not mark:
            self._soft_reset()
        elif not mark and not between and (act := _SEQUENCES.get(final)) is not None:
            words = parameters.split(";")[:MOST_NUMBERS]
            numbers = [min(int(word), 9999) if word.isdigit() else 0 for word in words]
            self.moved = self.moved or final in _MOVING
            act(self, numbers)
        elif final in "nc" and not between:
            self._asked(mark, parameters, final)

    def _asked(self, mark: str, parameters: str, final: str) -> None:
        """A question that terminals answer: where the cursor is, whether all is well, what it is."""
        cursor = self.cursor
        place = b"\x1b[%d;%dR" % (cursor.y + 1, min(cursor.x, self.columns - 1) + 1)
        answers = {("", "6", "n"): place, ("", "5", "n"): b"\x1b[0n", ("", "", "c"): b"\x1b[?62;22c"}
        answers |= {("", "0", "c"): b"\x1b[?62;22c", (">", "", "c"): b"\x1b[>0;0;0c", (">", "0", "c"): b"\x1b[>0;0;0c"}
        answer = answers.get((mark, parameters, final))
        if answer is not None and len(self.replies) < MOST_REPLIES:
            self.replies.append(answer)

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
        self.moved = self.moved or on != (self.main is not None)
        if on and self.main is None:
            if number == 1049:
                self.save()
            self.main, self.saved_main = self.lines, self.saved
            self.saved = Cursor()
            self.lines = [self._blank(PLAIN)] * self.rows
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
        """With the origin mode, as DEC's terminals and xterm do, and with mode 7, which some emulators restore."""
        cursor = self.cursor  # that a line waits to wrap is not kept: emulators disagree on it
        origin, wraps = 6 in self.modes.private, 7 in self.modes.private
        self.saved = Cursor(self._column, cursor.y, cursor.look, cursor.sets, cursor.shifted, origin, wraps)

    def restore(self) -> None:
        """In origin mode to a place in the scroll region, which may have changed since. Mode 7 stays, as in xterm."""
        saved = self.saved
        (self.modes.private.add if saved.origin else self.modes.private.discard)(6)
        y = min(max(saved.y, self.top), self.bottom) if saved.origin else saved.y
        self.cursor = Cursor(saved.x, y, saved.look, saved.sets, saved.shifted)

    def move(self, x: int, y: int) -> None:
        """To a place, counted from the scroll region in origin mode."""
        origin = 6 in self.modes.private
        low, high = (self.top, self.bottom) if origin else (0, self.rows - 1)
        self.cursor.x = min(max(x, 0), self.columns - 1)
        self.cursor.y = min(max(y + low, low), high)

    def _next_line(self) -> None:
        self.cursor.x = 0
        self._index()

    def _insert_characters(self, numbers: list[int]) -> None:
        if self.cursor.x < self.columns:
            self._insert(self._own(self.cursor.y), self.cursor.x, numbers[0] or 1)

    def _delete_characters(self, numbers: list[int]) -> None:
        x = self.cursor.x
        count = min(numbers[0] or 1, self.columns - x)
        if count > 0:
            row = self._own(self.cursor.y)
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
        first, last = {0: (y + 1, self.rows), 1: (0, y), 2: (0, self.rows)}.get(how, (0, 0))
        self.lines[first:last] = [self._blank()] * (last - first)

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
        place = bisect_right(self.stops, self.cursor.x) + (numbers[0] or 1) - 1
        self.cursor.x = self.stops[place] if place < len(self.stops) else self.columns - 1

    def _tabs_back(self, numbers: list[int]) -> None:
        place = bisect_left(self.stops, self._column) - (numbers[0] or 1)
        self.cursor.x = self.stops[place] if place >= 0 else 0

    def _repeat(self, numbers: list[int]) -> None:
        """The last character again, as often as the screen has cells at most."""
        cells = width(self.last) if self.last else 0
        if not cells or cells > self.columns:
            return
        count = min(numbers[0] or 1, self.columns * self.rows)
        each = self.columns // cells
        if self.cursor.x + cells > self.columns or 7 not in self.modes.private:
            self.text(self.last)
            count = min(count - 1, self.columns * self.rows if 7 in self.modes.private else each)
        begun = min(count, (self.columns - self.cursor.x) // cells)
        if 4 in self.modes.ansi:
            if begun:
                self._insert(self._own(self.cursor.y), self.cursor.x, begun * cells)
            count = begun
        self._fill(self.last, begun)
        if count > begun and 7 not in self.modes.private:
            self.text(self.last)
            return
        whole, rest = divmod(count - begun, each)
        if whole:
            self._wrap()
            self._fill(self.last, each)
            self._repeat_line(whole - 1)
        if rest:
            self._wrap()
            self._fill(self.last, rest)

    @property
    def _column(self) -> int:
        """Of the cursor: it stays in the last one while a line waits to wrap."""
        return min(self.cursor.x, self.columns - 1)

    def _clear_stops(self, numbers: list[int]) -> None:
        if numbers[0] == 0:
            self.stops = [stop for stop in self.stops if stop != self._column]
        elif numbers[0] == 3:
            self.stops.clear()

    def _set_stop(self) -> None:
        if self._column not in self.stops:
            insort(self.stops, self._column)

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
    "S": lambda screen, numbers: screen._scroll(screen.top, numbers[0] or 1, leaving=True),  # noqa: SLF001
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
_MOVING = frozenset("ABEFHJLMPSTXdf@`aer")
"""What programs do that draw on the screen."""
