"""A certificate authority that goes away and comes back."""

from __future__ import annotations

import json
import subprocess

import pytest

from front_door.away import LATE, NAME, SHOP

pytestmark = [pytest.mark.edge, pytest.mark.root]


def test_an_authority_that_is_away_stops_nothing_is_told_and_is_asked_again(away: subprocess.Popen[str]) -> None:
    said, errors = away.communicate(timeout=240)
    assert away.returncode == 0, errors[-6000:]
    seen = json.loads(said.splitlines()[-1])
    # What has its certificate keeps it, over the death of the edge too; what needs none is put on the edge as ever.
    late = seen["meanwhile"].pop("late")
    assert seen["meanwhile"] == {"server": 200, "application": "an application", "without TLS": "an application"}
    assert "refused" in late
    (problem,) = seen["doctor"]
    assert LATE in problem
    assert "the certificate authority does not answer; the edge asks again by itself" in problem
    assert all(LATE in line and SHOP not in line and NAME not in line for line in seen["log"])
    assert "does not answer" in seen["log"][-1]
    assert seen["afterwards"] == "an application"
