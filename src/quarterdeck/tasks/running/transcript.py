"""What a terminal showed, as lines of the log: each line once, when it is finished."""

from __future__ import annotations

from collections.abc import Callable

from quarterdeck.fleet.terminals.cells import Written
from quarterdeck.tasks.running.screen import Reader

TRICKLE = 20
"""Lines a second once the log of an attempt is full."""
LONGEST = 16_000
"""Characters of a line; one that was wrapped longer goes on as the next."""


class Transcript:
    """A program that writes line by line is logged as its lines end, one that draws its screen as rows leave it, and
    what still stands at `flush`. After `most` bytes only some lines a second are kept, and how many were not is said.
    """

    def __init__(
        self, log: Callable[[list[str]], None], note: Callable[[str], None], now: Callable[[], float], most: int
    ) -> None:
        self._log, self._note, self._now = log, note, now
        self._left = most
        self._told: list[Written] = []
        """Rows that were logged, from the top of the screen on."""
        self._begun = ""
        self._blank = True
        self._full = False
        self._second = 0
        self._allowed = 0
        self._omitted = 0
        self.bytes = 0
        """Of what was logged."""

    def took(self, screen: Reader, scrolled: list[Written]) -> None:
        """After the screen was fed; `scrolled` are the rows that left it, but for those of which `left` was told."""
        lines: list[str] = []
        self._went(lines, scrolled)
        if not screen.moved and not self._full:
            # The last one that was logged may have been the cursor's own, and written on.
            first = max(0, len(self._told) - 1)
            for place, row in enumerate(screen.above_cursor(first), first):
                if place >= len(self._told) or self._told[place] != row:
                    self._add(lines, row)
                    self._told[place:] = [row]
        self._send(lines)

    def left(self, scrolled: list[Written]) -> None:
        """Rows left the screen, and others did after them."""
        lines: list[str] = []
        self._went(lines, scrolled)
        self._send(lines)

    def _went(self, lines: list[str], scrolled: list[Written]) -> None:
        for place, row in enumerate(scrolled):
            if place >= len(self._told) or self._told[place] != row:
                self._add(lines, row)
        del self._told[: len(scrolled)]

    def flush(self, screen: Reader) -> None:
        """Log what still stands there: the program has ended, or what follows is another stage."""
        lines: list[str] = []
        rows = screen.visible()
        while rows and not rows[-1].text.strip():
            rows.pop()
        for place, row in enumerate(rows):
            if place >= len(self._told) or self._told[place] != row:
                self._add(lines, row)
        self._told = rows
        if self._begun:
            lines.append(self._begun)
            self._begun = ""
        self._send(lines, always=True)

    def _add(self, lines: list[str], row: Written) -> None:
        text = self._begun + row.text
        self._begun = ""
        if row.wrapped and len(text) < LONGEST:
            self._begun = text
            return
        text = text.rstrip()
        if text or not self._blank:
            lines.append(text)
        self._blank = not text

    def _send(self, lines: list[str], *, always: bool = False) -> None:
        if not lines:
            return
        if self._full and not always:
            lines = self._some(lines)
        size = sum(map(len, lines)) + len(lines)
        self.bytes += size
        self._left -= size
        if lines:
            self._log(lines)
        if self._left <= 0 and not self._full:
            self._full = True
            self._note(
                f"The log of this attempt is full: from here on it keeps {TRICKLE} lines a second. "
                "The terminal shows everything."
            )

    def _some(self, lines: list[str]) -> list[str]:
        second = int(self._now())
        if second != self._second:
            self._second, self._allowed = second, TRICKLE
            if self._omitted:
                self._note(f"{self._omitted} lines were left out.")
                self._omitted = 0
        kept, self._omitted = lines[: self._allowed], self._omitted + max(0, len(lines) - self._allowed)
        self._allowed -= len(kept)
        return kept
