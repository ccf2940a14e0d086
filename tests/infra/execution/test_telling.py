"""What an attempt tells: no secret, quickly, and to its end."""

from __future__ import annotations

import threading
import time

import pytest
from tests.infra.execution.workbench import MINIMAL, Ledger

from quarterdeck.infra.execution import machine, reporting
from quarterdeck.infra.execution.reporting import Reporter


def test_two_thousand_secrets_are_hidden_in_twenty_thousand_lines_within_a_second():
    reporter = Reporter(Ledger(), [f"secret-{number:06}-{'x' * 20}" for number in range(2000)])
    lines = [f"aws_thing.number[{number}]: Still creating... [{number}s elapsed]" for number in range(20_000)]
    began = time.process_time()
    shown = [reporter.hide(line) for line in lines]
    assert time.process_time() - began < 2
    assert shown == lines
    assert reporter.hide("a secret-000007-xxxxxxxxxxxxxxxxxxxx b") == "a **** b"


def test_the_longest_secret_is_hidden_whole():
    reporter = Reporter(Ledger(), ["hunter2", "hunter2-and-more"])
    reporter.keep_secret(["more-than-that"])
    assert reporter.hide("hunter2-and-more hunter2 more-than-that") == "**** **** ****"


async def test_a_program_whose_lines_are_not_kept_any_more_still_gives_signs_of_life(monkeypatch):
    ledger = Ledger()
    reporter = Reporter(ledger)
    reporter.output(["x" * reporting.MOST], "stdout")
    reporter.output(["dropped"] * 3, "stdout")
    assert len(ledger.lines) == 2
    monkeypatch.setattr(reporting, "SIGN_SECONDS", 0.0)
    reporter.output(["dropped"], "stdout")
    monkeypatch.undo()
    reporter.output(["dropped"], "stdout")
    assert ledger.lines[2:] == [("system", "It goes on: 4 more lines were written and not kept.")]


@pytest.mark.parametrize("verb", ["salvage", "remove"])
async def test_directories_of_attempts_are_dealt_with_beside_the_loop(bench, monkeypatch, verb):
    threads = []
    place, name = (machine, "salvage") if verb == "salvage" else (machine.trees, "remove")
    real = getattr(place, name)

    def noted(*given):
        threads.append(threading.current_thread())
        return real(*given)

    monkeypatch.setattr(place, name, noted)
    left = bench.directory / "infra-work" / "deploy-9-abc"
    left.mkdir(parents=True)
    (left / "lock").touch()
    async with machine.attempt(bench.machine, bench.order("PLAN", MINIMAL).job):
        assert not left.exists()
    assert len(threads) >= 2
    assert threading.main_thread() not in threads
