"""The newest output of a terminal, and what its screen showed before: enough to show it to somebody who comes late."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from quarterdeck.fleet.terminals.drawing import drawn
from quarterdeck.fleet.terminals.screen import Screen

REPLAYED = 256 << 10
"""Bytes that are kept unless the settings say another number (contract: tasks §7.6, `ptyReplayBytes`)."""
PIECE = 2 << 10
"""Bytes that are shown on a screen at a time: of the costliest some milliseconds' worth."""
MOST_PIECES = 16_384
"""Pieces that are kept at most, so that sizes without output between them cost no memory either."""
SMALLEST, LARGEST = (2, 1), (500, 300)
"""Columns and rows."""
log = structlog.get_logger("quarterdeck.terminals")


class Size(NamedTuple):
    columns: int
    rows: int

    @property
    def sound(self) -> bool:
        return SMALLEST[0] <= self.columns <= LARGEST[0] and SMALLEST[1] <= self.rows <= LARGEST[1]


Part = bytes | Size


@dataclass(frozen=True, slots=True)
class Replay:
    """`parts` in their order, for a terminal of `size`; afterwards it stands at `offset`. `fresh`: they begin with a
    reset and a picture of all that is not kept; otherwise they go on where somebody stopped.
    """

    size: Size
    parts: tuple[Part, ...]
    offset: int
    fresh: bool

    @property
    def length(self) -> int:
        """Bytes."""
        return sum(len(part) for part in self.parts if isinstance(part, bytes))


class History:
    """Bytes are counted from the beginning of the terminal: `head` is how many there were. What is no longer kept
    (before `base`) has gone into a screen, whose picture begins every replay: so none begins inside a sequence or a
    character, and none lacks a mode that was set long ago.
    """

    def __init__(self, size: Size, limit: int = REPLAYED) -> None:
        self.size = size
        self.limit = limit
        self.base = self.head = 0
        self._before = Screen(*size)
        self._pieces: deque[Part] = deque()
        self._open = bytearray()
        self._picture: bytes | None = None

    def add(self, data: bytes) -> None:
        self.head += len(data)
        self._open += data
        if len(self._open) >= PIECE:
            whole = len(self._open) - len(self._open) % PIECE
            self._pieces.extend(bytes(self._open[at : at + PIECE]) for at in range(0, whole, PIECE))
            del self._open[:whole]
            self._let_go()

    def resize(self, size: Size) -> None:
        if size != self.size:
            self.size = size
            self._close()
            self._pieces.append(size)
            self._let_go()

    def restart(self, offset: int, size: Size, picture: bytes, before: Screen | None = None) -> None:
        """Begin anew at an offset, with a picture that somebody else made of what came before. `before`: a screen of
        that size which shows it already.
        """
        self.size = size
        self.base = self.head = offset
        self._pieces.clear()
        self._open.clear()
        self._picture = None
        self._before = before or Screen(*size)
        if before is None:
            self._show(picture)

    def whole(self) -> Replay:
        begin = Size(self._before.columns, self._before.rows)
        if self._picture is None:
            self._picture = drawn(self._before)
        return Replay(begin, (self._picture, *self._kept()), self.head, fresh=True)

    def since(self, offset: int) -> Replay | None:
        """What came after an offset; None where that is not kept, or has not been."""
        if not self.base <= offset <= self.head:
            return None
        size, at = Size(self._before.columns, self._before.rows), self.base
        parts: list[Part] = []
        for piece in self._kept():
            if isinstance(piece, Size):
                if at <= offset:
                    size = piece
                else:
                    parts.append(piece)
            else:
                if at + len(piece) > offset:
                    parts.append(piece[max(offset - at, 0) :])
                at += len(piece)
        return Replay(size, tuple(parts), self.head, fresh=False)

    def _kept(self) -> Iterator[Part]:
        yield from self._pieces
        if self._open:
            yield bytes(self._open)

    def _close(self) -> None:
        if self._open:
            self._pieces.append(bytes(self._open))
            self._open.clear()

    def _let_go(self) -> None:
        """Of the oldest pieces as many as there are too much. A piece without which too little were left stays."""
        while self._pieces:
            oldest = self._pieces[0]
            if len(self._pieces) <= MOST_PIECES and (
                isinstance(oldest, bytes) and self.head - self.base - len(oldest) < self.limit
            ):
                return
            self._pieces.popleft()
            if isinstance(oldest, Size):
                self._picture = None
                self._before.resize(*oldest)
            else:
                self.base += len(oldest)
                self._show(oldest)

    def _show(self, data: bytes) -> None:
        """Bytes are counted whatever the screen makes of them: one that fails begins anew, and the log says why."""
        self._picture = None
        try:
            self._before.feed(data)
        except Exception:  # nothing that a program writes may end or shift its terminal
            log.exception("terminal_screen_failed", base=self.base, size=len(data))
            self._before = Screen(self._before.columns, self._before.rows)
