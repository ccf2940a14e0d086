"""The order in which a machine is chosen, as a rule over plain values (contract: tasks §4.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from quarterdeck.tasks import agents

CPU, MEMORY, PLACES = 0.4, 0.3, 0.3
"""What the load of a machine is made of."""
CAPABILITY = "tasks"


class Machine(Struct, frozen=True):
    """A machine as the choice sees it. Percentages are 0 to 100; `agents` are the types of the agent programs that it
    has, `degraded` those that fail on it now; `projects` are the keys of projects whose base clone it holds.
    """

    id: int
    name: str
    capable: bool = True
    online: bool = True
    draining: bool = False
    agents: frozenset[str] = frozenset()
    degraded: frozenset[str] = frozenset()
    cpu: float = 0.0
    memory: float = 0.0
    slots: int = 1
    used: int = 0
    projects: frozenset[str] = frozenset()
    cores: int = 0
    memory_mb: int = 0

    @property
    def open(self) -> bool:
        """Whether it could be given some task now."""
        return self.capable and self.online and not self.draining and self.used < self.slots

    @property
    def load(self) -> float:
        """0 (idle) to 100."""
        places = 100.0 * self.used / self.slots if self.slots else 100.0
        return CPU * self.cpu + MEMORY * self.memory + PLACES * places


class Need(Struct, frozen=True):
    """What a task needs: every type of agent in its pipeline, and the machine that it is bound to, if to one.
    `why_bound` says for people why it is that one.
    """

    agents: frozenset[str]
    project: str
    target: int | None = None
    why_bound: str = "it was asked for"
    home: int | None = None
    threshold: float = 85.0

    @property
    def remembered(self) -> frozenset[str]:
        """The names under which its agents may be degraded."""
        return self.agents | {agents.of_project(one, self.project) for one in self.agents}


@dataclass(frozen=True, slots=True)
class Choice:
    """The machine, or why there is none now."""

    machine: Machine | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One step: who stays, and what is told when nobody does, of one machine or of all."""

    stays: Callable[[Machine, Need], bool]
    one: Callable[[Machine, Need], str]
    many: Callable[[Need], str] = field(default=lambda _need: "")


def _lacks(machine: Machine, need: Need) -> str:
    missing, ailing = sorted(need.agents - machine.agents), sorted(need.remembered & machine.degraded)
    if not machine.capable:
        return "it takes no tasks"
    return f"it has no agent {', '.join(missing)}" if missing else f"its agent {', '.join(ailing)} is degraded"


def _agents(need: Need) -> str:
    return ", ".join(sorted(need.agents))


RULES = (
    _Rule(
        lambda machine, _need: machine.online,
        lambda _machine, _need: "it is offline",
        lambda _need: "No machine is online.",
    ),
    _Rule(
        lambda machine, _need: not machine.draining,
        lambda _machine, _need: "it is draining",
        lambda _need: "Every machine that is online is draining.",
    ),
    _Rule(
        lambda machine, need: (
            machine.capable and need.agents <= machine.agents and not need.remembered & machine.degraded
        ),
        _lacks,
        lambda need: f"No machine that is online has the agent {_agents(need)} in working order.",
    ),
    _Rule(
        lambda machine, need: machine.cpu <= need.threshold and machine.memory <= need.threshold,
        lambda machine, need: (
            f"it is busy (CPU {machine.cpu:.0f} %, memory {machine.memory:.0f} %, "
            f"above the {need.threshold:.0f} % of loadThresholdPercent)"
        ),
        lambda need: (
            f"Every machine with {_agents(need)} is busy: CPU or memory above {need.threshold:.0f} %, the setting "
            "loadThresholdPercent."
        ),
    ),
    _Rule(
        lambda machine, _need: machine.used < machine.slots,
        lambda machine, _need: (
            "its only place is taken" if machine.slots == 1 else f"its {machine.slots} places are taken"
        ),
        lambda need: f"Every place of the machines with {_agents(need)} is taken.",
    ),
)


def choose(machines: Sequence[Machine], need: Need) -> Choice:
    """The machine for a task. One that is bound to a machine waits for it, whatever others could do."""
    left = list(machines)
    if need.target is not None:
        left = [one for one in left if one.id == need.target]
        if not left:
            return Choice(None, "The machine that it is bound to is decommissioned.")
    for rule in RULES:
        before, left = left, [one for one in left if rule.stays(one, need)]
        if not left:
            if need.target is not None:
                return Choice(
                    None, f"Waits for machine {before[0].name} ({need.why_bound}): {rule.one(before[0], need)}."
                )
            return Choice(None, rule.many(need))
    return Choice(min(left, key=lambda one: _rank(one, need)))


def _rank(machine: Machine, need: Need) -> tuple[bool, bool, float, int, int, int]:
    """Smallest first: who has the worktree, who has the base clone, the least load, then the larger hardware."""
    return (
        machine.id != need.home,
        need.project.lower() not in machine.projects,
        round(machine.load, 3),
        -machine.cores,
        -machine.memory_mb,
        machine.id,
    )
