"""What a terminal shows: enough of a terminal to read what a program drew, wrapped lines joined again.

Colours and titles are left aside. A wide character fills its second cell with `FILL`. Rows that leave the screen at its
top are given away by `take_scrolled`.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import NamedTuple

FILL = "\0"
TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<args>[0-9:;<=>?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b(?P<escape>[0-OQ-WYZ\\`-~])"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])",
    re.DOTALL,
)
LONGEST_SEQUENCE = 64 << 10
MOST_SCROLLED = 100_000


class Row(NamedTuple):
    """`text` without what pads it at its end, unless it is `wrapped`: it goes on in the next row then."""

    text: str
    wrapped: bool


class Screen:
    def __init__(self, columns: int = 120, rows: int = 40) -> None:
        self.columns, self.rows = columns, rows
        self.moved = False
        """Whether the program has moved the cursor about, as full-screen programs do; line by line until then."""
        self.bracketed_paste = False
        self.replies: list[bytes] = []
        """What a terminal answers to questions of the program; who holds the terminal sends it."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._scrolled: list[Row] = []
        self._sized()
        self._reset()

    def _sized(self) -> None:
        self._plain = re.compile(rf"(?:[ -~]{{1,{self.columns}}}\r+\n|\r*\n)+")

    def _reset(self) -> None:
        self._lines = [""] * self.rows
        self._wraps = [False] * self.rows
        self._x = self._y = 0
        self._pending = False
        self._top, self._bottom = 0, self.rows - 1
        self._saved = (0, 0)
        self._other: tuple[list[str], list[bool], int, int] | None = None
        self._autowrap = True

    # What is there.

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, from 0."""
        return min(self._x, self.columns - 1), self._y

    def display(self) -> list[str]:
        """Every row as it is seen, without what pads it at its end."""
        return [_seen(line) for line in self._lines]

    def row(self, place: int) -> str:
        """One row as it is seen."""
        return _seen(self._lines[place])

    def before_cursor(self) -> str:
        """What stands left of the cursor in its row."""
        return self._lines[self._y][: self.cursor[0]].replace(FILL, "").rstrip()

    def above_cursor(self, first: int) -> list[Row]:
        """The rows from `first` on that stand above the cursor."""
        return [_row(self._lines[place], self._wraps[place]) for place in range(first, self._y)]

    def visible(self) -> list[Row]:
        return [_row(line, wraps) for line, wraps in zip(self._lines, self._wraps, strict=True)]

    def take_scrolled(self) -> list[Row]:
        """Rows that left at the top since the last call."""
        taken, self._scrolled = self._scrolled, []
        return taken

    # What changes it.

    def resize(self, columns: int, rows: int) -> None:
        """Rows that no longer fit leave at the top; nothing is wrapped anew, as in a program that draws again."""
        if self._other is not None:
            self._leave_other()
        while len(self._lines) > rows and self._y >= rows:
            self._give(0)
            del self._lines[0], self._wraps[0]
            self._y -= 1
        missing = rows - len(self._lines)
        self._lines = (self._lines + [""] * missing)[:rows]
        self._wraps = (self._wraps + [False] * missing)[:rows]
        self._lines = [line[:columns] for line in self._lines]
        self.columns, self.rows = columns, rows
        self._sized()
        self._x, self._y = min(self._x, columns - 1), min(self._y, rows - 1)
        self._top, self._bottom, self._pending = 0, rows - 1, False

    def feed(self, data: bytes) -> None:
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        end, place = len(text), 0
        while place < end:
            if self._x == 0 and not self._pending and (lines := self._plain.match(text, place)) is not None:
                self._write_lines(lines.group())
                place = lines.end()
                continue
            found = TOKEN.match(text, place)
            if found is None:  # the beginning of a sequence whose end is still to come, or nothing that anybody knows
                if end - place < LONGEST_SEQUENCE and text[place] == "\x1b":
                    self._rest = text[place:]
                    return
                place += 1
                continue
            place = found.end()
            kind = found.lastgroup
            if kind == "text":
                self._write(found.group())
            elif kind == "control":
                self._control(found.group())
            elif kind == "final":
                self._sequence(found["args"], found["between"], found["final"])
            elif kind == "escape":
                self._escape(found["escape"])

    def _write_lines(self, text: str) -> None:
        """Whole lines of plain text that fit, from the first column on: what floods consist of."""
        if self._top or self._bottom != self.rows - 1 or self._other is not None:
            for line in text.splitlines():
                self._put(line.rstrip("\r"))
                self._x = 0
                self._control("\n")
            return
        lines, wraps, y, bottom = self._lines, self._wraps, self._y, self._bottom
        for one in text.split("\n")[:-1]:
            line, old = one.rstrip("\r"), lines[y]
            lines[y], wraps[y] = line + old[len(line) :] if old else line, False
            if y < bottom:
                y += 1
                continue
            self._give(0)
            del lines[0], wraps[0]
            lines.append("")
            wraps.append(False)
        self._y = y

    def _write(self, text: str) -> None:
        if text.isascii():
            self._put(text)
            return
        for one in text:
            width = _width(one)
            if width == 1:
                self._put(one)
            elif width == 2:
                if self._x >= self.columns - 1 and not self._pending and self._autowrap:
                    self._pending = True
                self._put(one + FILL)
            else:
                self._join(one)

    def _put(self, cells: str) -> None:
        while cells:
            if self._pending:
                if self._autowrap:
                    self._wraps[self._y] = True
                    self._x = 0
                    self._feed_line()
                else:
                    self._x = self.columns - 1
                self._pending = False
            room = self.columns - self._x
            part, cells = cells[:room], cells[room:]
            line = self._lines[self._y]
            if len(line) < self._x:
                line = line.ljust(self._x)
            self._lines[self._y] = line[: self._x] + part + line[self._x + len(part) :]
            self._x += len(part)
            if self._x >= self.columns:
                self._x, self._pending = self.columns - 1, True

    def _join(self, mark: str) -> None:
        """A mark that belongs to the character before it, where both make one."""
        place = self._x if self._pending else self._x - 1
        line = self._lines[self._y]
        if 0 <= place < len(line):
            both = unicodedata.normalize("NFC", line[place] + mark)
            if len(both) == 1:
                self._lines[self._y] = line[:place] + both + line[place + 1 :]

    def _control(self, one: str) -> None:
        if one in "\n\x0b\x0c":
            if one == "\n":
                self._wraps[self._y] = False
            self._pending = False
            self._feed_line()
        elif one == "\r":
            self._x, self._pending = 0, False
        elif one == "\b":
            self._x, self._pending = max(0, self._x - 1), False
        elif one == "\t":
            self._x = min(self.columns - 1, (self._x // 8 + 1) * 8)

    def _feed_line(self) -> None:
        if self._y == self._bottom:
            self._scroll_up(1)
        elif self._y < self.rows - 1:
            self._y += 1

    def _scroll_up(self, count: int) -> None:
        for _ in range(min(count, self._bottom - self._top + 1)):
            if self._top == 0 and self._other is None:
                self._give(0)
            del self._lines[self._top], self._wraps[self._top]
            self._lines.insert(self._bottom, "")
            self._wraps.insert(self._bottom, False)

    def _scroll_down(self, count: int) -> None:
        for _ in range(min(count, self._bottom - self._top + 1)):
            del self._lines[self._bottom], self._wraps[self._bottom]
            self._lines.insert(self._top, "")
            self._wraps.insert(self._top, False)

    def _give(self, row: int) -> None:
        if len(self._scrolled) < MOST_SCROLLED:
            self._scrolled.append(_row(self._lines[row], self._wraps[row]))

    def _escape(self, one: str) -> None:
        if one == "7":
            self._saved = (self._x, self._y)
        elif one == "8":
            self._go(*self._saved)
        elif one in "DE":
            if one == "E":
                self._x = 0
            self._pending = False
            self._feed_line()
        elif one == "M":
            self.moved, self._pending = True, False
            if self._y == self._top:
                self._scroll_down(1)
            else:
                self._y = max(0, self._y - 1)
        elif one == "c":
            self._reset()

    def _sequence(self, args: str, between: str, final: str) -> None:
        if args[:1] in ("?", "<", "=", ">"):
            if args[0] == "?" and final in "hl":
                self._modes(args[1:], on=final == "h")
            elif args[0] == ">" and final == "c":
                self.replies.append(b"\x1b[>0;0;0c")
            return
        if between:
            return
        numbers = [int(one) if one.isdigit() else 0 for one in args.replace(":", ";").split(";")]
        first = numbers[0]
        count = min(first or 1, 10_000)
        if final == "m":
            return
        if final in "ABCDEFGHJLMPSTXdf@`aer":
            if final not in "GCD":
                self.moved = True
            self._edit(final, first, count, numbers)
        elif final == "K":
            self._erase_line(first)
        elif final == "s":
            self._saved = (self._x, self._y)
        elif final == "u":
            self._go(*self._saved)
        elif final == "n" and first == 6:
            self.replies.append(b"\x1b[%d;%dR" % (self._y + 1, self.cursor[0] + 1))
        elif final == "n" and first == 5:
            self.replies.append(b"\x1b[0n")
        elif final == "c" and first == 0:
            self.replies.append(b"\x1b[?62;22c")

    def _edit(self, final: str, first: int, count: int, numbers: list[int]) -> None:
        x, y = self._x, self._y
        match final:
            case "A":
                self._go(x, max(self._top if y >= self._top else 0, y - count))
            case "B" | "e":
                self._go(x, min(self._bottom if y <= self._bottom else self.rows - 1, y + count))
            case "C" | "a":
                self._go(x + count, y)
            case "D":
                self._go(x - count, y)
            case "E":
                self._go(0, min(self._bottom if y <= self._bottom else self.rows - 1, y + count))
            case "F":
                self._go(0, max(self._top if y >= self._top else 0, y - count))
            case "G" | "`":
                self._go(count - 1, y)
            case "d":
                self._go(x, count - 1)
            case "H" | "f":
                column = (numbers[1] or 1) if len(numbers) > 1 else 1
                self._go(column - 1, count - 1)
            case "J":
                self._erase_screen(first)
            case "L" | "M":
                if self._top <= y <= self._bottom:
                    top, self._top = self._top, y
                    (self._scroll_down if final == "L" else self._drop)(count)
                    self._top, self._x, self._pending = top, 0, False
            case "P":
                line = self._lines[y]
                self._lines[y] = line[:x] + line[x + count :]
            case "@":
                line = self._lines[y].ljust(x)
                self._lines[y] = (line[:x] + " " * count + line[x:])[: self.columns]
            case "X":
                line = self._lines[y]
                self._lines[y] = line[:x].ljust(x) + " " * min(count, max(0, len(line) - x)) + line[x + count :]
            case "S":
                self._scroll_up(count)
            case "T":
                self._scroll_down(count)
            case "r":
                bottom = (numbers[1] if len(numbers) > 1 else 0) or self.rows
                if 0 < count < bottom <= self.rows:
                    self._top, self._bottom = count - 1, bottom - 1
                    self._go(0, 0)

    def _drop(self, count: int) -> None:
        for _ in range(min(count, self._bottom - self._top + 1)):
            del self._lines[self._top], self._wraps[self._top]
            self._lines.insert(self._bottom, "")
            self._wraps.insert(self._bottom, False)

    def _go(self, x: int, y: int) -> None:
        self._x, self._y = max(0, min(x, self.columns - 1)), max(0, min(y, self.rows - 1))
        self._pending = False

    def _erase_line(self, how: int) -> None:
        line = self._lines[self._y]
        if how == 0:
            self._lines[self._y], self._wraps[self._y] = line[: self._x], False
        elif how == 1:
            self._lines[self._y] = " " * min(self._x + 1, len(line)) + line[self._x + 1 :]
        elif how == 2:
            self._lines[self._y], self._wraps[self._y] = "", False

    def _erase_screen(self, how: int) -> None:
        if how == 0:
            self._erase_line(0)
            gone = range(self._y + 1, self.rows)
        elif how == 1:
            self._erase_line(1)
            gone = range(self._y)
        else:
            gone = range(self.rows)
        for row in gone:
            self._lines[row], self._wraps[row] = "", False

    def _modes(self, args: str, *, on: bool) -> None:
        for one in args.split(";"):
            if one == "7":
                self._autowrap = on
            elif one == "2004":
                self.bracketed_paste = on
            elif one in ("47", "1047", "1049") and on != (self._other is not None):
                self.moved = True
                if on:
                    self._other = (self._lines, self._wraps, self._x, self._y)
                    self._lines, self._wraps = [""] * self.rows, [False] * self.rows
                else:
                    self._leave_other()

    def _leave_other(self) -> None:
        if self._other is not None:
            self._lines, self._wraps, x, y = self._other
            self._other = None
            self._go(x, y)


def joined(rows: list[Row]) -> list[str]:
    """Rows as the lines that they were before the terminal wrapped them."""
    lines: list[str] = []
    goes_on = False
    for row in rows:
        if goes_on:
            lines[-1] += row.text
        else:
            lines.append(row.text)
        goes_on = row.wrapped
    return lines


def _row(line: str, wraps: bool) -> Row:
    return Row(line.replace(FILL, "") if wraps else _seen(line), wraps)


def _seen(line: str) -> str:
    return (line.replace(FILL, "") if FILL in line else line).rstrip()


def _width(one: str) -> int:
    if unicodedata.combining(one) or unicodedata.category(one) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(one) in "WF" else 1
