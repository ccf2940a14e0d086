"""When an attempt tells what is changed by now: before a gate, at its delivery, and where it fails."""

from __future__ import annotations

import pytest
from tests.tasks.running.desk import stage

from quarterdeck.kernel.errors import Conflict, Problem
from quarterdeck.tasks.orders import GateAnswer
from quarterdeck.tasks.running.pipeline import run_task


async def test_what_is_changed_is_told_before_a_gate_and_of_what_was_delivered(bench, desk):
    desk.answers = lambda _: GateAnswer(state="answered", result="confirm", by="ada")
    await run_task(bench.machine, desk, bench.order(stage("done"), stage("done", name="ship", confirm=True)))
    assert [(one["index"], one["commit"]) for one in desk.of("diff")] == [(1, None), (None, "b" * 40)]
    kinds = [kind for kind, _ in desk.records if kind in {"diff", "gate", "deliver", "delivered"}]
    assert kinds == ["diff", "gate", "deliver", "diff", "delivered"]


async def test_what_a_failed_attempt_leaves_is_told(bench, desk):
    with pytest.raises(Problem):
        await run_task(bench.machine, desk, bench.order(stage("exit 3")))
    assert [(one["index"], one["commit"]) for one in desk.of("diff")] == [(None, None)]


async def test_a_comparison_that_fails_keeps_nobody_from_delivering(bench, desk):
    async def refuse(*_: object) -> None:
        raise Conflict("git is not there.", code="workspace_error")

    bench.folder.compare = refuse
    done = await run_task(bench.machine, desk, bench.order(stage("done")))
    assert done.commit == "b" * 40
    assert "What is changed by now cannot be shown: git is not there." in desk.text("system")
