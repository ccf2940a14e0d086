"""How long a server is waited for that is cut off in the middle of a deployment."""

from __future__ import annotations

import pytest

from quarterdeck.deploy.execution import absence as room
from quarterdeck.deploy.execution.absence import Absence
from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.fleet.targets.login import LoginOrder
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure, Unavailable
from support.yard import Ledger

THERE = TargetOrder("ssh", "", "i", ssh=LoginOrder("there", 22, "root"))
AWAY = Unavailable("Nothing answers.", code="ssh_unreachable")
CUT = Unavailable("It was cut.", code="ssh_connection_lost")


def test_what_has_nothing_to_do_with_the_connection_ends_the_attempt() -> None:
    assert not Absence(THERE).goes_on(Invalid("no"), cut=False)
    assert not Absence(THERE).goes_on(ProviderFailure("no", code="build_failed"), cut=False)
    assert not Absence(TargetOrder("local", "/r", "i")).goes_on(OSError("no"), cut=False)


def test_a_server_that_was_never_reached_is_not_waited_for() -> None:
    absence = Absence(THERE)
    assert not absence.goes_on(AWAY, cut=False)
    # A connection of somebody else may have been gone already: that is found out once.
    absence = Absence(THERE)
    assert absence.goes_on(CUT, cut=False)
    assert not absence.goes_on(CUT, cut=False)
    absence = Absence(THERE)
    assert absence.goes_on(CUT, cut=False)
    assert not absence.goes_on(AWAY, cut=False)


async def test_a_server_that_was_cut_off_is_waited_for_and_given_up_at_last() -> None:
    clock, ledger = HeldClock(), Ledger()
    absence, report = Absence(THERE, clock), Reporter(ledger, {})
    assert absence.goes_on(Unavailable("away", code="docker_unavailable"), cut=True)
    clock.advance(200)
    assert absence.goes_on(AWAY, cut=False)
    await absence.ends(report)
    assert "there is back after 200 s." in ledger.lines
    assert not absence.goes_on(AWAY, cut=False)
    assert absence.goes_on(CUT, cut=True)
    clock.advance(301)
    with pytest.raises(Unavailable, match="did not come back within 5 minutes") as given_up:
        absence.goes_on(AWAY, cut=False)
    assert given_up.value.code == "ssh_connection_lost"
    assert "retry" in (given_up.value.hint or "")


def test_a_connection_that_is_cut_again_and_again_is_given_up() -> None:
    absence = Absence(THERE)
    for _ in range(room.MOST_CUTS):
        assert absence.goes_on(CUT, cut=True)
    with pytest.raises(Unavailable, match="was cut 21 times"):
        absence.goes_on(CUT, cut=True)


async def test_a_server_that_somebody_was_at_work_on_is_waited_for_from_the_start() -> None:
    clock, ledger = HeldClock(), Ledger()
    absence, report = Absence(THERE, clock, patient=True), Reporter(ledger, {})
    assert absence.goes_on(AWAY, cut=False)
    ledger.canceled.set()  # so that nobody waits here; what is recorded is looked at in the room of the attempts
    with pytest.raises(Problem, match="canceled"):
        await absence.wait(report)
    assert "there does not answer: going on when it is back." in ledger.lines
    ledger.canceled.clear()
    clock.advance(20)
    await absence.ends(report)
    assert "there is back after 20 s." in ledger.lines
    assert not absence.goes_on(AWAY, cut=False)  # it was there: from now on only a cut is waited for
    absence = Absence(THERE, clock, patient=True)
    assert absence.goes_on(AWAY, cut=False)
    clock.advance(301)
    with pytest.raises(Unavailable, match="to there did not come back within 5 minutes"):
        absence.goes_on(AWAY, cut=False)
