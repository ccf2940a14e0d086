"""A screen drawn anew, and what follows it, shows what all bytes show: pyte is the judge."""

from __future__ import annotations

import random

import pytest

from quarterdeck.fleet.terminals.cells import Look
from quarterdeck.fleet.terminals.drawing import drawn
from quarterdeck.fleet.terminals.screen import Screen
from support.emulator import Reference, RestoresWrapping, Size, Watcher, noise, stream_of
from support.run import SEED


def pieces(rng, data):
    at = 0
    while at < len(data):
        until = at + rng.choice([1, 2, 7, 40, 1000])
        yield data[at:until]
        at = until


@pytest.mark.parametrize("number", range(40))
def test_a_stream_that_is_cut_anywhere_is_drawn_and_goes_on_as_if_it_had_been_watched(number):
    rng = random.Random(f"{SEED}-{number}")  # noqa: S311 - to be repeated, not to be secret
    columns, rows = rng.randint(10, 60), rng.randint(3, 20)
    data = stream_of(rng, columns, rows, rng.randint(50, 6000))
    cut, emulator = rng.randint(0, len(data)), rng.choice([Reference, RestoresWrapping])
    screen = Screen(columns, rows)
    for piece in pieces(rng, data[:cut]):
        screen.feed(piece)
    watched = Watcher(columns, rows, emulator).take(data[:cut])
    late = Watcher(columns, rows, emulator).take(b"rubbish \x1b[31;1m\x1b[?25l").take(drawn(screen))
    assert late.seen == watched.seen
    late.take(data[cut:])
    watched.take(data[cut:])
    assert late.seen == watched.seen


def test_two_hundred_sizes_are_drawn_as_they_were_watched():
    rng = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    size = Size(80, 24)
    screen, watched = Screen(*size), Watcher(*size)
    for _ in range(200):
        size = Size(rng.randint(10, 200), rng.randint(4, 60))
        text = b"".join(noise(rng, *size) for _ in range(rng.randint(1, 30))).replace(b"\t", b" ")
        # A program that is told of a size begins at a place that it names.
        data = b"\x1b[1;1H" + text + b"\x1b[r\x1b[1;1H"
        screen.resize(*size)
        screen.feed(data)
        watched.take(size).take(data)
        assert Watcher(*size).take(drawn(screen)).seen == watched.seen


def seen_alike(size: tuple[int, int], data: bytes, cut: int, emulator: type[Reference] = Reference) -> None:
    """Assert that whoever comes at the cut sees what a watcher sees, then and at the end."""
    screen = Screen(*size)
    screen.feed(data[:cut])
    late, watched = Watcher(*size, emulator).take(drawn(screen)), Watcher(*size, emulator).take(data[:cut])
    assert late.seen == watched.seen
    assert late.take(data[cut:]).seen == watched.take(data[cut:]).seen


@pytest.mark.parametrize("cut", range(0, 120, 3))
def test_the_alternate_screen_and_the_one_below_it_are_both_drawn(cut):
    data = (
        b"shell$ vim\r\n\x1b[33mcolour\x1b[?1049h\x1b[2J\x1b[2;4r\x1b[?2004h\x1b[?25l\x1b[3;5H\x1b[1;44mediting\x1b[K"
        b"\x1b[r\x1b[0m\x1b[?1049l more\r\n"
    )
    seen_alike((30, 6), data, cut)


def again(data, columns=20, rows=4):
    """A screen of the bytes, and one of its drawing."""
    first, second = Screen(columns, rows), Screen(columns, rows)
    first.feed(data)
    second.feed(drawn(first))
    return first, second


def shape(screen):
    rows = [(row.texts, row.looks) for row in screen.lines]
    return (
        rows,
        screen.cursor,
        screen.saved,
        screen.modes,
        screen.top,
        screen.bottom,
        screen.stops,
        screen.parser.pending,
        screen.last,
    )


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b[2;3r\x1b[?6h\x1b[1;5Hin the region",
        b"\x1b(0lqqk\x1b)0\x0e",
        b"\x1b[42m\x1b[2J\x1b[0mgreen",
        b"\x1b[4:3mcurly\x1b[38:2::1:2:3mtrue colour",
        "日本語の端末テスト入力文字列".encode(),
        "全角".encode() + b"\x1b[2Gx",
        b"twenty columns of it" + "\u0301".encode(),
        b"\x1b[5 q\x1b=\x1b[?1h\x1b[?1000h\x1b[?1006h\x1b[?5h",
        b"\x1b[3g\x1b[5G\x1bH\x1b[12G\x1bH\x1b[1G",
        b"\x1b[3;3H\x1b[35m\x1b(0\x1b7\x1b[0m\x1b(B\x1b[1;1Hx",
        b"a\x1b[5b\x1b[S\x1b[2T\x1b[Z",
        b"\x1bP1$r0m\x1b\\after\x1b_secret\x9c\x1b]8;;http://x\x07link",
        b"\x1b[1\n;3Hx\x1b[2\x18y\x1b[3\x1b[4mz",
        b"\x1b[12",
        b"\x1b]0;an unfinished ti",
        b"\xe6\x97",
        b"\x1bP" + b"q" * 100_000,
        # The character that can be repeated: before the cursor, elsewhere, nowhere any more.
        b"repeat\x1b[2",
        b"repeat\x1b[1;2Hx\x1b[1;1H",
        b"repeat\x1b[31m\x1b[4h\x1b[?7l\x1b[3;3H",
        b"gone\x1b[44m\x1b[2J",
        "repeat 漢\x1b[1;1H\x1b[P".encode(),
        "gone 漢\x1b[2J\x1b[45mfull\x1b[2;1H".encode() + b"x" * 60 + "漢\r\x1b[4;1H\x1b[K".encode(),
        "cafe\u0301".encode(),
        b"twenty columns of ite" + "\u0301\x1b[1;20H".encode(),
        # A tab stop where a line waits to wrap.
        b"twenty columns of it\x1bH\r",
        b"twenty columns of it\x1bH\x1b[g\x1b[2;5H\x1bH",
        # Saved in origin mode, and restored in another one or to another region.
        b"\x1b[2;3r\x1b[?6h\x1b[2;4H\x1b7\x1b[?6l\x1b[3;3Hx",
        b"\x1b[2;3r\x1b[?6h\x1b[?1048l",
        b"\x1b[1;2r\x1b[?6h\x1b[2;4H\x1b[?1048h\x1b[3;4r\x1b[?1048l",
        b"\x1b[2;3r\x1b[3;2H\x1b7\x1b[?6h\x1b[?1049hx\x1b7",
        # Saved where lines do not wrap, and gone on where they do.
        b"\x1b[?7l\x1b7\x1b[?7h",
        b"\x1b[2;3r\x1b[?6h\x1b[?7l\x1b[2;4H\x1b7\x1b[?7hx",
        b"\x1b[?7l\x1b[2;4H\x1b[?1049h\x1b[?7hx\x1b7",
    ],
)  # fmt: skip
def test_what_pyte_does_not_know_is_drawn_as_well(data):
    first, second = again(data)
    assert shape(second) == shape(first)


MORE = (
    *(b"\x1b[9b", b"\x1b[300b", b"\x1bH", b"\t", b"\x1b[Z", b"\x1b[g", b"\x1b7", b"\x1b8", b"\x1b[?6h", b"\x1b[?6l"),
    *(b"\x1b[?1048h", b"\x1b[?1048l", b"\x1b[?1049h", b"\x1b[?1049l", b"full width" * 4, b"\x1b[?1048lx\x1b[3b"),
)


def has_room(screen):
    """Whether a character can be written somewhere and erased again."""
    cells = ((text, look) for row in screen.lines for text, look in zip(row.texts, row.looks, strict=True))
    return any(text == " " and look == Look(back=look.back) for text, look in cells)


@pytest.mark.parametrize("number", range(15))
def test_what_follows_a_drawn_screen_does_what_it_did(number):
    """Also what pyte knows nothing of: repeating, tab stops anywhere, origins."""
    rng = random.Random(f"{SEED}-again-{number}")  # noqa: S311 - to be repeated, not to be secret
    watched = Screen(20, 5)
    for _ in range(200):
        late = Screen(20, 5)
        late.feed(drawn(watched))
        if watched.last and watched.cursor.x < 20 and has_room(watched):
            assert late.last == watched.last
        late.last = watched.last
        part = rng.choice([noise(rng, 20, 5), rng.choice(MORE)])
        for screen in (watched, late):
            screen.feed(part)
        assert shape(late) == shape(watched)


@pytest.mark.parametrize("cut", range(0, 90, 2))
def test_a_cursor_that_was_saved_in_origin_mode_comes_back_in_it(cut):
    data = (
        b"\x1b[2;4r\x1b[?6h\x1b[3;3Hin\x1b[?1048h\x1b[?6l\x1b[6;1Hout\x1b[?1048lback\x1b[1;1Htop"
        b"\x1b[1;3r\x1b[?1048l again\x1b[?6l\x1b[5;2H\x1b7\x1b[2;3r\x1b[?6hx\x1b8out"
    )
    seen_alike((20, 6), data, cut)


@pytest.mark.parametrize("emulator", [Reference, RestoresWrapping])
@pytest.mark.parametrize("saving", [(b"\x1b7", b"\x1b8"), (b"\x1b[?1049h", b"\x1b[?1049l")])
def test_lines_that_do_not_wrap_do_not_wrap_once_a_cursor_is_restored(saving, emulator):
    """Wherever the stream is cut, also between saving and restoring."""
    save, restore = saving
    data = b"\x1b[?7l\x1b[2;9H" + save + b" saved \x1b[3;1Hand" + restore + b"longer than the line\x1b[?7h" + b"x" * 9
    for cut in range(len(data) + 1):
        seen_alike((12, 4), data, cut, emulator)


@pytest.mark.parametrize("emulator", [Reference, RestoresWrapping])
@pytest.mark.parametrize(("saved", "then"), [(b"l", b"h"), (b"h", b"l")])
def test_a_cursor_is_drawn_as_saved_with_whether_lines_wrapped_then(saved, then, emulator):
    """Until it is restored. What holds afterwards is xterm's to say: emulators disagree, and what is drawn is its."""
    before = b"\x1b[?7" + saved + b"\x1b[2;9H\x1b7\x1b[?7" + then + b"\x1b[3;1Hand"
    data = before + b"\x1b8longer than the line"
    for cut in range(len(before if emulator is RestoresWrapping else data) + 1):
        seen_alike((12, 4), data, cut, emulator)


def test_no_half_of_a_wide_character_stays():
    first, _ = again("全角文字".encode() + b"\x1b[2Gx\x1b[5G\x1b[P")
    assert "".join(first.lines[0].texts).rstrip() == " x角 字"


def test_an_endless_sequence_is_not_kept():
    screen = Screen(20, 4)
    screen.feed(b"\x1b]0;" + b"x" * 1_000_000)
    assert screen.parser.pending == b"\x1b]"
    screen.feed(b"\x07shown")
    assert "".join(screen.lines[0].texts).rstrip() == "shown"
