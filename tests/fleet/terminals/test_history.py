"""What a late viewer is shown is what a watcher saw."""

from __future__ import annotations

import random

import pytest

from quarterdeck.fleet.terminals.drawing import PICTURE
from quarterdeck.fleet.terminals.history import LARGEST, MOST_PIECES, PIECE, REPLAYED, History, Size
from quarterdeck.fleet.terminals.screen import Screen
from support.emulator import Size as Told
from support.emulator import Watcher, noise
from support.run import SEED


def shown(watcher, replay):
    """A viewer is given a replay."""
    for part in replay.parts:
        watcher.take(part if isinstance(part, bytes) else Told(*part))
    return watcher


def burst(rng, sizes, length):
    """Bytes and sizes of a busy program that draws anew, from a place that it names, whenever its size changes."""
    size, parts, written = Told(80, 24), [], 0
    for _ in range(sizes):
        text = b""
        while len(text) < length // sizes:
            text += noise(rng, *size).replace(b"\t", b" ") + b"some more of the usual output\r\n" * 5
        parts += [text + b"\x1b[r\x1b[1;1H", size := Told(rng.randint(10, 160), rng.randint(4, 50)), b"\x1b[1;1H"]
        written += len(text)
    return parts


@pytest.mark.parametrize(("limit", "sizes", "length"), [(REPLAYED, 200, 1 << 20), (4096, 40, 80_000)])
def test_a_mebibyte_with_two_hundred_sizes_is_replayed_as_it_was_watched(limit, sizes, length):
    rng = random.Random(f"{SEED}-{limit}")  # noqa: S311 - to be repeated, not to be secret
    parts = burst(rng, sizes, length)
    history, watched = History(Size(80, 24), limit), Watcher(80, 24)
    for part in parts:
        if isinstance(part, bytes):
            for start in range(0, len(part), 3000):
                history.add(part[start : start + 3000])
        else:
            history.resize(Size(*part))
        watched.take(part)
    replay = history.whole()
    assert history.head == sum(len(part) for part in parts if isinstance(part, bytes)) > length
    assert history.head - history.base < limit + 2 * PIECE
    late = shown(Watcher(*replay.size), replay)
    assert late.seen == watched.seen


def test_who_comes_back_gets_what_came_meanwhile_and_nothing_twice():
    rng = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    history, watched, late = History(Size(40, 10), 20_000), Watcher(40, 10), Watcher(40, 10)
    seen = 0
    for _ in range(60):
        data = noise(rng, 40, 10) * rng.randint(1, 20)
        history.add(data)
        watched.take(data)
        if rng.random() < 0.3:
            replay = history.since(seen)
            assert not replay.fresh
            assert replay.length == history.head - seen
            late = shown(late, replay)
            seen = replay.offset
    assert shown(late, history.since(seen)).seen == watched.seen


def test_sizes_between_are_told_to_who_comes_back():
    history = History(Size(40, 10))
    history.add(b"one")
    history.resize(Size(50, 12))
    history.add(b"two")
    history.resize(Size(60, 14))
    assert history.since(0).parts == (b"one", Size(50, 12), b"two", Size(60, 14))
    assert history.since(0).size == Size(40, 10)
    assert (history.since(3).size, history.since(3).parts) == (Size(50, 12), (b"two", Size(60, 14)))
    assert (history.since(6).size, history.since(6).parts) == (Size(60, 14), ())
    assert history.since(4).parts == (b"wo", Size(60, 14))


def test_what_was_not_or_is_not_kept_cannot_be_gone_on_from():
    history = History(Size(40, 10), 4096)
    history.add(b"x" * 100_000)
    assert history.since(0) is None
    assert history.since(history.base - 1) is None
    assert history.since(history.base) is not None
    assert history.since(history.head + 1) is None


def test_sizes_without_output_cost_no_memory():
    history = History(Size(40, 10))
    history.add(b"\x1b[31mred")
    for number in range(3 * MOST_PIECES):
        history.resize(Size(40 + number % 100, 10))
    assert len(history.whole().parts) <= MOST_PIECES + 1
    late = shown(Watcher(*history.whole().size), history.whole())
    assert late.text == "red"


def test_a_picture_stands_for_what_was_lost():
    first = History(Size(30, 5), 4096)
    first.add(b"\x1b[1;4H\x1b[32mgreen\x1b[?2004h" + b"\x07" * 20_000)
    whole = first.whole()
    second = History(Size(80, 24))
    second.restart(first.base, whole.size, whole.parts[0])
    for part in whole.parts[1:]:
        second.add(part)
    assert second.head == first.head
    assert shown(Watcher(30, 5), second.whole()).seen == shown(Watcher(30, 5), whole).seen


def test_the_largest_screen_in_all_colours_is_a_bounded_picture():
    history = History(Size(*LARGEST), 4096)
    for y in range(LARGEST[1]):
        line = b"".join(b"\x1b[38;2;%d;%d;%dmx" % (y % 256, x % 256, x % 7) for x in range(LARGEST[0]))
        history.add(b"\x1b[%d;1H%s" % (y + 1, line))
    assert history.whole().length < 4 << 20


def test_colours_of_any_length_cost_neither_memory_nor_the_next_viewer_anything():
    """Half a megabyte of output was a replay of 150, for each viewer."""
    history = History(Size(120, 40), 4096)
    history.add(b"\x1b[38:" + b"1" * 65_000 + b"m\x1b7")
    for y in range(40):
        history.add(b"".join(b"\x1b8\x1b[%d;%dHA\x1b[0mB" % (y + 1, x + 1) for x in range(0, 120, 2)))
    history.add(b"\0" * 40_000)
    assert history.whole().length < 100_000


def test_a_picture_is_bounded_whatever_the_screen_shows():
    """Every cell of the largest screen in another look: it is drawn without colours, and nothing is cut off."""
    history = History(Size(*LARGEST), 4096)
    looks = b"\x1b[1;2;3;4;5;7;9;53;38;2;%d;255;255;48;2;255;255;%dmA\x1b[0;38;2;1;2;%dmB"
    for y in range(LARGEST[1]):
        history.add(b"\x1b[%d;1H" % (y + 1) + b"".join(looks % (x % 256, y, x % 256) for x in range(LARGEST[0] // 2)))
    history.add(b"\0" * 10_000)
    assert history.whole().length < PICTURE
    assert shown(Watcher(*LARGEST), history.whole()).text == "\n".join(["AB" * 250] * LARGEST[1])


def test_a_screen_that_fails_loses_no_byte_and_shifts_no_offset(monkeypatch):
    history = History(Size(40, 10), 4096)
    fed = Screen.feed

    def fails(screen, data):
        if b"bad" in data:
            raise ValueError("a fault of the emulator")
        fed(screen, data)

    monkeypatch.setattr(Screen, "feed", fails)
    total = 0
    for word in (b"good ", b"bad ", b"good "):
        for _ in range(20):
            history.add(word * 200)
            total += len(word) * 200
    history.add(b"\x1b[2J\x1b[Hshown")
    total += len(b"\x1b[2J\x1b[Hshown")
    whole = history.whole()
    assert history.head == total == whole.offset
    assert history.base + sum(len(part) for part in whole.parts[1:]) == total
    assert history.since(history.base).length == total - history.base
    assert shown(Watcher(*whole.size), whole).text == "shown"
