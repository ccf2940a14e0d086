"""Agent tasks as the pages show them: the board, one task, its gate, its terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quarterdeck.console.views.deployments import LogView


@dataclass(frozen=True, slots=True)
class TaskRow:
    """`state` is the status and its qualifier; `note` why it waits or failed; `stage` what it is at."""

    id: int
    title: str
    project: str
    state: tuple[str, str | None]
    agent: str
    machine: str
    by: str
    at: datetime
    stage: str = ""
    note: str = ""

    @property
    def href(self) -> str:
        return f"/console/tasks/{self.id}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the board; `more` says that older ones are left out."""

    name: str
    rows: tuple[TaskRow, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    columns: tuple[Column, ...]
    projects: tuple[tuple[str, str], ...]
    """Keys and names of the projects that the reader may create tasks in or see."""

    @property
    def empty(self) -> bool:
        return not any(column.rows for column in self.columns)


@dataclass(frozen=True, slots=True)
class StageRow:
    """`seconds` once it has ended, `since` while it runs."""

    name: str
    state: str
    seconds: float | None = None
    since: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class GateView:
    """A question that is open. `why_not` says why the reader may not answer it, empty where they may."""

    index: int
    of: int
    stage: str
    kind: str
    question: str
    choices: tuple[str, ...]
    closes: datetime
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    at: datetime
    type: str
    message: str
    level: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class MessageRow:
    text: str
    by: str
    at: datetime
    delivered: datetime | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What the agent reported. `share` is a percentage of the budget, None without one."""

    cost: float | None
    budget: float | None
    tokens: int
    share: int | None = None


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task. `live`: it has a terminal now; `may_take`: the reader may hold its keyboard. `recording`: where what
    its last terminal showed is told, empty where nothing is kept.
    """

    row: TaskRow
    description: str
    branch: str
    base: str
    commit: str
    merge_request: str
    attempt: int
    stages: tuple[StageRow, ...]
    gate: GateView | None
    messages: tuple[MessageRow, ...]
    spent: Spent | None
    error: tuple[str, str] | None
    queued_for: str
    active: bool
    live: bool
    may_act: bool
    may_retry: bool
    may_take: bool
    stream: str
    finished: datetime | None = None
    files: str = ""
    recording: str = ""
    may_spend: bool = False


@dataclass(frozen=True, slots=True)
class NewTask:
    """What the form asks for; empty strings mean unsaid. `pipeline` is JSON."""

    project: str
    description: str
    machine: str = ""
    agent: str = ""
    branch: str = ""
    budget: str = ""
    pipeline: str = ""


@dataclass(frozen=True, slots=True)
class NewTaskChoices:
    """What the form offers: pairs of a value and its label."""

    projects: tuple[tuple[str, str], ...]
    machines: tuple[tuple[str, str], ...]
    agents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MachineView:
    """A worker that runs agents, as tasks see it."""

    uid: str
    name: str
    state: tuple[str, str | None]
    agents: tuple[str, ...]
    slots: str
    cpu: float | None
    memory: float | None
    disk: float | None
    hardware: str
    version: str
    seen: datetime | None
    draining: bool
    may_drain: bool
    tasks: tuple[TaskRow, ...] = ()
    degraded: tuple[str, ...] = ()
    at_most: int = 0
    drain_reason: str = ""
    gone: bool = False

    @property
    def href(self) -> str:
        return f"/console/tasks/machines/{self.uid}"


@dataclass(frozen=True, slots=True)
class Member:
    id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class TaskProjectView:
    """A project with what tasks need of it. `stages` are those of its own pipeline, or of the settings' (not `own`):
    their names, and what each waits for. `custom_agent` is JSON, empty where there is none.
    """

    key: str
    name: str
    repo_url: str
    ssh_url: str
    branch: str
    agent: str
    stages: tuple[tuple[str, str], ...]
    own: bool
    setup: str
    cleanup: str
    has_token: bool
    may_manage: bool
    members: tuple[Member, ...]
    people: tuple[tuple[str, str], ...]
    description: str = ""
    most_tasks: int = 0
    budget: float | None = None
    tasks: int = 0
    custom_agent: str = ""

    @property
    def href(self) -> str:
        return f"/console/tasks/projects/{self.key}"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification of the reader."""

    id: int
    title: str
    text: str
    href: str
    at: datetime
    read: bool


@dataclass(frozen=True, slots=True)
class TaskLog:
    row: TaskRow
    log: LogView
