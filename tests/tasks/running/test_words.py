"""Markers, templates, times."""

from __future__ import annotations

import pytest

from quarterdeck.tasks.running.markers import Marker, Verdict, bare, cleaned
from quarterdeck.tasks.running.stopwatch import Stopwatch
from quarterdeck.tasks.running.templates import expanded, pasted, typed

MARKER = Marker("ab12cd34ef56")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("● [[STAGE_DONE ab12cd34ef56]]", Verdict(True)),
        ("[[STAGE_DONE\n│ ab12cd3   │\n│ 4ef56]]", Verdict(True)),
        ("[[STAGE_FAIL ab12cd34ef56 no way\n│ through]]", Verdict(False, "no way through")),
        ("[[STAGE_FAIL ab12cd34ef56]]", Verdict(False)),
        ("[[STAGE_DONE ab12cd34ef56]] [[STAGE_FAIL ab12cd34ef56 after all]]", Verdict(False, "after all")),
        ("[[STAGE_FAIL ab12cd34ef56 never closed [[STAGE_DONE ab12cd34ef56]]", Verdict(True)),
        (MARKER.instruction, None),
        ("[[STAGE_DONE]]", None),
        ("[[STAGE_DONE ab12cd34ef57]]", None),
        ("STAGE_DONE ab12cd34ef56", None),
        ("[STAGE_DONE ab12cd34ef56]", None),
    ],
)
def test_what_is_a_marker(text, found):
    assert MARKER.find(text) == found


@pytest.mark.parametrize("width", range(5, 60, 7))
def test_no_wrapping_of_the_instruction_is_one(width):
    text = MARKER.instruction
    wrapped = "\n".join(f"│ {text[start : start + width]} │" for start in range(0, len(text), width))
    assert MARKER.find(wrapped) is None


def test_an_agents_words_are_one_line_of_a_bounded_length():
    assert cleaned("│ a\n\x1b  b\t") == "a b"
    assert len(cleaned("x" * 1000)) == 300
    assert bare("│ ● Not logged in   │") == "Not logged in"


def test_variables_are_put_in_once():
    values = {"description": "{branch} {choice}", "branch": "b", "choice": "c"}
    assert expanded("{description} {branch} {other} {input}{", values) == "{branch} {choice} b {other} {"


def test_nothing_in_a_text_presses_a_key():
    assert typed("a\r\nb\rc\x1b[201~\x03\x04\t d\x9b") == "a\nb\nc[201~\t d"
    assert pasted("a\nb\x1b", bracketed=True) == b"\x1b[200~a\rb\x1b[201~"
    assert pasted("a\nb\tc", bracketed=False) == b"a b c"


def test_a_watch_counts_while_nothing_holds_it():
    at = [0.0]
    watch = Stopwatch(lambda: at[0])
    at[0] = 3.0
    watch.hold("gate")
    watch.hold("held")
    at[0] = 10.0
    watch.release("gate")
    assert (watch.seconds, watch.held) == (3.0, True)
    watch.release("held")
    at[0] = 12.0
    watch.release("held")
    assert watch.seconds == 5.0
