"""Lists across the rooms: hosts and workers, jobs, the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from quarterdeck.console.views.deployments import Fact, LogView
from quarterdeck.console.views.shell import Note


@dataclass(frozen=True, slots=True)
class HostRow:
    """A server or a worker; `state` is a (kind, state, qualifier) triple, `room` how much of its disk is free."""

    what: str
    name: str
    state: tuple[str, str, str | None]
    detail: str
    capabilities: tuple[str, ...]
    busy: str
    seen: datetime | None
    href: str | None = None
    room: str = ""


@dataclass(frozen=True, slots=True)
class JobRow:
    """`subject` is what the job is about, `cause` why it ended as it did, or why it waits. `work` is its `wrk_…`.
    `word` stands in the place of the state's where that would mislead: of what succeeded and did nothing.
    """

    ref: str
    kind: str
    subject: str
    subject_href: str | None
    state: str
    attempts: str
    worker: str
    queued: datetime
    started: datetime | None
    seconds: float | None
    cause: str
    work: str
    word: str = ""

    @property
    def href(self) -> str:
        return f"/console/jobs/{self.ref}"


@dataclass(frozen=True, slots=True)
class JobList:
    rows: tuple[JobRow, ...]
    older: str | None


@dataclass(frozen=True, slots=True)
class JobView:
    """`waits` says why it does not run yet; `behind` is the page of the job that goes first."""

    row: JobRow
    facts: tuple[Fact, ...]
    log: LogView | None
    may_cancel: bool
    may_retry: bool
    may_recover: bool
    may_give_up: bool
    waits: Note | None = None
    behind: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """`outcome` is success, failure or denied; `about` is the resource as a filter names it."""

    ref: str
    at: datetime
    who: str
    action: str
    resource: str
    href: str | None
    outcome: str
    address: str
    facts: tuple[Fact, ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class AuditAsked:
    """What a list of events is narrowed to; empty fields leave it open. `action` is how it begins, `actor` is whole,
    `resource` a kind (`project`), an id, or both (`project:prj_…`), days are those of the viewer's `zone` and both
    included.
    """

    action: str = ""
    actor: str = ""
    outcome: str = ""
    text: str = ""
    since: date | None = None
    until: date | None = None
    zone: ZoneInfo | None = None
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """How far the trail is sealed and proved. `last` and `proved_to` are events; `proved_at` is None where nobody has
    asked for a proof, `found` is what was found first, empty for nothing.
    """

    sealed: int = 0
    last: str = ""
    proved: int = 0
    proved_to: str = ""
    proved_at: datetime | None = None
    proved_by: str = ""
    found: str = ""
    running: bool = False


@dataclass(frozen=True, slots=True)
class AuditList:
    """`actions` and `actors` are what there is to choose from."""

    rows: tuple[AuditRow, ...]
    older: str | None
    actions: tuple[str, ...]
    actors: tuple[str, ...]
    chain: Chain


@dataclass(frozen=True, slots=True)
class SessionRow:
    ref: str
    client: str
    address: str
    started: datetime
    seen: datetime | None
    current: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One answer of the palette; `refused` names the permission that is missing."""

    icon: str
    label: str
    href: str
    group: str
    keys: str = ""
