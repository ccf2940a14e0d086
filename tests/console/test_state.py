from __future__ import annotations

import json
from pathlib import Path

import pytest

from quarterdeck.console.state import TABLE, UnknownStateError, states, tone

# Every enum of the deploy contract that names a state, by where it stands in it, with the kind it is shown as.
ENUMS = json.loads((Path(__file__).parent / "state_enums.json").read_text())
TONES = {"idle", "off", "run", "ask", "warn", "good", "bad"}


@pytest.mark.parametrize("place", ENUMS)
def test_every_state_of_the_contract_has_a_tone_and_a_word(place: str) -> None:
    for state in ENUMS[place]["states"]:
        shown = tone(ENUMS[place]["kind"], state)
        assert shown.tone in TONES
        assert shown.word[0].isupper()
        assert shown.state == state


def test_a_state_stands_in_one_tone_of_its_kind_only() -> None:
    for kind, tones in TABLE.items():
        listed = [state for names in tones.values() for state in names.split()]
        assert len(listed) == len(set(listed)), kind
        assert set(tones) <= TONES


def test_an_unknown_state_is_a_defect_and_not_a_grey_pill() -> None:
    with pytest.raises(UnknownStateError):
        tone("deployment", "exploded")
    with pytest.raises(UnknownStateError):
        tone("weather", "succeeded")


def test_a_fact_beside_the_state_narrows_it_and_an_unknown_fact_does_not() -> None:
    assert tone("certificate", "active", "expiring").tone == "warn"
    assert tone("certificate", "active").tone == "good"
    assert tone("worker", "online", "degraded").tone == "warn"
    assert tone("worker", "offline", "degraded").tone == "bad"


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        ("deployment", "succeeded", ("good", "Succeeded")),
        ("deployment", "cancel-requested", ("run", "Canceling")),
        ("deployment", "rolled-back", ("warn", "Rolled back")),
        ("deployment", "created", ("idle", "Waiting")),
        ("job", "dead-lettered", ("bad", "Gave up")),
        ("job", "retry-scheduled", ("warn", "Tries again")),
        ("runtime", "exited", ("bad", "Exited")),
        ("runtime", "not-deployed", ("idle", "Not deployed")),
        ("health", "unknown", ("off", "Unknown")),
        ("readiness", "not-ready", ("warn", "Not ready")),
        ("auto-deploy", "blocked", ("ask", "Waits for you")),
        ("lifecycle", "archived", ("off", "Archived")),
        ("audit", "denied", ("bad", "Denied")),
        ("audit", "failure", ("warn", "Failed")),
    ],
)
def test_the_word_is_ours(kind: str, state: str, expected: tuple[str, str]) -> None:
    assert tone(kind, state)[:2] == expected


def test_a_kind_lists_its_states_without_the_narrowed_ones() -> None:
    assert states("audit") == {"success", "failure", "denied"}
    assert "active" in states("certificate")
    assert not any(":" in state for state in states("certificate"))
