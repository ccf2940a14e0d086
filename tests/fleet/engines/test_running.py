"""A command on a server that goes on by itself, and an engine that is asked about once more before it goes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.fleet.engines import packages
from quarterdeck.fleet.engines.removing import remove
from quarterdeck.fleet.engines.running import BEGIN, VANISHED, Running
from quarterdeck.fleet.targets.host import LocalHost, Ran


async def test_a_command_whose_log_is_removed_has_not_succeeded(tmp_path: Path) -> None:
    place, said = tmp_path / "engine", list[str]()

    async def removed(_seconds: float) -> None:
        if "begun" in said:
            shutil.rmtree(place)
        await asyncio.sleep(0.05)

    running = Running(LocalHost(), place, said.extend, removed)
    assert await running.run(["sh", "-c", "echo begun; sleep 2; exit 9"]) != 0
    assert said == ["begun", VANISHED]
    assert running.last == said


async def test_nothing_to_follow_is_no_failure_and_an_end_is_told_once(tmp_path: Path) -> None:
    running = Running(LocalHost(), tmp_path / "engine", lambda _lines: None, asyncio.sleep)
    assert await running.ended() == 0
    assert await running.run(["sh", "-c", "exit 9"]) == 9
    await running.clear()
    assert await running.ended() == 0


class Watched(LocalHost):
    """This machine, on which nothing is begun."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[Sequence[str]] = []

    async def run(self, argv: Sequence[str], **named: Any) -> Ran:
        if BEGIN in argv:
            self.begun.append(argv)
            return Ran(0, b"", b"")
        return await super().run(argv, **named)


async def test_an_engine_that_became_somebody_elses_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, host = tmp_path / "mark", Watched()
    mark.write_text("instance=other\nmanager=apt\npackage=docker.io\n")
    monkeypatch.setattr(packages, "MARK", str(mark))
    running = Running(host, tmp_path / "engine", lambda _lines: None, asyncio.sleep)
    kept = await remove(running, "here", "quarterdeck.instance")
    assert kept == "Another installation of Quarterdeck installed it."
    assert (host.begun, mark.exists()) == ([], True)
