"""Names that show as what they are."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.text import FEW, lines, one_line, several

HOSTILE = {
    "a control": "Ada\x00",
    "an escape of terminals": "Ada\x1b[2J",
    "another line": "Ada\nowner",
    "a line separator": "Ada\u2028owner",
    "an override": "Ada\u202egpj.exe",
    "an isolate": "Ada\u2066x\u2069",
    "a mark of direction": "Ada\u200f",
    "no width": "A\u200bda",
    "half a character": "Ada\ud800",
    "a private one": "Ada\ue000",
    "too long": "x" * 201,
    "nothing": "  ",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_name_that_misleads_is_refused(what):
    with pytest.raises(Invalid) as refused:
        one_line(HOSTILE[what], "name")
    assert refused.value.details["field"] == "name"
    assert not any(one in refused.value.message for one in "\x00\x1b\n\u202e\u2066\ud800")


@pytest.mark.parametrize("name", ["Ada Lovelace", "Zoë", "علی‌رضا", "山田太郎", "👩‍🚀", "O'Neil <ada>", "x" * 200])
def test_names_of_any_script_are_names(name):
    assert one_line(f" {name} ", "name") == name


def test_a_description_has_lines():
    assert lines("one\n\ttwo\r\n", "description") == "one\n\ttwo"
    with pytest.raises(Invalid):
        lines("one\u202etwo", "description")
    with pytest.raises(Invalid):
        lines("x" * 2001, "description")


def test_several_names_are_the_first_few_and_a_count():
    names = [f"n{number}" for number in range(FEW + 2)]
    assert several(names[:FEW]) == "n0, n1, n2, n3, n4"
    assert several(names) == "n0, n1, n2, n3, n4 and 2 more"
    assert several([]) == ""
    assert several(["x" * 500]) == "x" * 120
