"""A project's patterns end in time, or end their own attempt: nobody else waits for them."""

from __future__ import annotations

import asyncio
import re

import pytest
from tests.tasks.running.desk import stage

from quarterdeck.kernel.errors import Problem
from quarterdeck.tasks.running.matching import Found, Matching, Question
from quarterdeck.tasks.running.pipeline import run_task

EVIL = re.compile("^(a+)+$")
LINE = "a" * 60 + "!"


async def ticks(work) -> float:
    """The longest that the loop stood still while `work` was awaited."""
    loop, longest = asyncio.get_running_loop(), 0.0
    task = asyncio.ensure_future(work)
    while not task.done():
        before = loop.time()
        await asyncio.wait({task}, timeout=0.01)
        longest = max(longest, loop.time() - before)
    with pytest.raises(Problem, match="could not be matched in time"):
        task.result()
    return longest


async def test_a_pattern_that_does_not_end_stops_its_own_attempt_alone():
    matching = Matching()
    try:
        assert await ticks(matching.ask([Question(EVIL, (LINE,))], foreign=True)) < 1.5
        plain = [
            Question(re.compile(r"limit.*resets (?P<reset>\w+)", re.IGNORECASE), ("", "LIMIT, resets soon")),
            Question(re.compile("b"), ("ab",)),
            Question(re.compile("b"), ("ab",), anywhere=True),
        ]
        answers = await matching.ask(plain, foreign=True)
        assert answers == [Found("soon"), None, Found(None)] == await matching.ask(plain, foreign=False)
        assert await matching.ask(plain, foreign=True) == answers
    finally:
        await matching.close()


async def test_an_attempt_whose_pattern_does_not_end_fails_for_it(bench, desk):
    shows = ["/bin/sh", "-c", f"echo '{LINE}'; exec sleep 600"]
    order = bench.order(stage("hang"), custom=bench.custom(argv=shows, resume=None, readyPattern=EVIL.pattern))
    with pytest.raises(Problem, match="could not be matched in time") as error:
        await run_task(bench.machine, desk, order)
    assert error.value.code == "stage_timeout"
