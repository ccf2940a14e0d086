"""How long a server is waited for that is cut off in the middle of a deployment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quarterdeck.deploy.execution import absence as room
from quarterdeck.deploy.execution import target as targets
from quarterdeck.deploy.execution.absence import Absence
from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import opened
from quarterdeck.fleet.targets.engines import NoEngine
from quarterdeck.fleet.targets.login import LoginOrder
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure, Unavailable
from support.yard import Ledger

THERE = TargetOrder("ssh", "", "i", ssh=LoginOrder("there", 22, "root"))
DOWN = Unavailable("Nothing answers at the socket.", code="docker_unavailable")
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


async def test_what_runs_on_a_server_may_be_on_its_way_up_for_a_while_after_it_was_away() -> None:
    clock, ledger = HeldClock(), Ledger()
    absence, report = Absence(THERE, clock), Reporter(ledger, {})
    assert not absence.comes_up  # it was there all the time
    for _ in range(2):
        assert absence.goes_on(CUT, cut=True)
        clock.advance(40)  # it boots
        assert absence.comes_up
        clock.advance(room.ENGINE_SECONDS - 1)
        assert absence.comes_up
        clock.advance(1)
        assert not absence.comes_up
        await absence.ends(report)
        assert not absence.comes_up
    assert Absence(THERE, clock, patient=True).comes_up


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([DOWN, DOWN, None], 3),
        ([DOWN, NoEngine("none", code="docker_unavailable"), None], 2),  # nobody waits for what is not there
        ([DOWN] * 9, 5),
    ],
)
async def test_an_engine_that_does_not_answer_yet_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[Problem | None], asked: int
) -> None:
    told = iter(answers)
    count = 0

    class Answering:
        async def close(self) -> None:
            return

    async def opens(_host: object) -> Answering:
        nonlocal count
        count += 1
        problem = next(told)
        if problem is not None:
            raise problem
        return Answering()

    class Around:
        workspace = tmp_path

        @asynccontextmanager
        async def over(self, _login: object) -> AsyncIterator[object]:
            async def nothing(*_: object) -> bool:
                return False

            host = SimpleNamespace(lost=nothing)
            yield SimpleNamespace(host=host, enter=nothing, edge=None, root=tmp_path, processes=None, releases=None)

    monkeypatch.setattr(targets, "open_engine", opens)
    monkeypatch.setattr(targets, "ENGINE_PAUSE", 0.001)
    around: Any = Around()
    async with opened(THERE, around, comes_up=lambda: count < 5) as target:
        assert (target.engine is not None) == (answers[count - 1] is None)
    assert count == asked
