"""Requests for secrets as their pages show them: the inbox, one of them, what is asked for, what would happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.shell import Note

SECRETS = "/console/secrets"
REQUESTS, RULES, WORKFLOWS, AGENTS, CONNECTIONS, FOUND = (
    f"{SECRETS}/{word}" for word in ("requests", "policies", "workflows", "agents", "connections", "found")
)
ASK = f"{SECRETS}/ask"
FAMILY = "broker"
State = tuple[str, str, str | None]
KINDS = {"read": "Read", "patch": "Set keys", "update": "Replace", "rotate": "Rotate"}
"""What is asked for, as a button says it."""
PROVIDERS = {
    "vault": "Vault",
    "aws-sm": "AWS Secrets Manager",
    "kubernetes": "Kubernetes",
    "file": "Encrypted file of the server",
    "quarterdeck": "Variables of environments",
    "gcp-sm": "Google Secret Manager",
    "azure-kv": "Azure Key Vault",
}
BOXES = {"": "To decide", "mine": "Mine", "all": "All", "emergencies": "Emergencies"}


@dataclass(frozen=True, slots=True)
class RequestRow:
    """`place` is its project and environment; `until` is when it ends by itself as it stands; `mine`: the reader asked
    for it.
    """

    uid: str
    kind: str
    ref: str
    provider: str
    keys: int
    state: State
    by: str
    at: datetime
    place: str
    production: bool
    until: datetime | None = None
    emergency: bool = False
    unreviewed: bool = False
    mine: bool = False
    note: str = ""

    @property
    def href(self) -> str:
        return f"{REQUESTS}/{self.uid}"

    @property
    def title(self) -> str:
        return f"{KINDS.get(self.kind, self.kind)} {self.ref}"


@dataclass(frozen=True, slots=True)
class RequestsAsked:
    """`box` is one of `BOXES`."""

    box: str = ""
    status: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class RequestList:
    """`counts` are how many wait in a box; `older` is the uid that the next page begins behind."""

    rows: tuple[RequestRow, ...]
    older: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Choices:
    """What an asking form offers. `kept`: provider and connection as `vault:main`, without a name where agents bring
    their own; `places`: project and environment as `UID/production`.
    """

    kept: tuple[tuple[str, str], ...]
    places: tuple[tuple[str, str], ...]
    no_connections: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for, as it was chosen and typed; `values` are never shown again, and never printed."""

    kind: str = "read"
    kept: str = ""
    place: str = ""
    ref: str = ""
    keys: tuple[str, ...] = ()
    justification: str = ""
    length: str = "32"
    alphabet: str = "letters-digits"
    recipient: str = ""
    direct: bool = False
    emergency: bool = False
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class StepView:
    """`people` are some of those who may decide it; `role` is whose word it needs, empty for any who approve."""

    name: str
    required: int
    given: int
    role: str = ""
    people: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        return self.given >= self.required


@dataclass(frozen=True, slots=True)
class LookedView:
    """A rule that was looked at, and why it is taken or not."""

    name: str
    href: str
    priority: int
    whose: str
    workflow: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class TrialView:
    """What would happen. `notes` say what goes without approval, or does not though a rule says so."""

    sentence: str
    workflow: str
    steps: tuple[StepView, ...]
    notes: tuple[Note, ...]
    looked: tuple[LookedView, ...]


@dataclass(frozen=True, slots=True)
class VoteView:
    """`counts`: it was said of the request as it is now, and not of an earlier revision."""

    name: str
    agrees: bool
    comment: str
    at: datetime
    step: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline; without `at` it is still to come."""

    tone: str
    who: str
    text: str
    at: datetime | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A value that was delivered. `sealed`: only the requester's own key opens it."""

    uid: str
    key: str
    state: State
    until: datetime
    ready: bool
    sealed: bool
    size: int


@dataclass(frozen=True, slots=True)
class Rollout:
    """An application that uses what was changed, and what was seen of it."""

    name: str
    state: State
    note: str


@dataclass(frozen=True, slots=True)
class RequestView:
    """`why_not` says why the reader may not decide it; empty where they may. `recipient` is the public key that values
    are sealed to.
    """

    row: RequestRow
    reason: str
    keys: tuple[str, ...]
    why: str
    steps: tuple[StepView, ...]
    votes: tuple[VoteView, ...]
    timeline: tuple[Moment, ...]
    values: tuple[ValueRow, ...]
    rollouts: tuple[Rollout, ...]
    facts: tuple[Fact, ...]
    revision: int = 1
    open: bool = False
    why_not: str = ""
    may_cancel: bool = False
    may_edit: bool = False
    may_review: bool = False
    error: Note | None = None
    recipient: str = ""
    agent: str = ""

    @property
    def missing(self) -> int:
        return sum(one.required - one.given for one in self.steps if not one.done)


@dataclass(frozen=True, slots=True)
class Revealed:
    """A value that was given out this once; `encoding` is `text` or `base64`."""

    key: str
    value: str = field(repr=False)
    encoding: str
    sealed: bool
