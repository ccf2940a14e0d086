"""A job that is stopped in its middle: how terraform ends, what is told, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import threading

import pytest
from tests.infra.execution.workbench import MINIMAL, processes_in, terraform_in

from quarterdeck.kernel.errors import Problem

SLOW = """
resource "terraform_data" "first" {
  input = "made"
}
resource "terraform_data" "second" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "echo begun; exec sleep 60"
  }
}
"""
STUBBORN = SLOW.replace("echo begun; exec sleep 60", "trap '' INT TERM; echo begun; sleep 60")


async def gone(bench) -> None:
    """Nothing of an attempt is left on the disk, and nothing runs."""
    assert [name for name in bench.left if name != "infra-work"] == []
    assert processes_in(bench.directory) == []


def when_said(bench, words, act):
    """Do something as soon as terraform says these words for the first time."""

    def hear(line):
        if words in line:
            bench.ledger.hears = lambda line: None
            act()

    bench.ledger.hears = hear


@pytest.fixture
async def stopping(bench, server):
    """Hold the server up at a request, and ask the job to stop then."""
    release, loop = threading.Event(), asyncio.get_running_loop()

    def at(method, rest):
        def answer(asked, path):
            if asked == method and path.endswith(rest):
                loop.call_soon_threadsafe(bench.ledger.canceled.set)
                release.wait(30)

        server.answer = answer

    yield at
    release.set()


@pytest.mark.parametrize(
    ("phase", "method", "rest"), [("init", "GET", "/state"), ("plan", "POST", "/state/lock")], ids=["init", "plan"]
)
async def test_a_job_that_is_stopped_before_it_applies_leaves_nothing(bench, server, stopping, phase, method, rest):
    order = bench.order("DEPLOY", MINIMAL, grace_seconds=1)
    stopping(method, rest)
    with pytest.raises(Problem) as refused:
        await bench.attempt(order)
    assert (refused.value.code, refused.value.details["orphan_risk"]) == ("infra_interrupted", False)
    assert bench.ledger.phases[-1] == phase
    assert server.state is None
    await gone(bench)


async def test_an_apply_that_is_stopped_ends_by_itself_and_says_what_the_state_has(bench, server, forge):
    order = bench.order("DEPLOY", MINIMAL, module=forge.module({"main.tf": SLOW}))
    when_said(bench, "begun", bench.ledger.canceled.set)
    with pytest.raises(Problem) as refused:
        await bench.attempt(order)
    assert (refused.value.code, refused.value.details["orphan_risk"]) == ("infra_interrupted", True)
    assert "terraform_data.first" in server.resources()
    assert server.lock is None, "terraform was interrupted, not killed: it has given its lock back"
    assert "Something may have been made that no state knows. The state (serial" in bench.ledger.text
    assert "killing it" not in bench.ledger.text
    await gone(bench)


async def test_what_does_not_end_within_its_grace_is_killed(bench, forge):
    order = bench.order("DEPLOY", MINIMAL, module=forge.module({"main.tf": STUBBORN}), grace_seconds=1)
    when_said(bench, "begun", bench.ledger.canceled.set)
    async with asyncio.timeout(40):
        with pytest.raises(Problem) as refused:
            await bench.attempt(order)
    assert refused.value.details["orphan_risk"]
    await gone(bench)


async def test_the_ledgers_shorter_grace_does_not_cut_that_of_the_order(bench, server, forge):
    """It cancels the task after ten seconds; a second cancellation is a worker that has to go."""
    order = bench.order("DEPLOY", MINIMAL, module=forge.module({"main.tf": SLOW}))
    task = asyncio.ensure_future(bench.attempt(order))
    when_said(bench, "begun", lambda: (bench.ledger.canceled.set(), task.cancel()))
    with pytest.raises(Problem) as refused:
        await task
    assert refused.value.code == "infra_interrupted"
    assert server.lock is None
    await gone(bench)


async def test_a_lost_lease_ends_everything_at_once(bench, server, forge):
    order = bench.order("DEPLOY", MINIMAL, module=forge.module({"main.tf": SLOW}), grace_seconds=60)
    task = asyncio.ensure_future(bench.attempt(order))

    def lose():
        bench.ledger.lost = True
        bench.ledger.canceled.set()
        task.cancel()

    when_said(bench, "begun", lose)
    asked = len(server.requests)
    async with asyncio.timeout(20):
        with pytest.raises(Problem):
            await task
    assert bench.ledger.of("stopped") == []
    assert server.lock is not None, "nothing is undone: another attempt may be at work"
    assert server.requests[asked:][-1] != ("DELETE", f"/api/jobs/{order.job}/state/lock")
    await gone(bench)


async def test_a_job_that_takes_too_long_is_interrupted(bench, forge):
    order = bench.order("DEPLOY", MINIMAL, module=forge.module({"main.tf": SLOW}), seconds=6, grace_seconds=10)
    with pytest.raises(Problem) as refused:
        await bench.attempt(order)
    assert refused.value.code == "infra_timeout"
    (stopped,) = bench.ledger.of("stopped")
    assert (stopped["phase"], stopped["reason"], stopped["orphan_risk"]) == ("apply", "time", True)
    assert "terraform_data.first" in stopped["state"]["addresses"]
    await gone(bench)


async def test_a_terraform_that_somebody_kills_is_told_with_its_risk(bench, forge):
    order = bench.order("DEPLOY", MINIMAL, module=forge.module({"main.tf": SLOW}))
    when_said(bench, "begun", lambda: os.kill(terraform_in(bench.directory), signal.SIGKILL))
    with pytest.raises(Problem) as refused:
        await bench.attempt(order)
    assert refused.value.code == "infra_terraform_killed"
    (stopped,) = bench.ledger.of("stopped")
    assert (stopped["reason"], stopped["orphan_risk"]) == ("killed", True)
    await gone(bench)


async def test_a_state_that_was_refused_for_a_while_is_written_in_the_end(bench, server):
    refusals = iter([409])
    server.answer = lambda method, path: (
        next(refusals, None) if method == "POST" and path.endswith("/state") else None
    )  # fmt: skip
    with pytest.raises(Problem):
        await bench.run(bench.order("DEPLOY", MINIMAL))
    assert server.resources() == ["terraform_data.network[0]", "terraform_data.project"]
    assert bench.ledger.of("state-lost") == []
    (stopped,) = bench.ledger.of("stopped")
    assert (stopped["reason"], stopped["orphan_risk"]) == ("failed", False)
    assert stopped["state"]["resources"] == 2
    await gone(bench)


async def test_a_state_that_cannot_be_written_stays_on_the_machine(bench, server, monkeypatch):
    monkeypatch.setattr("quarterdeck.infra.execution.executing.PUSHES", (0.0, 0.1))
    server.answer = lambda method, path: 409 if method == "POST" and path.endswith("/state") else None
    order = bench.order("DEPLOY", MINIMAL)
    with pytest.raises(Problem) as refused:
        await bench.run(order)
    assert refused.value.code == "infra_state_lost"
    (lost,) = bench.ledger.of("state-lost")
    assert lost["resources"] == ["terraform_data.network", "terraform_data.project"]
    kept = bench.directory / lost["kept"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert bench.ledger.of("stopped")[0]["orphan_risk"]
    # It can be written by hand from there.
    assert b'"lineage"' in kept.read_bytes()


async def test_a_state_whose_lock_was_taken_away_is_kept_for_a_person_and_not_pushed(bench, server, monkeypatch):
    monkeypatch.setattr("quarterdeck.infra.execution.executing.PUSHES", (0.0, 0.1, 0.1, 0.1))
    order = bench.order("DEPLOY", MINIMAL)

    def steal(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/state"):
            server.robbed.add(order.job)

    server.answer = steal
    with pytest.raises(Problem) as refused:
        await bench.run(order)
    assert refused.value.code == "infra_state_lost"
    (lost,) = bench.ledger.of("state-lost")
    assert b'"lineage"' in (bench.directory / lost["kept"]).read_bytes()
    assert server.state is None
    assert bench.ledger.text.count("writing it again") == 1, "once it is known, nothing is tried again"


async def test_what_a_killed_worker_has_left_is_removed_and_its_state_kept(bench):
    """Unless something still works in it."""
    left = bench.directory / "infra-work" / "deploy-9-abc"
    (left / "module").mkdir(parents=True)
    (left / "lock").touch()
    (left / "where").write_text("module")
    (left / "module" / "errored.tfstate").write_text('{"serial": 3}')
    await bench.run(bench.order("PLAN", MINIMAL))
    assert bench.left == ["infra-states", "infra-states/deploy-9.tfstate", "infra-work"]
