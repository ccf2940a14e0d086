"""A character that is repeated (`CSI n b`) is the character written so often, on the screen and in what left it."""

from __future__ import annotations

import random
import time

import pytest

from quarterdeck.fleet.terminals.drawing import drawn
from quarterdeck.fleet.terminals.screen import Screen
from support.emulator import Watcher
from support.run import SEED


def place(rng, columns, rows):
    """Something that makes another place of the next character."""
    top = rng.randint(1, rows - 1)
    return rng.choice(
        [
            b"\x1b[%d;%dr" % (top, rng.randint(top + 1, rows)),
            b"\x1b[r",
            b"\x1b[%d;%dH" % (rng.randint(1, rows), rng.randint(1, columns)),
            b"\x1b[%d;%dH" % (rows, columns),
            b"\x1b[4%dm" % rng.randint(0, 8),
            b"abc\r\n",
            b"\x1b[2J",
            "漢漢".encode(),
            rng.choice([b"\x1b[?7l", b"\x1b[?7h", b"\x1b[?1049h", b"\x1b[?1049l"]),
        ]
    )


def told(screen):
    return drawn(screen), [row.written for row in screen.lines], screen.scrolled


@pytest.mark.parametrize("number", range(60))
def test_what_is_repeated_anywhere_is_what_is_written(number):
    rng = random.Random(f"{SEED}-{number}")  # noqa: S311 - to be repeated, not to be secret
    columns, rows = rng.randint(4, 12), rng.randint(2, 7)
    repeated, written = Screen(columns, rows), Screen(columns, rows)
    repeated.scrolled, written.scrolled = [], []
    for _ in range(5):
        begun = (
            b"".join(place(rng, columns, rows) for _ in range(3)) + (one := rng.choice(["x", "漢", "é", "─"])).encode()
        )
        count = rng.choice([1, 2, columns, columns + 1, columns * rows - 1, columns * rows, rng.randint(1, 80)])
        repeated.feed(begun + b"\x1b[%db" % count)
        for byte in begun + one.encode() * min(count, columns * rows):
            written.feed(bytes([byte]))
        assert told(repeated) == told(written)


@pytest.mark.parametrize(
    ("before", "begun"),
    [
        ("é" * 40, "\x1b[1;4Hé"),
        ("é" * 40, "\x1b[1;1H漢"),
        ("漢" * 16, "\x1b[1;1H漢"),
        ("漢" * 16, "\x1b[1;1Hx"),
        ("x" * 40, "\x1b[2;3r\x1b[4;1H漢"),
    ],
)
def test_a_line_that_is_only_written_over_goes_on_where_it_did(before, begun):
    for count in range(1, 50):
        repeated, written = Screen(7, 6), Screen(7, 6)
        repeated.feed(f"{before}{begun}\x1b[{count}b".encode())
        for byte in f"{before}{begun}{begun[-1] * min(count, 7 * 6)}".encode():
            written.feed(bytes([byte]))
        assert told(repeated) == told(written), count


@pytest.mark.parametrize(
    "begun", [b"", b"\x1b[3;1H", b"\x1b[2;4r\x1b[3;1H", b"\x1b[1;3r\x1b[5;1H", b"\x1b[44m\x1b[6;1H"]
)
@pytest.mark.parametrize(("columns", "one"), [(9, "x"), (10, "x"), (10, "漢"), (7, "─")])
def test_what_is_repeated_is_what_pyte_shows_of_it_written(begun, columns, one):
    for count in (1, columns - 1, columns, 2 * columns + 3, 5 * columns, 6 * columns):
        screen, watched = Screen(columns, 6), Watcher(columns, 6)
        screen.feed(b"first\r\nsecond\r\n" + begun + one.encode() + b"\x1b[%dbz" % count)
        watched.take(b"first\r\nsecond\r\n" + begun + (one * (1 + count)).encode() + b"z")
        assert Watcher(columns, 6).take(drawn(screen)).seen == watched.seen, count


def test_a_screenful_of_it_costs_about_a_line():
    """Also of what left at the top; and what is shared by many lines is no longer once somebody writes to one."""
    data = "一\x1b[9999b".encode() * 1000

    def took():
        screen = Screen(120, 40)
        screen.scrolled = []
        begun = time.process_time()
        screen.feed(data)
        return time.process_time() - begun, screen

    seconds, screen = min((took() for _ in range(3)), key=lambda one: one[0])
    assert seconds < 0.15, "it was 0.3 seconds"
    assert len(screen.scrolled) > 50_000
    before = [row.written for row in screen.lines]
    screen.feed(b"\x1b[10;1Hx")
    assert [row.written for y, row in enumerate(screen.lines) if y != 9] == before[:9] + before[10:]
