"""A build server that goes away: cut off while it builds it is waited for, away before anything began it is not."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any, cast

import pytest

from quarterdeck.deploy.execution import building
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.kernel.errors import ProviderFailure

CUT = ProviderFailure("The connection was cut.", code="ssh_connection_lost")
AWAY = ProviderFailure("Nothing answers at 192.0.2.1.", code="ssh_unreachable")


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


class Server:
    """Meets each visit with the next of what is to come: a problem on the way in, or a problem while it builds."""

    def __init__(self, *to_come: tuple[str, ProviderFailure | None]) -> None:
        self.to_come = list(to_come)
        self.said: list[str] = []

    @contextlib.asynccontextmanager
    async def yard(self, *_: object):
        when, problem = self.to_come.pop(0) if len(self.to_come) > 1 else self.to_come[0]
        if problem is not None and when == "on the way":
            raise problem
        yield problem

    async def work(self, problem: ProviderFailure | None) -> str:
        if problem is not None:
            raise problem
        return "built"

    def say(self, text: str, level: str = "info") -> None:
        self.said.append(text)

    async def built(self, monkeypatch: pytest.MonkeyPatch) -> str:
        async def lost() -> bool:
            return False

        monkeypatch.setattr(building, "yard", self.yard)
        monkeypatch.setattr(building, "FIRST_PAUSE", 0.0)
        target, order = SimpleNamespace(lost=lost), SimpleNamespace(build=object(), build_name="there")
        given = cast("Any", (self.work, target, order, None))
        return await building.patiently(*given, cast("Reporter", self), cast("Any", Clock()))


async def test_a_kept_connection_that_died_meanwhile_is_replaced_and_nobody_waits(monkeypatch) -> None:
    server = Server(("on the way", CUT), ("on the way", AWAY))
    with pytest.raises(ProviderFailure) as refused:
        await server.built(monkeypatch)
    assert refused.value.code == "ssh_unreachable"
    assert server.said == []


async def test_a_connection_that_stays_dead_is_given_up(monkeypatch) -> None:
    server = Server(("on the way", CUT))
    with pytest.raises(ProviderFailure) as refused:
        await server.built(monkeypatch)
    assert refused.value.code == "ssh_connection_lost"


async def test_who_is_cut_off_while_it_builds_is_waited_for(monkeypatch) -> None:
    server = Server(("building", CUT), ("on the way", AWAY), ("on the way", AWAY), ("", None))
    assert await server.built(monkeypatch) == "built"
    assert server.said == ["there was cut off: building again when it is back."]
