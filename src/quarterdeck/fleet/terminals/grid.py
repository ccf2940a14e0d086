"""The lines of a terminal, and what is done with whole ones: they scroll, are erased, made to fit, written again.

No act costs more than about a line's worth of work, because a line that stands many times is one shared `Row`.
"""

from __future__ import annotations

from bisect import bisect_left

from quarterdeck.fleet.terminals.cells import PLAIN, Look, Row, Written, width
from quarterdeck.fleet.terminals.modes import Cursor, Modes

MOST_BLANKS = 32
MOST_SCROLLED = 100_000


class Grid:
    """Columns and rows, a cursor, and the scroll region from `top` to `bottom`."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.scrolled: list[Written] | None = None
        """Lines that left at the top, for whoever puts a list here and empties it."""
        self._sized()
        self._clear()

    def _sized(self) -> None:
        self._blanks: dict[str, Row] = {}

    def _clear(self) -> None:
        self.lines = [self._blank(PLAIN)] * self.rows
        self.main: list[Row] | None = None
        """The lines of the main screen while the alternate one is shown."""
        self.cursor, self.saved, self.saved_main = Cursor(), Cursor(), Cursor()
        self.modes = Modes()
        self.top, self.bottom = 0, self.rows - 1
        self.stops = list(range(8, self.columns, 8))

    def _blank(self, look: Look | None = None) -> Row:
        """The line that erasing leaves, in the colour that stands behind."""
        back = (self.cursor.look if look is None else look).back
        row = self._blanks.get(back)
        if row is None:
            if len(self._blanks) >= MOST_BLANKS:
                self._blanks.clear()
            row = self._blanks[back] = Row(self.columns, Look(back=back), shared=True)
        return row

    def _own(self, y: int) -> Row:
        """A line to write to."""
        row = self.lines[y]
        if row.shared:
            row = self.lines[y] = row.copy()
        return row

    def resize(self, columns: int, rows: int) -> None:
        """As xterm does: lines below the cursor go first, then those at the top; new ones come at the bottom, columns
        at the right. The scroll region becomes the whole.
        """
        if (columns, rows) == (self.columns, self.rows):
            return
        before, self.columns, self.rows = self.columns, columns, rows
        self._sized()
        gone = self._resized(self.lines, self.cursor.y, leaving=self.main is None)
        self.cursor.y -= gone
        if self.main is None:
            self.saved.y -= gone
        else:
            self.saved_main.y -= self._resized(self.main, self.saved_main.y, leaving=True)
        kept = self.stops[: bisect_left(self.stops, columns)]
        self.stops = kept + [stop for stop in range(8, columns, 8) if stop >= before]
        self.top, self.bottom = 0, rows - 1
        for cursor in (self.cursor, self.saved, self.saved_main):
            cursor.x, cursor.y = min(cursor.x, columns - 1), max(min(cursor.y, rows - 1), 0)

    def _resized(self, lines: list[Row], y: int, *, leaving: bool) -> int:
        """Answers how many went at the top."""
        gone = max(0, min(y + 1, len(lines)) - self.rows)
        if leaving:
            self._leave(lines[:gone])
        del lines[:gone], lines[self.rows :]
        for place, row in enumerate(lines):
            lines[place] = self._fitted(row)
        lines += [self._blank(PLAIN)] * (self.rows - len(lines))
        return gone

    def _fitted(self, row: Row) -> Row:
        columns = self.columns
        if row.shared and row.texts[0] == " " and row.looks[0] == Look(back=row.looks[0].back):
            return self._blank(row.looks[0])
        row = row.copy()
        del row.texts[columns:], row.looks[columns:]
        row.texts += [" "] * (columns - len(row.texts))
        row.looks += [PLAIN] * (columns - len(row.looks))
        row.wrapped = min(row.wrapped, columns)
        if width(row.texts[-1][:1] or " ") == 2:
            row.texts[-1] = " "
        return row

    def _leave(self, rows: list[Row]) -> None:
        """Lines go at the top. One row that stands for many is read once."""
        if self.scrolled is None or len(self.scrolled) >= MOST_SCROLLED:
            return
        before: Row | None = None
        for row in rows:
            if row is not before:
                before, written = row, row.written
            self.scrolled.append(written)

    @staticmethod
    def _part(row: Row, begin: int, end: int) -> None:
        """Cells are written over: the other halves of wide characters at both ends go."""
        if 0 < begin < len(row.texts) and row.texts[begin] == "":
            row.texts[begin - 1] = " "
        if end < len(row.texts) and row.texts[end] == "":
            row.texts[end] = " "

    def _wrap(self) -> None:
        if self.lines[self.cursor.y].wrapped != self.cursor.x:
            self._own(self.cursor.y).wrapped = self.cursor.x
        self.cursor.x = 0
        self._index()

    def _index(self) -> None:
        if self.cursor.y == self.bottom:
            self._scroll(self.top, 1, leaving=True)
        elif self.cursor.y < self.rows - 1:
            self.cursor.y += 1

    def _index_back(self) -> None:
        if self.cursor.y == self.top:
            self._scroll(self.top, -1)
        elif self.cursor.y > 0:
            self.cursor.y -= 1

    def _scroll(self, first: int, count: int, *, leaving: bool = False) -> None:
        """Lines `first` to the bottom of the region go up (down: a negative count), blank ones come."""
        lines, last = self.lines, self.bottom + 1
        size, blank = min(abs(count), last - first), self._blank()
        if count < 0:
            del lines[last - size : last]
            lines[first:first] = [blank] * size
            return
        if leaving and first == 0 and self.main is None and self.scrolled is not None:
            self._leave(lines[:size])
        del lines[first : first + size]
        lines[last - size : last - size] = [blank] * size

    def _erase(self, y: int, begin: int, end: int) -> None:
        begin, end = max(begin, 0), min(end, self.columns)
        if end - begin == self.columns:
            self.lines[y] = self._blank()
        elif begin < end:
            row = self._own(y)
            self._part(row, begin, end)
            row.texts[begin:end] = [" "] * (end - begin)
            row.looks[begin:end] = [self._blank().looks[0]] * (end - begin)
            if end == self.columns:
                row.wrapped = 0

    def _insert(self, row: Row, x: int, count: int) -> None:
        count = min(count, self.columns - x)
        self._part(row, x, x)
        row.texts[x:] = [" "] * count + row.texts[x : self.columns - count]
        row.looks[x:] = [Look(back=self.cursor.look.back)] * count + row.looks[x : self.columns - count]
        if width(row.texts[-1][:1] or " ") == 2:
            row.texts[-1] = " "

    def _fill(self, character: str, count: int) -> None:
        """A character so many times, where there is room for all of them."""
        if not count:
            return
        cells = width(character)
        row, x, end = self._own(self.cursor.y), self.cursor.x, self.cursor.x + count * cells
        self._part(row, x, end)
        row.texts[x:end] = [character, ""] * count if cells == 2 else [character] * count
        row.looks[x:end] = [self.cursor.look] * (end - x)
        self.cursor.x = end

    def _repeat_line(self, count: int) -> None:
        """The line of the cursor, which is full, is written again below. One row stands for all of them, and what goes
        at the top goes at once.
        """
        if not count:
            return
        cursor, begun = self.cursor, self._own(self.cursor.y)
        begun.wrapped = cursor.x
        full = begun.copy()
        full.shared = True
        inside = cursor.y <= self.bottom
        below = min(count, (self.bottom if inside else self.rows - 1) - cursor.y)
        over: Row | None = None
        for y in range(cursor.y + 1, cursor.y + below + 1):
            if self.lines[y] is not over:
                over = self.lines[y]
                row = self._above(full, over)
            self.lines[y] = row
        cursor.y += below
        if count > below and inside:
            row, height = self._above(full, self._blank()), self.bottom + 1 - self.top
            scrolled = min(count - below, height)
            self._scroll(self.top, scrolled, leaving=True)
            self.lines[self.bottom + 1 - scrolled : self.bottom + 1] = [row] * scrolled
            if self.top == 0 and self.main is None:
                self._leave([row] * (count - below - scrolled))
            wrapped = 0
        elif count > below or over is None:
            wrapped = cursor.x  # below the region nothing scrolls: the last line is written over
        else:
            wrapped = over.wrapped  # what is only written over goes on where it did
        self._own(cursor.y).wrapped = wrapped

    def _above(self, full: Row, under: Row) -> Row:
        """A full line over another: where half of a wide character has no place at the end, that one stays."""
        if full.wrapped == self.columns:
            return full
        row = full.copy()
        row.shared = True
        for x in range(full.wrapped, self.columns):
            row.texts[x], row.looks[x] = under.texts[x] or " ", under.looks[x]
        return row
