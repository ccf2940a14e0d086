"""What an attempt at a task is given, and what it and the server say to each other about it (ADR 0037).

The order carries everything, secrets too: it is made when the job is claimed, sent, and kept nowhere. Each `…Report` is
sent by `context.record(kind, data)` with the kind that stands beside it; `…Answer`s are what the server replies.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

RUN = "task.run"
"""The kind of the job."""
TERMINAL = "terminal"
"""The report that asks for a token for this attempt's terminal; its answer is the token, as text."""
CHECK = "-check"
"""What the kind of a report ends with that asks for what an attempt may not have been told: `tunnel-check`."""
GateKind = Literal["confirm", "choice", "input"]
ErrorClass = Literal[
    "stage_timeout",
    "agent_exited",
    "agent_missing",
    "agent_auth",
    "rate_limited",
    "workspace_error",
    "git_push_failed",
    "rejected",
    "worker_lost",
    "cancelled",
    "gate_timeout",
    "budget_spent",
]
NOTES = frozenset({"log", "error", "notify"})
"""The types of events that a worker may note. What the others say (contract §3.4) has happened only once the server has
kept it: they are its own.
"""
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
MOST_TOKENS, MOST_DOLLARS = 10**15, 1_000_000.0
Tokens = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]
Dollars = Annotated[float, Meta(ge=0, le=MOST_DOLLARS)]
MOST_CHOICES, LONGEST_ANSWER = 100, 10_000
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Bytes = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Seconds = Annotated[int, Meta(le=10**9)]
Branch = Annotated[str, Meta(max_length=250)]
Commit = Annotated[str, Meta(max_length=64)]
Address = Annotated[str, Meta(max_length=1000)]
"""A path, or a URL."""
Word = Annotated[str, Meta(max_length=200)]
Answer = Annotated[str, Meta(max_length=LONGEST_ANSWER)]
"""What is longer than the columns for it is refused by either database alike. Words for people have no bound here: they
are cut where they are heard.
"""


def is_session(text: str) -> bool:
    """Whether it can be the session of an agent program: it becomes an argument, and shall look like no option."""
    return _SESSION.fullmatch(text) is not None


class Stage(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A stage as the pipeline has it (contract: tasks §3.2); times in seconds. `None`: what the settings say."""

    name: str
    command: str
    timeout: int | None = None
    confirm: bool = False
    choices: tuple[str, ...] = ()
    input: bool = False
    confirm_timeout: int | None = None
    on_timeout: Literal["fail", "fallback"] = "fail"
    fallback_result: str | None = None
    retries: int = 0
    continue_on_error: bool = False
    agent_type: str | None = None
    marker: str | None = None

    @property
    def gate(self) -> GateKind | None:
        if self.confirm:
            return "confirm"
        if self.choices:
            return "choice"
        return "input" if self.input else None


class Repository(Struct, frozen=True, kw_only=True):
    """Where the code is. `token` is used for HTTPS alone; SSH uses the machine's own key."""

    url: str
    default_branch: str
    token: str | None = None
    forge: Literal["github", "gitlab", "gitea"] | None = None
    forge_url: str | None = None
    """The base address of the forge's API; None: the public one of its kind, or what the repository's host tells."""


class Person(Struct, frozen=True, kw_only=True):
    """Whose commits they are."""

    name: str
    email: str


class AgentChoice(Struct, frozen=True, kw_only=True):
    """Which agent program, and for `custom` what it is (contract §9). `resume` is the session to go on with."""

    type: str
    custom: dict[str, Any] | None = None
    resume: str | None = None


class TaskOrder(Struct, frozen=True, kw_only=True):
    """Everything that a worker needs for one attempt."""

    task_id: int
    attempt: int
    organization: str
    project_key: str
    description: str
    pipeline: tuple[Stage, ...]
    from_stage: int = 0
    branch: str
    base_branch: str
    repository: Repository
    developer: Person
    agent: AgentChoice
    stage_seconds: int
    gate_seconds: int
    setup_command: str | None = None
    cleanup_command: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    merge_request: bool = True
    columns: int = 120
    rows: int = 40
    channel_token: str | None = None
    """Opens this attempt's terminal at `/api/workers/pty/<task id>`, once (ADR 0037)."""


class WorkspaceReport(Struct, frozen=True, kw_only=True):
    """`workspace`: the worktree is there. Sizes in bytes."""

    path: Address
    branch: Branch
    base_branch: Branch
    head_commit: Commit
    size: Bytes | None = None


class StageReport(Struct, frozen=True, kw_only=True):
    """`stage`: one stage began or ended. `number` counts the tries of it, from 1."""

    index: Count
    status: Literal["running", "completed", "failed", "skipped", "cancelled"]
    number: Count = 1
    message: str | None = None
    error: str | None = None


class GateReport(Struct, frozen=True, kw_only=True):
    """`gate`: a stage waits for a person; `gate-check` asks again, with the same fields. Seconds from the first asking.

    An agent's own question that was recognised is an `input` gate of the stage that runs.
    """

    index: Count
    kind: GateKind
    prompt: str
    choices: Annotated[tuple[Answer, ...], Meta(max_length=MOST_CHOICES)] = ()
    seconds: Seconds
    on_timeout: Literal["fail", "fallback"] = "fail"
    fallback: Answer | None = None


class GateAnswer(Struct, frozen=True, kw_only=True):
    """`open`: nobody has answered yet. `answered` carries the result; `rejected` and `timeout` end the task."""

    state: Literal["open", "answered", "rejected", "timeout"]
    result: str | None = None
    by: str | None = None


class AgentReport(Struct, frozen=True, kw_only=True):
    """`agent`: the program runs; `session` is what it is resumed by."""

    type: str
    version: str | None = None
    session: str | None = None
    pid: Count | None = None


class UsageReport(Struct, frozen=True, kw_only=True):
    """`usage`: all that one session of an agent has used so far, in earlier attempts, too, if it was gone on with.
    `session` None: the one session of this attempt, whose program has no name for it.
    """

    session: str | None = None
    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cost_usd: Dollars | None = None


class UsageAnswer(Struct, frozen=True, kw_only=True):
    spent: bool = False


class MessagesAnswer(Struct, frozen=True, kw_only=True):
    """Of `messages` with `{"after": number}`: the follow-ups after it, oldest first. With `"last": true` none are taken
    any more once there are none.
    """

    messages: tuple[FollowUp, ...] = ()


class FollowUp(Struct, frozen=True, kw_only=True):
    id: int
    text: str
    by: str


class DeliverReport(Struct, frozen=True, kw_only=True):
    """`deliver`, before anything is pushed: who is no longer the holder is refused here."""

    branch: Branch
    commit: Commit


class DeliveredReport(Struct, frozen=True, kw_only=True):
    """`delivered`."""

    branch: Branch
    commit: Commit
    pushed: bool
    merge_request_url: Address | None = None
    files_changed: Count = 0
    insertions: Count = 0
    deletions: Count = 0


class DiffReport(Struct, frozen=True, kw_only=True):
    """`diff`: what the task changes, of the worktree as it stands before the stage `index` waits for a person, or as it
    was left by an attempt that failed (both with `commit` None), or of the commit that was delivered. `base` is where
    the branch left its base. `patch` is a unified diff, masked nowhere yet, at most `tasks.workspaces.comparing.MOST`
    bytes; `cut`: there is more.
    """

    base: str
    commit: str | None = None
    index: Count | None = None
    files_changed: Count = 0
    insertions: Count = 0
    deletions: Count = 0
    patch: str = ""
    cut: bool = False


class NoteReport(Struct, frozen=True, kw_only=True):
    """`note`: something for the events of the task. `type` is one of `NOTES`; any other word is kept as `log`."""

    type: str
    message: str
    level: Literal["info", "warn", "error"] = "info"
    stage: Count | None = None
    data: dict[str, Any] = field(default_factory=dict)


class TunnelReport(Struct, frozen=True, kw_only=True):
    """`tunnel`: a state of contract §6, upper case."""

    state: str
    kind: str
    url: Address | None = None
    name: Word | None = None
    auth_prompt: Answer | None = None
    error: str | None = None


class TaskResult(Struct, frozen=True, kw_only=True):
    """The answer of an attempt that succeeded; what failed raises a `Problem` whose code is an `ErrorClass`."""

    branch: Branch
    commit: Commit | None = None
    pushed: bool = False
    merge_request_url: Address | None = None
