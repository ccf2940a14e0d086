"""The hard limits of starting and of doing nothing. The budgets themselves are measured by bench/."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "bench"))

import idle
import start

from support.speed import idle_budget, start_budget

START_SECONDS = 3.0
RESIDENT_MEGABYTES = 160
EDGE_MEGABYTES = 60
CPU_PERCENT = 2.0  # twice the budget: other tests may run beside this one


@pytest.mark.edge
def test_a_first_start_with_migrations_answers_within_three_seconds():
    """Processor time, by the speed of this machine; time on the clock as far as it has nothing else to do."""
    tries = [start.measure(1) for _ in range(2)]
    cpu, clock = min(one["cpu"] for one in tries), min(one["first"] for one in tries)
    crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    budget = start_budget(START_SECONDS)
    assert cpu <= budget, f"{cpu:.2f} s of {budget:.2f} s"
    assert clock <= budget * crowd, f"{clock:.2f} s at {crowd:.1f} times what the machine can do"


@pytest.mark.edge
def test_an_idle_server_stays_small_and_quiet():
    """Processor time, the least of some tries and by the speed of this machine: what else it does only adds."""
    tries = [idle.measure(seconds=6, servers=50) for _ in range(2)]
    found = min(tries, key=lambda one: one["idle.cpu"])
    assert found["idle.resident"] <= RESIDENT_MEGABYTES, found
    assert found["idle.edge_resident"] <= EDGE_MEGABYTES, found
    budget = idle_budget(CPU_PERCENT)
    assert found["idle.cpu"] <= budget, (budget, found)
