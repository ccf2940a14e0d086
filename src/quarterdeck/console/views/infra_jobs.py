"""Infrastructure jobs as their pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quarterdeck.console.views.deployments import Fact, LogView
from quarterdeck.console.views.infra import JOBS, PLANS
from quarterdeck.console.views.shell import Note

State = tuple[str, str, str | None]
DEEDS = {
    "PLAN": "Plan",
    "DEPLOY": "Apply",
    "DESTROY": "Destroy",
    "DEPLOY_WORKER": "Put up runner",
    "UPDATE_WORKER": "Update runner",
    "DESTROY_WORKER": "Take down runner",
    "CONNECTION_TEST": "Test connection",
    "FETCH_RESOURCES": "Look at cloud",
}
"""What a type of job does, as a button or a heading says it."""
LOOK = "Look for drift"


def deed(job_type: str, *, read_only: bool = False) -> str:
    return LOOK if read_only else DEEDS.get(job_type, job_type)


@dataclass(frozen=True, slots=True)
class InfraJobRow:
    """`about` is what it is done to, with its page; `note` why it failed, or where it is."""

    uid: str
    title: str
    job_type: str
    state: State
    about: tuple[str, str | None]
    runner: str
    by: str
    queued: datetime
    started: datetime | None
    seconds: float | None
    note: str = ""

    @property
    def href(self) -> str:
        return f"{JOBS}/{self.uid}"

    @property
    def live(self) -> bool:
        return self.state[1] in {"queued", "claimed", "processing"}


@dataclass(frozen=True, slots=True)
class InfraJobsAsked:
    """What a list is narrowed to; empty fields leave it open."""

    status: str = ""
    job_type: str = ""
    spec: str = ""
    words: str = ""
    mine: bool = False
    offset: int = 0


@dataclass(frozen=True, slots=True)
class InfraJobList:
    rows: tuple[InfraJobRow, ...]
    total: int
    spec: tuple[str, str] | None = None
    """Name and page of the specification that it is narrowed to."""


@dataclass(frozen=True, slots=True)
class InfraJobView:
    """One job. `waits` says where and why it waits, `behind` is the page of what goes first. `runners` are those that
    it may be pinned to, `pinned` the uid of the one it is for. `error` is what became of it.
    """

    row: InfraJobRow
    facts: tuple[Fact, ...]
    log: LogView
    waits: Note | None
    behind: str | None
    error: Note | None
    plan: str
    """The page of the plan that it made or applies, empty where there is none."""
    outputs: tuple[tuple[str, str | None], ...]
    moments: tuple[tuple[str, datetime], ...]
    """When it was asked for, began and ended."""
    phases: tuple[tuple[str, str], ...]
    """Words of its phases and a step's state of each."""
    may_cancel: bool
    may_rerun: bool
    may_pin: bool
    runners: tuple[tuple[str, str], ...] = ()
    pinned: str = ""
    confirm: str = ""
    """The name to type before it is cancelled: it may be changing resources."""
    found: Note | None = None
    """What a look for drift has found, while no later look or apply says more."""

    @property
    def plan_href(self) -> str:
        return f"{PLANS}/{self.plan}" if self.plan else ""
