"""What the screen of a terminal says, for who reads it as text: rows, the lines that they were, what has left."""

from __future__ import annotations

from quarterdeck.fleet.terminals.cells import Written
from quarterdeck.fleet.terminals.screen import Screen


class Reader:
    """A screen that is read; `screen` is what is shown."""

    def __init__(self, columns: int = 120, rows: int = 40) -> None:
        self.screen = Screen(columns, rows)
        self.screen.scrolled = []

    @property
    def columns(self) -> int:
        return self.screen.columns

    @property
    def rows(self) -> int:
        return self.screen.rows

    @property
    def moved(self) -> bool:
        """Whether the program has moved the cursor about, as full-screen programs do; line by line until then."""
        return self.screen.moved

    @property
    def bracketed_paste(self) -> bool:
        return 2004 in self.screen.modes.private

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row, from 0."""
        return min(self.screen.cursor.x, self.columns - 1), self.screen.cursor.y

    def begin(self) -> None:
        """Another program writes from here on: nothing goes on that the one before has begun."""
        self.screen.moved = False
        self.screen.modes.private.discard(2004)
        self.screen.parser.reset()

    def feed(self, data: bytes) -> None:
        self.screen.feed(data)

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(columns, rows)

    def display(self) -> list[str]:
        """Every row as it is seen, without what pads it at its end."""
        return [self.row(place) for place in range(self.rows)]

    def row(self, place: int) -> str:
        """One row as it is seen."""
        return "".join(self.screen.lines[place].texts).rstrip()

    def before_cursor(self) -> str:
        """What stands left of the cursor in its row."""
        x, y = self.cursor
        return "".join(self.screen.lines[y].texts[:x]).rstrip()

    def above_cursor(self, first: int) -> list[Written]:
        """The rows from `first` on that stand above the cursor."""
        return [row.written for row in self.screen.lines[first : self.screen.cursor.y]]

    def visible(self) -> list[Written]:
        return [row.written for row in self.screen.lines]

    def take_scrolled(self) -> list[Written]:
        """Rows that left at the top since the last call."""
        taken, self.screen.scrolled = self.screen.scrolled or [], []
        return taken

    def take_replies(self) -> list[bytes]:
        """What a terminal answers to questions of the program since the last call."""
        taken, self.screen.replies = self.screen.replies, []
        return taken


def joined(rows: list[Written]) -> list[str]:
    """Rows as the lines that they were before the terminal wrapped them."""
    lines: list[list[str]] = []
    goes_on = False
    for row in rows:
        if goes_on:
            lines[-1].append(row.text)
        else:
            lines.append([row.text])
        goes_on = row.wrapped
    return ["".join(parts) for parts in lines]
