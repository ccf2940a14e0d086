"""One attempt to deploy: its phases, log, plan, and what differs from another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quarterdeck.console.views.shell import Note
from quarterdeck.deploy.deployments.transitions import ACTIVE


@dataclass(frozen=True, slots=True)
class PhaseView:
    """`state` is a step's; `detail` two or three words; `since` is set while it runs."""

    name: str
    label: str
    state: str
    seconds: float | None
    detail: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class LineView:
    """One stored line, masked before it was stored; `phase` is set on the first line of a phase."""

    number: int
    at: datetime
    text: str
    level: str = "info"
    phase: str | None = None


LineViews = tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class LogView:
    """The last lines of a stream; `earlier` says how many before them are a link away."""

    stream: str
    lines: LineViews
    last: int
    earlier: int
    ended: bool


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    ref: str
    number: int
    state: str
    phase: str | None
    commit: str | None
    message: str
    by: str
    at: datetime
    seconds: float | None
    serving: bool
    may_return: bool
    href: str

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class PlanPart:
    """A group of the plan: commands, image, ports, health policy, as values."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """`was` and `now` are masked where secret; None where the key is absent on that side."""

    label: str
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    message: str
    hint: str
    phase: str | None


@dataclass(frozen=True, slots=True)
class DeploymentView:
    row: DeploymentRow
    resource: str
    trigger: str
    phases: tuple[PhaseView, ...]
    plan: tuple[PlanPart, ...]
    differs_from: int | None
    differences: tuple[Difference, ...]
    failure: Failure | None
    serving_note: str
    may_retry: bool
    retry_reason: str
    may_cancel: bool
    archived: bool = False
    waits: Note | None = None
    """Why it does not go on: its server is out of reach."""

    @property
    def doing(self) -> str:
        """`Verifying`, while a phase runs."""
        running = next((phase for phase in self.phases if phase.state == "running"), None)
        return PRESENT.get(running.name, "") if running else ""


PRESENT = {
    "detect": "Detecting",
    "plan": "Planning",
    "package": "Packaging",
    "deploy": "Starting",
    "verify": "Verifying",
    "cut-over": "Cutting over",
    "rollback": "Rolling back",
}


@dataclass(frozen=True, slots=True)
class RollbackView:
    """What goes back, what differs, what stays as it is. `latest` is the newest attempt, which the command is about."""

    target: DeploymentRow
    current: DeploymentRow | None
    latest: str
    image: str
    differences: tuple[Difference, ...]
    kept: tuple[str, ...]
    blocked: str
