from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from console.ledgerside import NOW
from quarterdeck.console import words
from quarterdeck.console.ansi import coloured


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.31, "0.3 s"), (48, "48.0 s"), (71.9, "1 m 11 s"), (7500, "2 h 05 m"), (273_600, "3 d 4 h")],
)
def test_a_duration_reads_with_its_units(seconds: float | None, text: str) -> None:
    assert words.took(seconds) == text


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=-10), "just now"),
        (timedelta(minutes=18), "18 min ago"),
        (timedelta(hours=5, minutes=40), "6 h ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=200), "6 May 2026"),
        (timedelta(minutes=-24), "in 24 min"),
        (timedelta(hours=-24), "in 1 day"),
        (timedelta(hours=-60), "in 2 days"),
        (timedelta(days=-6), "in 6 days"),
    ],
)
def test_a_time_is_said_as_a_person_says_it(gap: timedelta, text: str) -> None:
    assert words.ago(NOW - gap, NOW) == text


def test_exact_times_are_in_the_readers_zone() -> None:
    assert words.exact(NOW) == "22 Nov 2026, 09:54:17 UTC"
    assert words.exact(NOW, ZoneInfo("Europe/Helsinki")) == "22 Nov 2026, 11:54:17 EET"
    assert words.clock(NOW, ZoneInfo("Europe/Helsinki")) == "11:54:17"
    assert words.machine(NOW) == "2026-11-22T09:54:17Z"


def test_counts_agree_with_their_nouns() -> None:
    assert words.counted(1, "server") == "1 server"
    assert words.counted(1234, "server") == "1,234 servers"
    assert words.spelt(5, "thing") == "Five things"
    assert words.spelt(1, "thing") == "One thing"
    assert words.size(212_000_000) == "212 MB"


def test_an_address_is_read_without_scheme() -> None:
    assert words.host("http://web.localhost:8080/") == "web.localhost:8080"


@pytest.mark.parametrize(
    ("line", "html"),
    [
        ("plain <script>", "plain &lt;script&gt;"),
        ("\x1b[32mok\x1b[0m then", '<span class="ok">ok</span> then'),
        ("\x1b[1;31mno\x1b[39m", '<span class="er">no</span>'),
        ("\x1b[38;5;31mcolour 31 of a palette", "colour 31 of a palette"),
        ("\x1b]0;title\x07text\x1b[2K\x1b[1A", "text"),
        ("10 %\r50 %\r100 %", "100 %"),
        ("bell\x07 null\x00", "bell null"),
        (
            '\x1b[33m"><img src=x onerror=alert(1)>',
            '<span class="wa">&#34;&gt;&lt;img src=x onerror=alert(1)&gt;</span>',
        ),
    ],
)
def test_a_log_line_keeps_its_colours_and_no_markup(line: str, html: str) -> None:
    assert str(coloured(line)) == html
