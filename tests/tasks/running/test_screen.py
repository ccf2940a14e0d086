"""The screen shows what pyte, a terminal of other authors, shows for the same bytes."""

from __future__ import annotations

import random

import pyte
import pytest

from quarterdeck.tasks.running.screen import Reader, joined

COLUMNS, ROWS = 20, 10


def told(screen: Reader, data: str, rng: random.Random) -> None:
    rest = data.encode()
    while rest:
        size = rng.choice([1, 3, 9, 400])
        screen.feed(rest[:size])
        rest = rest[size:]


def piece(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.5:
        return "".join(rng.choice("abc déé[]x ") for _ in range(rng.randint(1, 50)))
    if kind < 0.7:
        return rng.choice(
            ["\r\n", "\n", "\r", "\b", "\t", "plain\r\nlines\r\n\r\nof text\n", "\x1b]0;a title\x07", "\x1b[38;5;9m"]
        )
    if kind < 0.75:
        return rng.choice(["\x1b7\x1b[3;4Habc\x1b8", "\x1bM", "\x1bD", "\x1b[2;6r\x1b[5Hin\r\nside\r\nit\x1b[r\x1b[H"])
    final = rng.choice("ABCDEFGHJKLMPXdf")
    if final in "JK":
        return f"\x1b[{rng.randint(0, 2)}{final}"
    if final in "Hf":
        return f"\x1b[{rng.randint(0, 12)};{rng.randint(0, 22)}{final}"
    return f"\x1b[{rng.choice(['', '1', '2', '3', '7', '30'])}{final}"


@pytest.mark.parametrize("seed", range(300))
def test_it_shows_what_another_terminal_shows(seed):
    rng = random.Random(seed)  # noqa: S311 - repeatable
    ours, theirs = Reader(COLUMNS, ROWS), pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(theirs)
    for _ in range(rng.randint(1, 80)):
        one = piece(rng)
        if ours.cursor[0] == COLUMNS - 1 and not one[0].isalnum():
            # Terminals differ in what a movement does to a wrap that is still to come.
            told(ours, "\r", rng)
            stream.feed("\r")
        told(ours, one, rng)
        stream.feed(one)
        assert ours.display() == [line.rstrip() for line in theirs.display]
    assert ours.cursor == (min(theirs.cursor.x, COLUMNS - 1), theirs.cursor.y)


def test_characters_are_pushed_aside_and_out_of_the_row():
    screen = Reader(6, 2)
    screen.feed(b"abcdef\x1b[1;2H\x1b[2@\x1b[P")
    assert screen.display() == ["a bcd", ""]


def test_wide_characters_take_two_cells_and_never_half_of_one():
    screen = Reader(7, 4)
    screen.feed("漢字漢字e\u0301".encode())
    assert screen.display()[:2] == ["漢字漢", "字\u00e9"]
    assert joined(screen.visible())[0] == "漢字漢字\u00e9"


def test_wrapped_rows_are_one_line_again_also_after_they_left():
    screen = Reader(10, 3)
    screen.feed(b"0123456789ABC def\r\nnext\r\n\r\n\r\nlast")
    assert joined([*screen.take_scrolled(), *screen.visible()]) == ["0123456789ABC def", "next", "", "", "last"]


def test_the_other_screen_of_a_full_screen_program_leaves_the_first_one_alone():
    screen = Reader(20, 4)
    screen.feed(b"before\r\n\x1b[?1049h\x1b[2J\x1b[Hinside")
    assert screen.display()[0] == "inside"
    screen.feed(b"\x1b[?1049l")
    assert screen.display()[0] == "before"
    assert screen.moved


def test_questions_of_a_program_are_answered_as_a_terminal_answers_them():
    screen = Reader(20, 4)
    screen.feed(b"ab\x1b[6n\x1b[c\x1b[5n\x1b[?2004h")
    assert screen.take_replies() == [b"\x1b[1;3R", b"\x1b[?62;22c", b"\x1b[0n"]
    assert screen.bracketed_paste


def test_a_sequence_that_never_ends_is_not_kept_for_ever():
    screen = Reader(20, 4)
    screen.feed(b"\x1b]0;")
    for _ in range(40):
        screen.feed(b"x" * 4000)
    assert screen.screen.parser.pending == b"\x1b]"


def test_a_resize_keeps_what_was_there():
    screen = Reader(20, 4)
    screen.feed(b"1\r\n2\r\n3\r\n4")
    screen.resize(10, 2)
    assert screen.display() == ["3", "4"]
    assert [row.text for row in screen.take_scrolled()] == ["1", "2"]
    screen.resize(30, 5)
    assert screen.display() == ["3", "4", "", "", ""]
