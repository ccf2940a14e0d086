"""Text from elsewhere on a terminal."""

from __future__ import annotations

import pytest

from quarterdeck.cli.terminal import clean


@pytest.mark.parametrize(
    "sign", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u2028\x1b\x9b\x07"
)
def test_nothing_from_elsewhere_steers_or_turns_round_what_is_shown(sign: str) -> None:
    assert clean(f"destroy {sign}nothing") == "destroy nothing"
