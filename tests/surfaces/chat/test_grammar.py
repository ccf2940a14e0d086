"""The one grammar of commands."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.kernel.errors import Invalid
from quarterdeck.surfaces.chat.grammar import NAMED, parse, tokens


@pytest.mark.parametrize(
    ("said", "name", "text", "task", "flags"),
    [
        ('develop "fix the login" --project WEB --on box-1', "develop", "fix the login", 0,
         {"project": "WEB", "on": "box-1"}),
        ("dev fix the login --project=WEB", "develop", "fix the login", 0, {"project": "WEB"}),
        ('DEV --on "box 1" “quoted by a telephone”', "develop", "quoted by a telephone", 0, {"on": "box 1"}),
        ("dev don't break --project WEB", "develop", "don't break", 0, {"project": "WEB"}),
        (r'dev "say \"hello\" to \\ them"', "develop", r'say "hello" to \ them', 0, {}),
        ('dev "--project is a flag"', "develop", "--project is a flag", 0, {}),
        ("dev it —project WEB", "develop", "it", 0, {"project": "WEB"}),
        ("progress #42", "progress", "", 42, {}),
        ("/cancel 42", "cancel", "", 42, {}),
        ("retry #1", "retry", "", 1, {}),
        ("ls --project WEB", "list", "", 0, {"project": "WEB"}),
        ("confirm #7", "confirm", "", 7, {}),
        ("ws #7", "workspace", "", 7, {}),
        ("log #7", "logs", "", 7, {}),
        ('drain "box 1"', "drain", "box 1", 0, {}),
        ("undrain box-1", "undrain", "box-1", 0, {}),
        ("bind", "bind", "", 0, {}),
        ("info", "info", "", 0, {}),
        ("", "help", "", 0, {}),
    ],
)  # fmt: skip
def test_a_command_is_read(said, name, text, task, flags):
    found = parse(said)
    assert (found.spec.name, found.text, found.task, found.flags) == (name, text, task, flags)


@pytest.mark.parametrize(
    "said",
    ["fly", "dev", 'dev ""', 'dev "open', "progress", "progress #x", "progress 1 2", "progress -1", "progress #²",
     "dev a --project", "dev a --project=", "dev a --speed fast", "dev a --on b --on c", "drain a b", "drain",
     "help me", "bind x", "progress #" + "9" * 30, "dev " + "x" * 30_000],
)  # fmt: skip
def test_what_is_no_command_is_refused_with_a_hint(said):
    with pytest.raises(Invalid) as refused:
        parse(said)
    assert refused.value.hint
    assert "\n" not in refused.value.message


@settings(max_examples=60)
@given(st.text())
def test_nothing_that_somebody_writes_ends_the_reader(said):
    with contextlib.suppress(Invalid):
        assert parse(said).spec.name in {spec.name for spec in NAMED.values()}


@settings(max_examples=40)
@given(st.lists(st.text(min_size=1), max_size=5))
def test_words_in_quotes_come_out_as_they_were(words):
    said = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
    assert [word.text for word in tokens(said)] == words
