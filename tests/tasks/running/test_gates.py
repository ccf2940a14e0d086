"""Where an attempt waits for a person: before a stage, at a question, while somebody holds its terminal."""

from __future__ import annotations

import asyncio

import pytest
from tests.tasks.running.desk import stage

from quarterdeck.fleet.terminals.uplink import Held, Input, Released, Resize, Signal
from quarterdeck.kernel.errors import Problem
from quarterdeck.tasks.orders import FollowUp, GateAnswer, Stage
from quarterdeck.tasks.running import gates
from quarterdeck.tasks.running import stage as of_stages
from quarterdeck.tasks.running.ears import Ears
from quarterdeck.tasks.running.pipeline import run_task


def begun(bench, desk, order):
    return asyncio.create_task(run_task(bench.machine, desk, order))


async def ended(task):
    async with asyncio.timeout(300):
        return await task


def answering(desk, answer):
    """Answers the first asking of a gate with `open`, and what the server tells later with the answer."""
    asked = []

    def reply(report):
        asked.append(report)
        return answer if len(asked) > 1 else GateAnswer(state="open")

    desk.answers = reply
    return asked


@pytest.mark.parametrize(
    ("more", "kind", "result"),
    [
        ({"confirm": True}, "confirm", "confirm"),
        ({"choices": ("red", "blue")}, "choice", "blue"),
        ({"input": True}, "input", "two\nlines {branch}"),
    ],
)
async def test_a_gate_is_asked_before_the_command_is_typed(bench, desk, more, kind, result):
    asked = answering(desk, GateAnswer(state="answered", result=result, by="ada"))
    order = bench.order(Stage(name="ship", command="on {branch}: {choice}{input}\ndo done", **more))
    task = begun(bench, desk, order)
    await desk.until(lambda: desk.of("gate"))
    assert bench.told("began") == [], "nothing runs while nobody has agreed"
    desk.told.put_nowait(("gate", {"index": 0}))
    await ended(task)
    assert [one.kind for one in asked] == [kind, kind]
    assert asked[0].seconds == 60
    assert asked[0].choices == more.get("choices", ())
    assert asked[0].prompt.endswith(f" It types: on {order.branch}: {{choice}}{{input}}\ndo done")
    assert bench.told("prompt")[0].startswith(f"on {order.branch}: {result}{result}\ndo done")
    assert [kind for kind, _ in desk.records if kind in ("gate", "gate-check", "stage")] == [
        "gate", "gate-check", "stage", "stage",
    ]  # fmt: skip


async def test_a_gate_is_asked_about_again_when_nothing_is_told(bench, desk, monkeypatch):
    monkeypatch.setattr(gates, "ASK_AGAIN", 0.2)
    answering(desk, GateAnswer(state="answered", result="go"))
    await ended(begun(bench, desk, bench.order(stage("done", confirm=True))))
    assert len(desk.of("gate-check")) == 1


@pytest.mark.parametrize(("state", "code"), [("rejected", "rejected"), ("timeout", "gate_timeout")])
async def test_a_gate_that_is_refused_ends_the_task(bench, desk, state, code):
    desk.answers = lambda report: GateAnswer(state=state, by="ada")
    with pytest.raises(Problem) as refused:
        await ended(begun(bench, desk, bench.order(stage("done", confirm=True, confirm_timeout=5))))
    assert refused.value.code == code
    assert bench.told("began") == []
    assert bench.folder.left == 1


async def test_a_gate_says_what_follows_where_nobody_answers(bench, desk):
    """The server keeps the time; its answer then is the fallback."""
    desk.answers = lambda report: GateAnswer(state="answered", result=report.fallback)
    order = bench.order(
        stage("say {choice}", "done", choices=("a", "b"), on_timeout="fallback", fallback_result="b", confirm_timeout=7)
    )
    await ended(begun(bench, desk, order))
    assert desk.of("gate")[0] | {"prompt": ""} == {
        "index": 0, "kind": "choice", "prompt": "", "choices": ("a", "b"), "seconds": 7, "on_timeout": "fallback",
        "fallback": "b",
    }  # fmt: skip
    assert "● b" in desk.text()


async def test_the_agents_own_question_is_a_gate_of_its_stage_and_its_time_stands_still(bench, desk):
    order = bench.order(stage("ask Which colour?", "done", timeout=2))
    task = begun(bench, desk, order)
    await desk.until(lambda: desk.of("gate"))
    await asyncio.sleep(2.5)
    assert not task.done()
    desk.answers = lambda report: GateAnswer(state="answered", result="green")
    desk.told.put_nowait(("gate", {}))
    await ended(task)
    assert bench.told("answer") == ["green"]
    assert (desk.of("gate")[0]["kind"], desk.of("gate")[0]["prompt"]) == ("input", "? Which colour?")
    assert len(desk.of("gate")) == 1


async def test_a_permission_that_the_hook_asks_for_is_a_gate(bench, desk):
    desk.answers = lambda report: GateAnswer(state="answered", result="1")
    event = '{"event": "notification", "kind": "permission_prompt", "text": "May I run ls?"}'
    await ended(begun(bench, desk, bench.order(stage(f"hook {event}", "sleep 0.5", "done"))))
    assert desk.of("gate")[0]["prompt"] == "May I run ls?"


async def test_a_person_at_the_terminal_stops_the_clock_and_the_typing(bench, desk):
    bench.wire.inputs.put_nowait(Held("ada"))
    task = begun(bench, desk, bench.order(stage("ask Which colour?", "done", timeout=2)))
    await desk.until(lambda: bench.told("began") or desk.of("agent"))
    await asyncio.sleep(2.5)
    assert bench.told("prompt") == [], "nothing is typed while a person holds the terminal"
    assert not task.done()
    bench.wire.inputs.put_nowait(Released())
    await desk.until(lambda: desk.of("gate"))
    for event in (Resize(90, 30), Held("ada"), Input(b"purple\r")):
        bench.wire.inputs.put_nowait(event)
    await ended(task)
    assert bench.told("answer") == ["purple"], "the person's keys reached the program"
    assert "ada holds the terminal." in desk.text("system")


async def test_a_signal_of_a_person_reaches_the_program(bench, desk):
    task = begun(bench, desk, bench.order(stage("hang")))
    await until(lambda: bench.told("prompt"))
    bench.wire.inputs.put_nowait(Signal("SIGTERM"))
    with pytest.raises(Problem) as failed:
        await ended(task)
    assert failed.value.code == "agent_exited"
    assert "signal 15" in failed.value.message


async def test_a_turn_that_ends_under_a_persons_hands_counts_when_they_let_go(bench, desk):
    task = begun(bench, desk, bench.order(stage("sleep 0.5", "hook turn-ended", "hang", timeout=60)))
    await desk.until(lambda: desk.of("agent"))
    await until(lambda: bench.told("prompt"))
    bench.wire.inputs.put_nowait(Held("ada"))
    await asyncio.sleep(1)
    assert not task.done()
    bench.wire.inputs.put_nowait(Released())
    await ended(task)


async def until(condition):
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.02)


async def test_messages_are_typed_into_the_running_agent_and_keep_its_stage_open(bench, desk):
    desk.messages = [FollowUp(id=1, text="before", by="ada")]
    task = begun(bench, desk, bench.order(stage("sleep 1", "sleep 0.5", "done")))
    await until(lambda: bench.told("prompt"))
    assert "Message from ada: before\n\nWhen all" in bench.told("prompt")[0]
    desk.messages.append(FollowUp(id=2, text="while\ndo say heard", by="bob"))
    desk.told.put_nowait(("message", {}))
    await until(lambda: any(one.get("after") == 1 for one in desk.of("messages")))
    desk.messages.append(FollowUp(id=3, text="late\ndo done", by="bob"))
    await ended(task)
    prompts = bench.told("prompt")
    assert [one.splitlines()[0] for one in prompts[1:]] == ["Message from bob: while", "Message from bob: late"]
    assert prompts[1].endswith("do say heard"), "no second marker for what is said in between"
    assert "● heard" in desk.text()
    assert [status for _, status, _ in desk.stages()] == ["running", "completed"]


async def test_a_message_of_which_no_word_came_is_asked_for(bench, desk, monkeypatch):
    monkeypatch.setattr(of_stages, "ASK_AGAIN", 0.2)
    task = begun(bench, desk, bench.order(stage("sleep 3", "done")))
    await until(lambda: bench.told("prompt"))
    desk.messages.append(FollowUp(id=1, text="while\ndo say heard", by="bob"))
    await ended(task)
    assert bench.told("prompt")[1].endswith("do say heard"), "it was said while the agent worked"


async def test_only_the_last_stage_asks_for_the_last_time(bench, desk):
    await ended(begun(bench, desk, bench.order(stage("done"), stage("done", name="second"))))
    asked = [(kind, one.get("last")) for kind, one in desk.records if kind in {"messages", "stage", "deliver"}]
    assert asked == [
        ("stage", None), ("messages", False), ("messages", False), ("stage", None), ("stage", None),
        ("messages", False), ("messages", True), ("stage", None), ("deliver", None),
    ]  # fmt: skip


async def test_a_program_that_runs_once_is_given_everything_before_its_last_run(bench, desk):
    desk.messages = [FollowUp(id=1, text="before", by="ada")]
    argv = bench.custom()["argv"][:2]
    custom = bench.custom(argv=[*argv, "--once", "{prompt}"], oneShot=True, resume=None, namesSession=None)
    await ended(begun(bench, desk, bench.order(stage("say one"), custom=custom)))
    assert [(one["after"], one["last"]) for one in desk.of("messages")] == [(0, True), (1, True)]
    assert "Message from ada: before" in bench.told("prompt")[0]


async def test_what_else_is_told_reaches_whoever_listens_and_ends_with_the_attempt(bench, desk):
    heard = asyncio.Queue()

    async def listen(context, order, worktree, data):
        heard.put_nowait((order.task_id, worktree.branch, data))
        try:
            await asyncio.sleep(600)
        finally:
            heard.put_nowait("ended")

    bench.machine.listeners = {"tunnel": listen}
    task = begun(bench, desk, bench.order(stage("done", confirm=True)))
    await desk.until(lambda: desk.of("gate"))
    desk.told.put_nowait(("tunnel", {"do": "start"}))
    assert await heard.get() == (42, "overlord/42-make-it-blue", {"do": "start"})
    desk.answers = lambda report: GateAnswer(state="answered", result="confirm")
    desk.told.put_nowait(("gate", {}))
    await ended(task)
    assert heard.get_nowait() == "ended"


async def test_what_was_told_in_vain_is_asked_for(desk):
    heard = asyncio.Queue()

    async def listen(data):
        heard.put_nowait(data)

    lost = [{"action": "start"}, None, {"action": "stop"}]
    desk.checks = lambda: lost.pop(0) if lost else None
    ears = Ears(desk, again=0.01)
    try:
        ears.listen({"tunnel": listen})
        async with asyncio.timeout(60):
            assert [await heard.get(), await heard.get()] == [{"action": "start"}, {"action": "stop"}]
        await desk.until(lambda: len(desk.of("tunnel-check")) > 3)
        assert heard.empty()
    finally:
        await ears.close()


async def test_the_terminal_has_the_size_of_its_holder(bench, desk):
    bench.wire.inputs.put_nowait(Resize(77, 22))
    await ended(begun(bench, desk, bench.order(stage("size", "done"))))
    assert "77 columns, 22 rows" in desk.text()
