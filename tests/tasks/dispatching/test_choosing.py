"""The order of the choice, row by row (contract: tasks §4.4)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from quarterdeck.tasks.dispatching.choosing import Machine, Need, choose

NEED = Need(frozenset({"claude"}), "WEB")
GOOD = Machine(1, "one", agents=frozenset({"claude"}), slots=4)


def machine(row_id=2, **facts):
    return replace(GOOD, id=row_id, name=f"m{row_id}", **facts)


@pytest.mark.parametrize(
    ("machines", "need", "chosen"),
    [
        ([GOOD], NEED, 1),
        # an explicit target goes before everything that follows
        ([GOOD, machine(cpu=80)], replace(NEED, target=2), 2),
        ([machine(1, online=False), machine(2, cpu=80)], NEED, 2),
        ([machine(1, draining=True), machine(2, cpu=80)], NEED, 2),
        ([machine(1, agents=frozenset({"codex"})), machine(2, cpu=80)], NEED, 2),
        ([machine(1, degraded=frozenset({"claude"})), machine(2, cpu=80)], NEED, 2),
        ([machine(1, degraded=frozenset({"codex"})), machine(2, cpu=80)], NEED, 1),
        ([machine(1, capable=False), machine(2, cpu=80)], NEED, 2),
        ([machine(1, cpu=85.1), machine(2, memory=85, cpu=85)], NEED, 2),
        ([machine(1, memory=90), machine(2, cpu=85)], NEED, 2),
        ([machine(1, cpu=50), machine(2, cpu=80)], replace(NEED, threshold=40), None),
        ([machine(1, slots=1, used=1), machine(2, cpu=80)], NEED, 2),
        # who has the worktree, then who has the base clone, however loaded
        ([GOOD, machine(2, cpu=80)], replace(NEED, home=2), 2),
        ([GOOD, machine(2, cpu=80, projects=frozenset({"web"}))], NEED, 2),
        ([machine(1, projects=frozenset({"web"})), machine(2, cpu=80)], replace(NEED, home=2), 2),
        # 0.4 CPU + 0.3 memory + 0.3 places
        ([machine(1, cpu=60), machine(2, memory=60)], NEED, 2),
        ([machine(1, cpu=60), machine(2, memory=70, used=2)], NEED, 1),
        ([machine(1, used=2), machine(2, cpu=30)], NEED, 2),
        # a tie: the larger hardware, by cores and then by memory; at last the older one
        ([machine(1, cores=4), machine(2, cores=8)], NEED, 2),
        ([machine(1, cores=4, memory_mb=8), machine(2, cores=4, memory_mb=16)], NEED, 2),
        ([machine(2), machine(1)], NEED, 1),
    ],
)
def test_the_order(machines, need, chosen):
    found = choose(machines, need)
    assert (found.machine.id if found.machine else None) == chosen


@pytest.mark.parametrize(
    ("machines", "need", "reason"),
    [
        ([], NEED, "No machine is online."),
        ([machine(online=False)], NEED, "No machine is online."),
        ([machine(draining=True)], NEED, "Every machine that is online is draining."),
        ([machine(agents=frozenset())], NEED, "No machine that is online has the agent claude in working order."),
        (
            [machine(cpu=86)],
            NEED,
            "Every machine with claude is busy: CPU or memory above 85 %, the setting loadThresholdPercent.",
        ),
        ([machine(slots=2, used=2)], NEED, "Every place of the machines with claude is taken."),
        ([], replace(NEED, target=2), "The machine that it is bound to is decommissioned."),
        ([machine(online=False)], replace(NEED, target=2), "Waits for machine m2 (it was asked for): it is offline."),
        ([machine(draining=True)], replace(NEED, target=2), "Waits for machine m2 (it was asked for): it is draining."),
        (
            [machine(degraded=frozenset({"claude"}))],
            replace(NEED, target=2),
            "Waits for machine m2 (it was asked for): its agent claude is degraded.",
        ),
        (
            [machine(cpu=90, memory=10)],
            replace(NEED, target=2),
            (
                "Waits for machine m2 (it was asked for): it is busy (CPU 90 %, memory 10 %, above the 85 % of "
                "loadThresholdPercent)."
            ),
        ),
        (
            [machine(slots=2, used=2)],
            replace(NEED, target=2),
            "Waits for machine m2 (it was asked for): its 2 places are taken.",
        ),
        (
            [machine(slots=1, used=1)],
            replace(NEED, target=2),
            "Waits for machine m2 (it was asked for): its only place is taken.",
        ),
    ],
)
def test_why_a_task_waits(machines, need, reason):
    assert choose(machines, need).reason == reason


def test_every_agent_of_the_pipeline_is_needed():
    both = replace(NEED, agents=frozenset({"claude", "codex"}))
    assert choose([GOOD], both).machine is None
    assert choose([replace(GOOD, agents=frozenset({"claude", "codex", "cursor"}))], both).machine is not None
