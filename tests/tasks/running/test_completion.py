"""What ends a stage: the hook, the marker, a clean exit of a program that runs once; nothing else."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from tests.tasks.running.desk import FAKE, stage

from quarterdeck.kernel.errors import Problem
from quarterdeck.tasks.orders import AgentChoice, Stage
from quarterdeck.tasks.running import terminal
from quarterdeck.tasks.running.pipeline import run_task


async def run(bench, desk, order):
    async with asyncio.timeout(300):
        return await run_task(bench.machine, desk, order)


async def test_a_pipeline_runs_from_its_worktree_to_its_delivery(bench, desk):
    order = bench.order(
        stage("say working", "done", name="plan"), stage("say {description} on {branch} of {project}", "done")
    )
    result = await run(bench, desk, order)
    assert (result.branch, result.pushed, result.commit) == (order.branch, True, "b" * 40)
    kinds = [kind for kind, _ in desk.records if kind != "messages"]
    assert kinds == ["workspace", "stage", "agent", "stage", "stage", "stage", "deliver", "diff", "delivered"]
    assert desk.stages() == [(0, "running", 1), (0, "completed", 1), (1, "running", 1), (1, "completed", 1)]
    assert "● Make it blue on overlord/42-make-it-blue of WEB" in desk.text()
    assert "Stage plan begins." in desk.text("system")
    assert bench.folder.delivered == ["Make it blue"]
    assert bench.folder.left == 1
    assert len(bench.told("began")) == 1, "both stages in one session"
    assert desk.of("agent")[0]["session"] == bench.told("began")[0]
    assert len(bench.wire.closed) == 1


@pytest.mark.parametrize("end", ["done", "boxed"])
async def test_a_marker_ends_a_stage_also_when_it_is_framed_and_wrapped(bench, desk, end):
    await run(bench, desk, bench.order(stage("spin 0.2", end)))
    assert desk.stages()[-1] == (0, "completed", 1)


async def test_neither_an_echo_nor_a_marker_of_others_is_believed(bench, desk):
    """The prompt is drawn back, quoted, and markers without the nonce are printed; only the real one counts."""
    with pytest.raises(Problem) as failed:
        await run(bench, desk, bench.order(stage("quote", "wrong", "hang", timeout=2)))
    assert failed.value.code == "stage_timeout"
    assert desk.stages() == [(0, "running", 1), (0, "failed", 1)]


async def test_a_hook_ends_a_stage_and_tells_session_and_usage(bench, desk):
    events = [
        '{"event": "usage", "usage": {"inputTokens": 100, "outputTokens": 20}}',
        '{"event": "turn-ended", "usage": {"inputTokens": 150, "outputTokens": 30, "cost_usd": 0.5}}',
    ]
    order = bench.order(stage(*(f"hook {one}" for one in events), "hang"))
    await run(bench, desk, order)
    assert desk.stages()[-1] == (0, "completed", 1)
    assert [(one["input_tokens"], one["output_tokens"]) for one in desk.of("usage")] == [(100, 20), (150, 30)]


def installed(bench, name):
    """The fake agent under the name of a program that is known."""
    program = bench.directory / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec /usr/bin/env python3 {FAKE} "$@"\n')
    program.chmod(0o755)
    bench.machine.environment = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    return {"FAKE_AGENT_HOME": str(bench.home)}


async def test_claude_code_is_driven_by_its_settings_and_tells_what_it_used(bench, desk):
    transcript = bench.home / "transcript.jsonl"
    transcript.write_text(json.dumps({"message": {"id": "m", "usage": {"input_tokens": 7, "output_tokens": 2}}}) + "\n")
    order = bench.order(
        stage(f"stop {transcript}", "hang"), agent=AgentChoice(type="claude"), environment=installed(bench, "claude")
    )
    await run(bench, desk, order)
    assert desk.stages()[-1] == (0, "completed", 1)
    assert desk.of("usage") == [{"input_tokens": 7, "output_tokens": 2, "cost_usd": None}]
    agent = desk.of("agent")[-1]
    assert (agent["type"], agent["session"]) == ("claude", bench.told("began")[0])


async def test_codex_is_driven_by_notify_and_tells_its_session(bench, desk):
    order = bench.order(stage("notify", "hang"), agent=AgentChoice(type="codex"), environment=installed(bench, "codex"))
    await run(bench, desk, order)
    assert desk.stages()[-1] == (0, "completed", 1)
    assert [one["session"] for one in desk.of("agent")] == [None, "thread-1"]


async def test_a_program_that_runs_once_ends_its_stage_by_a_clean_exit(bench, desk):
    argv = bench.custom()["argv"][:2]
    custom = bench.custom(argv=[*argv, "--once", "{prompt}"], oneShot=True, resume=None, namesSession=None)
    await run(bench, desk, bench.order(stage("say one"), stage("say two", name="second"), custom=custom))
    assert bench.told("resumed") == [False, False], "one program for each stage"
    assert desk.stages()[-1] == (1, "completed", 1)


async def test_the_lines_own_marker_counts_where_it_is_no_echo(bench, desk):
    await run(bench, desk, bench.order(stage("literal DEPLOYED", "hang", marker="DEPLOYED")))
    assert desk.stages()[-1] == (0, "completed", 1)


async def test_a_description_of_many_lines_is_one_prompt(bench, desk):
    text = "First line\n  second {branch} line\r\n\x1b[201~\rthird {unknown}"
    developing = Stage(name="develop", command="/develop {description} {nothing}\ndo done")
    await run(bench, desk, bench.order(developing, description=text))
    prompts = bench.told("prompt")
    assert len(prompts) == 1
    assert prompts[0].startswith(
        "/develop First line\n  second {branch} line\n[201~\nthird {unknown} {nothing}\ndo done\n\nWhen all"
    )


async def test_a_prompt_whose_key_was_lost_is_submitted_again(bench, desk, monkeypatch):
    monkeypatch.setattr(terminal, "SUBMIT_SECONDS", 0.3)
    await run(bench, desk, bench.order(stage("done"), custom=bench.custom("--deaf")))
    assert len(bench.told("prompt")) == 1
    assert any("What was typed still stands there" in line for _, line in desk.lines)


async def test_an_agent_without_bracketed_paste_gets_one_line(bench, desk):
    custom = bench.custom("--plain")
    plain = Stage(name="develop", command="one\ntwo", timeout=3)
    with pytest.raises(Problem):
        await run(bench, desk, bench.order(plain, custom=custom))
    assert bench.told("prompt")[0].startswith("one two  When all")
