"""How attempts end badly, each with its own word, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest
from tests.tasks.running.desk import stage

from quarterdeck.fleet.processes.supervisor.identity import read_stat
from quarterdeck.kernel.errors import Problem, RateLimited
from quarterdeck.kernel.jobs import Canceled, Fenced
from quarterdeck.tasks.orders import AgentChoice
from quarterdeck.tasks.running.pipeline import run_task


async def run(bench, desk, order):
    async with asyncio.timeout(300):
        return await run_task(bench.machine, desk, order)


async def refused(bench, desk, order):
    with pytest.raises(Problem) as raised:
        await run(bench, desk, order)
    return raised.value


async def until(condition):
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.02)


def alive(pid):
    stat = read_stat(pid)
    return stat is not None and stat.state not in "ZX"


def nothing_left(bench):
    assert not [pid for pid in bench.told("pid") if alive(pid)]
    assert list(bench.machine.records.glob("*.json")) == []


async def test_a_stage_that_is_not_done_in_time(bench, desk):
    problem = await refused(bench, desk, bench.order(stage("say working", "hang", timeout=1)))
    assert (problem.code, problem.category) == ("stage_timeout", "timeout")
    assert desk.of("stage")[-1]["error"] == "stage_timeout"
    assert "● working" in desk.text()
    nothing_left(bench)


@pytest.mark.parametrize(("verb", "how"), [("exit 3", "ended with 3"), ("crash", "killed by signal 9")])
async def test_an_agent_that_ends_by_itself(bench, desk, verb, how):
    problem = await refused(bench, desk, bench.order(stage(verb)))
    assert problem.code == "agent_exited"
    assert how in problem.message
    nothing_left(bench)


async def test_an_agent_that_is_killed_from_outside(bench, desk):
    task = asyncio.create_task(refused(bench, desk, bench.order(stage("hang"))))
    await until(lambda: bench.told("prompt"))
    os.kill(bench.told("pid")[0], signal.SIGKILL)
    assert (await task).code == "agent_exited"


async def test_an_agent_that_says_it_failed(bench, desk):
    problem = await refused(bench, desk, bench.order(stage("fail the tests are red, and stay red")))
    assert problem.message == "The agent says that the stage develop failed: the tests are red, and stay red"
    assert desk.of("stage")[-1]["message"] == problem.message


async def test_an_agent_that_is_not_there(bench, desk):
    custom = bench.custom(argv=["no-such-agent"])
    problem = await refused(bench, desk, bench.order(stage("done"), custom=custom))
    assert problem.code == "agent_missing"
    assert desk.of("workspace") == [], "said before anything is prepared"


async def test_an_agent_that_is_described_wrongly(bench, desk):
    problem = await refused(bench, desk, bench.order(stage("done"), custom={"argv": ["x"], "readyPattern": "("}))
    assert problem.code == "agent_missing"
    assert "no regular expression" in problem.message


async def test_an_agent_that_is_known_but_not_installed(bench, desk):
    bench.machine.environment = {"PATH": str(bench.home)}
    order = bench.order(stage("done"), agent=AgentChoice(type="claude"))
    assert (await refused(bench, desk, order)).code == "agent_missing"


async def test_an_agent_that_is_not_logged_in(bench, desk):
    problem = await refused(bench, desk, bench.order(stage("done"), custom=bench.custom("--not-logged-in")))
    assert problem.code == "agent_auth"
    assert bench.told("prompt") == [], "nothing is typed into a login dialog"
    assert "Log in" in problem.hint
    nothing_left(bench)


async def test_a_dialog_that_the_worker_has_an_answer_for_is_answered(bench, desk):
    custom = bench.custom("--dialog", dialogs={"Do you trust": "yes\r"}, authPatterns=["Do you trust"])
    await run(bench, desk, bench.order(stage("done"), custom=custom))
    assert desk.stages()[-1] == (0, "completed", 1)


async def test_a_dialog_without_an_answer_is_told(bench, desk):
    custom = bench.custom("--dialog", authPatterns=["Do you trust"])
    assert (await refused(bench, desk, bench.order(stage("done"), custom=custom))).code == "agent_auth"


async def test_an_agent_that_reached_its_limit_says_until_when(bench, desk):
    problem = await refused(bench, desk, bench.order(stage("done"), custom=bench.custom("--limited")))
    assert isinstance(problem, RateLimited)
    assert (problem.code, problem.retry_after) == ("rate_limited", 7200)
    assert desk.of("note")[-1]["data"] == {"code": "rate_limited", "retryAfterSeconds": 7200}


async def test_words_about_a_login_in_an_agents_work_are_no_login(bench, desk):
    verbs = ("say the page says: Not logged in", "sleep 0.5", "say Not logged in", "spin 1", "done")
    await run(bench, desk, bench.order(stage(*verbs)))
    assert desk.stages()[-1] == (0, "completed", 1)


async def test_a_stage_is_tried_again_and_the_session_resumed(bench, desk):
    order = bench.order(stage("exit 1", retries=1))
    assert (await refused(bench, desk, order)).code == "agent_exited"
    assert desk.stages() == [(0, "running", 1), (0, "failed", 1), (0, "running", 2), (0, "failed", 2)]
    assert bench.told("resumed") == [False, True]
    assert len(set(bench.told("began"))) == 1


async def test_what_may_fail_lets_the_next_stage_begin(bench, desk):
    order = bench.order(stage("fail never mind", name="lint", continue_on_error=True), stage("done"))
    await run(bench, desk, order)
    assert desk.stages() == [(0, "running", 1), (0, "failed", 1), (1, "running", 1), (1, "completed", 1)]


async def test_an_attempt_begins_at_its_stage_and_resumes_its_session(bench, desk):
    (bench.home / "sessions").mkdir()
    (bench.home / "sessions" / "abc").touch()
    order = bench.order(stage("say first", "done", name="one"), stage("done"), from_stage=1, resume="abc")
    await run(bench, desk, order)
    assert desk.stages() == [(1, "running", 1), (1, "completed", 1)]
    assert (bench.told("began"), bench.told("resumed")) == (["abc"], [True])


async def test_a_session_that_is_gone_is_replaced(bench, desk):
    await run(bench, desk, bench.order(stage("done"), resume="gone"))
    assert bench.told("resumed") == [False]
    assert "could not be resumed" in desk.text("system")
    assert desk.of("agent")[-1]["session"] == bench.told("began")[0] != "gone"


async def test_a_budget_that_is_spent_ends_the_task(bench, desk):
    desk.budget = 1000
    event = '{"event": "usage", "usage": {"inputTokens": 1, "outputTokens": 1001}}'
    assert (await refused(bench, desk, bench.order(stage(f"hook {event}", "hang")))).code == "budget_spent"
    nothing_left(bench)


async def test_the_set_up_command_comes_first_and_its_failure_is_one_of_the_workspace(bench, desk):
    order = bench.order(stage("done"), setup_command="echo ready > made; pwd", environment={"A": "1"})
    await run(bench, desk, order)
    assert str(bench.folder.root / "task-42") in desk.text()
    problem = await refused(bench, desk, bench.order(stage("done"), setup_command='[ "$A" = 1 ] && exit 7'))
    assert problem.code == "workspace_error"
    assert "ended with 1" in problem.message


async def test_a_worktree_that_cannot_be_prepared(bench, desk):
    bench.folder.prepare = failing(Problem("The disk is full.", code="disk_full", hint="Make room."))
    problem = await refused(bench, desk, bench.order(stage("done")))
    assert (problem.code, problem.message) == ("workspace_error", "The disk is full.")


def failing(error):
    async def fail(*_):
        raise error

    return fail


async def test_a_push_that_is_refused(bench, desk):
    bench.folder.deliver = failing(Problem("Rejected.", code="git_push_failed", hint="Fetch first."))
    assert (await refused(bench, desk, bench.order(stage("done")))).code == "git_push_failed"
    assert bench.folder.left == 1


async def test_children_that_outlive_their_agent_are_ended_with_the_task(bench, desk):
    await run(bench, desk, bench.order(stage("child", "done")))
    assert not alive(int((bench.home / "child").read_text()))
    assert "1 processes that the program left running were ended." in desk.text("system")
    nothing_left(bench)


async def test_a_cancelled_attempt_stops_a_stubborn_agent_within_its_grace(bench, desk):
    task = asyncio.create_task(run(bench, desk, bench.order(stage("stubborn", "child", "hang"))))
    await until(lambda: (bench.home / "child").exists() and (bench.home / "child").read_text())
    began = time.monotonic()
    desk.canceled.set()
    with pytest.raises(Canceled):
        await task
    assert time.monotonic() - began < 10
    nothing_left(bench)
    assert not alive(int((bench.home / "child").read_text()))
    assert bench.folder.left == 1
    assert bench.folder.delivered == []


async def test_an_attempt_at_a_gate_is_cancelled_at_once(bench, desk):
    task = asyncio.create_task(run(bench, desk, bench.order(stage("done", confirm=True))))
    await desk.until(lambda: desk.of("gate"))
    desk.canceled.set()
    with pytest.raises(Canceled):
        await task


async def test_a_lost_attempt_ends_at_once_and_undoes_nothing(bench, desk):
    task = asyncio.create_task(run(bench, desk, bench.order(stage("stubborn", "hang"))))
    await until(lambda: bench.told("prompt"))
    desk.lost = True
    desk.canceled.set()
    with pytest.raises(Fenced):
        await task
    nothing_left(bench)
    assert bench.folder.left == 0


async def test_an_interrupted_attempt_leaves_no_process(bench, desk):
    task = asyncio.create_task(run(bench, desk, bench.order(stage("stubborn", "hang"))))
    await until(lambda: bench.told("prompt"))
    task.cancel()
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    nothing_left(bench)
