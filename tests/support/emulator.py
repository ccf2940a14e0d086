"""A terminal as somebody who watches has it: pyte, told bytes and sizes in their order."""

from __future__ import annotations

import copy
import random
from typing import NamedTuple

import pyte
from pyte.modes import DECAWM
from pyte.screens import Margins


class Size(NamedTuple):
    columns: int
    rows: int


class Reference(pyte.Screen):
    """pyte with what xterm does and it does not: the alternate screen, movements outside of the scroll region, a
    region that is given up, lines that nobody wrote to, no cells beyond the last column, which lines go when there
    are fewer, a saved cursor that can be restored again, with the origin mode that it was saved in, and which leaves
    it as it is whether lines wrap (xterm's `DECSC_FLAGS`; pyte would turn it on and never off).
    """

    _kept = None

    def set_mode(self, *modes, **kwargs):
        if kwargs.get("private") and 1049 in modes and self._kept is None:
            self.save_cursor()
            self._kept = {y: dict(line) for y, line in self.buffer.items()}
            self.buffer.clear()
        if kwargs.get("private") and 1048 in modes:
            self.save_cursor()
        super().set_mode(*modes, **kwargs)

    def reset_mode(self, *modes, **kwargs):
        if kwargs.get("private") and 1049 in modes and self._kept is not None:
            self.buffer.clear()
            for y, line in self._kept.items():
                self.buffer[y].update(line)
            self._kept = None
            self.restore_cursor()
        if kwargs.get("private") and 1048 in modes:
            self.restore_cursor()
        super().reset_mode(*modes, **kwargs)

    def cursor_up(self, count=None):
        margins = self.margins or Margins(0, self.lines - 1)
        self.cursor.y = max(self.cursor.y - (count or 1), margins.top if self.cursor.y >= margins.top else 0)

    def cursor_down(self, count=None):
        bottom = (self.margins or Margins(0, self.lines - 1)).bottom
        self.cursor.y = min(self.cursor.y + (count or 1), bottom if self.cursor.y <= bottom else self.lines - 1)

    def set_margins(self, top=None, bottom=None):
        super().set_margins(top, bottom)
        if top == 0 and bottom is None:
            self.cursor_position()

    def restore_cursor(self):
        saved = [one._replace(cursor=copy.copy(one.cursor)) for one in self.savepoints[-1:]]
        hidden, region, wraps = self.cursor.hidden, self.margins, DECAWM in self.mode
        self.reset_mode(6, private=True)
        if saved and not saved[0].origin:
            self.margins = None  # a place that was not counted from the region may be outside of it
        super().restore_cursor()
        if not saved:
            self.select_graphic_rendition(0)
        self.margins, self.savepoints = region, [*self.savepoints, *saved]
        self.cursor.hidden = hidden
        self._wrapping(on=wraps)

    def _wrapping(self, *, on):
        (self.mode.add if on else self.mode.discard)(DECAWM)

    def reset(self):
        self.savepoints.clear()
        super().reset()

    def set_tab_stop(self):
        self.tabstops.add(min(self.cursor.x, self.columns - 1))

    def resize(self, lines=None, columns=None):
        """Lines below the cursor go before those at the top; what was pushed over the last column never comes back."""
        for line in self.buffer.values():
            for x in [x for x in line if x >= self.columns]:
                del line[x]
        if lines is not None and lines < self.lines:
            gone = max(0, self.cursor.y + 1 - lines)
            self.buffer = self._moved(gone, lines)
            self.cursor.y -= gone
            self.lines = lines
            self.set_margins()
        super().resize(lines, columns)

    def _moved(self, gone, lines):
        kept = {y - gone: line for y, line in self.buffer.items() if gone <= y < gone + lines}
        self.buffer.clear()
        self.buffer.update(kept)
        return self.buffer

    def insert_lines(self, count=None):
        self._have_every_line()
        super().insert_lines(count)

    def delete_lines(self, count=None):
        self._have_every_line()
        super().delete_lines(count)

    def _have_every_line(self):
        """One that nobody wrote to would not move."""
        for y in range(self.lines):
            self.buffer.setdefault(y, self.buffer.default_factory())

    def delete_characters(self, count=None):
        self.buffer[self.cursor.y].pop(self.columns, None)
        super().delete_characters(count)


class RestoresWrapping(Reference):
    """What kitty and iTerm2 do and xterm does not: a cursor comes back with whether lines wrapped there."""

    def restore_cursor(self):
        super().restore_cursor()
        if self.savepoints:
            self._wrapping(on=self.savepoints[-1].wrap)


class Watcher:
    """Shows bytes; `seen` is everything that a person could tell."""

    def __init__(self, columns, rows, screen=Reference):
        self.screen = screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)

    def take(self, part):
        if isinstance(part, bytes):
            self.stream.feed(part)
        else:
            self.screen.resize(lines=part.rows, columns=part.columns)
        return self

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def seen(self):
        """Cells that are not blank, in their colours; the cursor, and how it writes."""
        screen = self.screen
        cells = {}
        for y in range(screen.lines):
            for x in range(screen.columns):
                cell = screen.buffer[y][x]
                if cell.data not in {" ", ""}:
                    cells[y, x] = cell
        cursor = screen.cursor
        return {
            "cells": cells,
            "size": (screen.columns, screen.lines),
            "cursor": (cursor.x, cursor.y, cursor.hidden, cursor.attrs._replace(data=" ")),
            "modes": screen.mode - {1048 << 5, 1049 << 5},
            "margins": screen.margins or Margins(0, screen.lines - 1),
            "title": screen.title,
        }


def noise(rng: random.Random, columns: int, rows: int) -> bytes:
    """One thing that a program may write."""

    def upto(most):
        return rng.randint(1, most)

    kinds = [
        lambda: rng.choice(["hello ", "build 42% ", "ünïcode ", "\re\u0301", "┌──┐", "x" * upto(columns * 2)]).encode(),
        lambda: b"\r\n" * upto(3),
        lambda: rng.choice([b"\r", b"\n", b"\b", b"\x07", b"\xff\xfe", b"\xe2\x94"]) + b"a",
        lambda: b"\x1b[%d;%dH" % (upto(rows), upto(columns)),
        lambda: b"\x1b[%d%c" % (upto(5), rng.choice(b"ABCDEFG@PXLMae")),
        lambda: b"\x1b[%dJ" % rng.choice([0, 1, 2]),
        lambda: b"\x1b[%dK" % rng.choice([0, 1, 2]),
        lambda: b"\x1b[%sm" % rng.choice([b"1", b"3;31", b"0", b"", b"38;5;%d" % upto(255), b"48;2;1;2;%d" % upto(255),
                                          b"7", b"27;4", b"24;39", b"95;104", b"9", b"22;49"]),
        lambda: b"\x1b[%d;%dr" % ((top := upto(rows - 1)), rng.randint(top + 1, rows)),
        lambda: b"\x1b[r\x1b[H",
        lambda: rng.choice([b"\x1bD", b"\x1bM"]),
        lambda: b"\x1b[r\x1b[%d;%dH\x1b7 saved \x1b[%d;1Hand\x1b8" % (upto(rows), upto(columns - 9), upto(rows)),
        lambda: b"\x1b[?%d%c" % (rng.choice([25, 2004, 1, 1000, 1006, 7]), rng.choice(b"hl")),
        lambda: b"\x1b[%d%c" % (rng.choice([4, 20]), rng.choice(b"hl")),
        lambda: rng.choice([b"\x1b]0;a title\x07", b"\x1b]2;another\x1b\\"]),
        lambda: b"\x1b[%dG\x1bH\t" % upto(columns),
        lambda: b"\x1b[3g" if rng.random() < 0.1 else b"\t",
    ]  # fmt: skip
    if rng.random() < 0.01:
        return b"\x1bc"
    return rng.choice(kinds)()


def stream_of(rng: random.Random, columns: int, rows: int, length: int) -> bytes:
    parts, size = [], 0
    while size < length:
        parts.append(noise(rng, columns, rows))
        size += len(parts[-1])
    return b"".join(parts)
