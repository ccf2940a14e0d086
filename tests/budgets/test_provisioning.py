"""What keeps runners that wait, and runners that write, cheap. How long jobs are on their way is measured by
bench/provisioning.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from quarterdeck.infra.work import lines
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import Database
from support.infra_work_yard import WorkYard

JOBS = 100
"""That wait for somebody else."""
LINES = 2000
MANY = 20
"""Lines that one statement stores at least, of many."""
WRITES = ("INSERT", "UPDATE", "DELETE")


class Statements:
    """What is asked of any database while it listens."""

    def __init__(self) -> None:
        self.said: list[str] = []
        event.listen(Engine, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.said.append(statement.lstrip())

    def written(self) -> list[str]:
        return [one for one in self.said if one.startswith(WRITES)]

    def deaf(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._hear)


@pytest.fixture
def statements() -> Iterator[Statements]:
    made = Statements()
    yield made
    made.deaf()


@pytest.fixture
def yard(database: Database, tmp_path: Path) -> Iterator[WorkYard]:
    made = WorkYard(database, HeldClock(), tmp_path)
    yield made
    made.close()


def test_a_claim_in_vain_writes_nothing_and_reads_no_more_beside_jobs_of_others(
    yard: WorkYard, statements: Statements
) -> None:
    mine, other = yard.runner(), yard.runner("rack-2")
    counted = []
    for spec in (None, yard.spec()):
        for _ in range(JOBS if spec is not None else 0):
            yard.ask("PLAN", spec, assigned_worker_uid=other.worker.uid)
        statements.said.clear()
        assert not mine.waits()
        assert statements.written() == []
        counted.append(len(statements.said))
    assert other.waits()
    assert counted[1] <= counted[0] + 2, counted


async def test_lines_of_a_runner_are_stored_by_the_chunk(yard: WorkYard, statements: Statements) -> None:
    counted = []
    for number in (1, 10, LINES):
        text = "".join(f"line {at}\n" for at in range(number))
        statements.said.clear()
        assert await lines.take(yard.logs, "job", text, "STDOUT", yard.clock.now())
        counted.append(len(statements.said))
    assert 0 < counted[1] <= counted[0]
    assert counted[2] <= counted[0] + LINES // MANY, counted
    found, _ = await lines.read(yard.logs, "job", 0)
    assert sum(one.text.count("\n") for one in found) == LINES + 11
