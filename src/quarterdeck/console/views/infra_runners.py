"""Runners as their pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.infra import RUNNERS
from quarterdeck.console.views.infra_jobs import InfraJobRow


@dataclass(frozen=True, slots=True)
class RunnerRow:
    """`labels` say what it may be given; `own`: it is looked after here. `job` is the page of what it does;
    `due` the version that it should be, empty where it is not outdated.
    """

    uid: str
    name: str
    mode: str
    state: tuple[str, str, str | None]
    version: str
    due: str
    default: bool
    labels: tuple[str, ...]
    seen: datetime | None
    job: str
    draining: bool
    drain_reason: str
    own: bool
    enrolled: bool

    @property
    def href(self) -> str:
        return f"{RUNNERS}/{self.uid}"


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A published version of the runner program; `page` is where it was published, empty where nobody said."""

    version: str
    at: datetime
    breaking: bool
    commit: str
    notes: str
    page: str


@dataclass(frozen=True, slots=True)
class RunnerList:
    """`own` says that the server's own worker takes jobs, too; `newest` is the newest release."""

    rows: tuple[RunnerRow, ...]
    own: bool
    newest: str
    releases: tuple[ReleaseRow, ...] = ()


@dataclass(frozen=True, slots=True)
class RunnerView:
    """`stack`: it was put up from here, and may be updated and taken down; `newest` is the newest release."""

    row: RunnerRow
    facts: tuple[Fact, ...]
    stack: bool
    newest: str
    jobs: tuple[InfraJobRow, ...]
    why_not_update: str
    registered: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewRunner:
    """What is shown once: the token, and the id beside it; without an id it is a token of enrolment."""

    name: str
    token: str
    uid: str = ""
