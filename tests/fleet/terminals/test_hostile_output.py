"""Output that nobody vouches for: whatever a program writes, a screen is done with it soon, and shows what follows."""

from __future__ import annotations

import time

import pytest

from quarterdeck.fleet.terminals.drawing import drawn
from quarterdeck.fleet.terminals.screen import Screen

LARGE = (500, 300)
MOST_SECONDS = 1.5
"""Of processor time for 8 KiB; what is written here took from 2 seconds to hours."""


def took(data, size=LARGE, before=b""):
    screen = Screen(*size)
    screen.feed(before)
    begun = time.process_time()
    screen.feed(data)
    return time.process_time() - begun, screen


@pytest.mark.parametrize(
    ("before", "data"),
    [
        (b"\x1b[" + b"1" * 60_000, b"\x7f" * 8192),
        (b"\x1b[" + b"1" * 60_000, b"\n" * 8192),
        (b"\x1b#" + b" " * 60_000, b"\n" * 8192),
        (b"", b"\x1b]" * 65_536),
        (b"\x1b]" * 32_000, b"\x1b]" * 32_768),
        (b"\x1b]0;" + b"x" * 60_000, b"\x1b" * 8192),
        (b"", b"\r" * 65_536),
        ("漢".encode(), b"\x1b[9999b" * 1170),
        ("漢".encode(), b"\x1b[4h" + b"\x1b[9999b" * 1170),
        (b"a", b"\x1b[9999b" * 1170),
        (b"", b"\r\x1b[9999I" * 1020),
        (b"", b"\x1b#8" * 2700),
        (b"", b"\x1b#8\x1b[2J" * 1170),
        (b"", b"\x1b[2J" * 2048),
        (b"", b"\x1bc" * 4096),
        (b"", b"\x1b[300S" * 1360),
        (b"", b"\x1b[9999L\x1b[9999M" * 580),
        (b"", b"\x1b[?47h\x1b[?47l" * 680),
        (b"", b"\x1b[9999@x" * 1024),
        (b"", ("a" + "\u0301" * 4000).encode()),
    ],
)  # fmt: skip
def test_no_output_costs_more_than_its_length(before, data):
    assert min(took(data, before=before)[0] for _ in range(2)) < MOST_SECONDS


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b[" + b"9" * 5000 + b"A",
        b"\x1b[" + b"9;" * 5000 + b"m",
        b"\x1b[?" + b"9" * 5000 + b"h",
        b"\x1b[38:" + b"1" * 5000 + b"m",
        b"\x1b[" + b"9" * 5000,
        b"\x1b\x1b",
        b"\x1b[3\x1b",
        b"\x1b(\x1b",
        b"\x1b]0;title\x1b",
        b"\x1bPq\x1b\x1b",
        b"\x1b[1\x18",
    ],
)  # fmt: skip
def test_what_is_no_sequence_hides_nothing_that_follows(data):
    screen = Screen(20, 4)
    screen.feed(data + b"\x1b[2;3Hshown")
    assert "".join(screen.lines[1].texts).rstrip() == "  shown"


def test_a_character_repeated_is_the_character_written_again():
    for cells, character in ((1, "x"), (2, "漢")):
        for columns in (7, 8):
            for count in (1, 3, 4, 9, 24, 25):
                repeated, written = Screen(columns, 4), Screen(columns, 4)
                for screen in (repeated, written):
                    screen.feed(b"\x1b#8ab" + character.encode())
                repeated.feed(b"\x1b[%db" % count)
                for _ in range(min(count, columns * 4)):
                    written.feed(character.encode())
                assert drawn(repeated) == drawn(written), (cells, columns, count)
                assert [row.written for row in repeated.lines] == [row.written for row in written.lines]


@pytest.mark.parametrize("at", [b"", b"\n\n\n", b"\x1b[3;1Habc\r", b"\x1b[32m\x1b[44m"])
def test_a_flood_of_lines_is_what_its_lines_are(at):
    data = b"".join(b"line %d of them%s" % (number, b"\r" * (number % 3) + b"\r\n") for number in range(30))
    flooded, written = Screen(30, 5), Screen(30, 5)
    for screen in (flooded, written):
        screen.scrolled = []
        screen.feed(at)
    flooded.feed(data)
    for place in range(len(data)):
        written.feed(data[place : place + 1])
    assert drawn(flooded) == drawn(written)
    assert flooded.scrolled == written.scrolled
