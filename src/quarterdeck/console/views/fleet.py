"""A server as its page shows it, what was seen of it, and the keys that servers are reached with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quarterdeck.console.views.deployments import Fact


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One thing that was looked at: `state` is passed, failed or skipped; `odd` is one that passed and is not as usual.
    `command` mends it on the machine itself. `fingerprint` is a key to be compared.
    """

    name: str
    state: str
    message: str
    seconds: float
    fingerprint: str = ""
    command: str = ""
    odd: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """`state` is healthy, degraded or unreachable; `host_key` the fingerprint of a machine that let us in."""

    state: str
    checks: tuple[LookedAt, ...]
    host_key: str = ""

    @property
    def another_key(self) -> str:
        """The fingerprint that a server shows in place of the pinned one."""
        return next((check.fingerprint for check in self.checks if check.fingerprint), "")


@dataclass(frozen=True, slots=True)
class EngineView:
    """The Docker engine of a server, in words. `steps` are titles and commands of the plan that `plan` names; `asks`:
    somebody has to agree first; `refusal` is why nothing can be done by us. `work` is the state of the newest work.
    """

    what: str
    use: str
    trouble: str = ""
    steps: tuple[tuple[str, str], ...] = ()
    plan: str = ""
    asks: bool = False
    refusal: str = ""
    work: str = ""
    work_problem: str = ""
    lines: tuple[str, ...] = ()
    refused: bool = False

    @property
    def busy(self) -> bool:
        return self.work in {"pending", "running", "retry-scheduled"}


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt to bring up the edge; `state` as of a job."""

    ref: str
    state: str
    reason: str
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """What is removed by itself, or only looked for: `server` is a reference or `*`, `place` the same in words, and
    `does` one of removes, looks and off.
    """

    ref: str
    server: str
    place: str
    days: int
    categories: tuple[str, ...]
    does: str


@dataclass(frozen=True, slots=True)
class PolicyForm:
    """A policy as it is typed. `server` is a reference or `*`."""

    name: str = ""
    server: str = "*"
    days: str = "30"
    categories: tuple[str, ...] = ("stopped-containers",)
    remove: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """A resource that a server runs; `state` is a (kind, state) pair."""

    title: str
    href: str
    state: tuple[str, str]


@dataclass(frozen=True, slots=True)
class SurveyView:
    """A machine as it was a moment ago. `edge` says how the edge runs as a state of its configuration; `others` are
    name and image of containers that are not ours; `problems` what could not be looked at.
    """

    edge: str
    edge_facts: tuple[Fact, ...]
    facts: tuple[Fact, ...]
    others: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]

    @property
    def edge_word(self) -> str:
        return {
            "applied": "Runs as wanted",
            "stale": "Runs another configuration",
            "not-ready": "Does not run",
            "not-configured": "Never started",
        }.get(self.edge, "Not seen")


@dataclass(frozen=True, slots=True)
class LeftRow:
    """Something of ours on a machine. `kept` says why it stays."""

    kind: str
    name: str
    removed: bool
    kept: str


@dataclass(frozen=True, slots=True)
class RemovalStep:
    """Something that is in the way of deleting a server, and the command that clears it away."""

    kind: str
    count: int
    words: str
    command: str


@dataclass(frozen=True, slots=True)
class ServerView:
    """`edge` is the state of its edge, `signing_in` how it is signed in to, in words; `edge_facts` what is known of the
    edge without looking. `placed` is what it runs, `builds` how many resources have their images built there.
    """

    ref: str
    name: str
    host: str
    local: bool
    lifecycle: str
    edge: str
    edge_kind: str
    edge_problem: str
    signing_in: str
    credential: str
    username: str
    facts: tuple[Fact, ...]
    attempts: tuple[AttemptRow, ...]
    removal: tuple[RemovalStep, ...]
    edge_facts: tuple[Fact, ...] = ()
    placed: tuple[Placed, ...] = ()
    builds: int = 0
    policies: tuple[PolicyRow, ...] = ()
    port: str = "22"

    @property
    def href(self) -> str:
        return f"/console/fleet/servers/{self.ref}"

    @property
    def active(self) -> bool:
        return self.lifecycle == "active"


@dataclass(frozen=True, slots=True)
class CapacityView:
    """`bars` are label, percent and words; `warnings` what is full or could not be measured."""

    bars: tuple[tuple[str, float, str], ...]
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """What the form of a new server asks for. `credential` is a reference, `agent`, `new` or `pasted` for a key that is
    not stored yet, or empty for this machine. `fingerprint` is the host key that was shown at `tested`, an address.
    """

    name: str = ""
    host: str = ""
    port: str = "22"
    credential: str = ""
    username: str = ""
    edge: str = "caddy"
    fingerprint: str = ""
    tested: str = ""

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def expected_key(self) -> str:
        """The host key that was shown at this very address, else nothing."""
        return self.fingerprint if self.host and self.tested == self.address else ""


@dataclass(frozen=True, slots=True)
class CredentialRow:
    ref: str
    name: str
    username: str
    since: datetime
    used_by: tuple[str, ...]
    public: str = ""

    @property
    def lets_in(self) -> str:
        return lets_in(self.public)


def lets_in(line: str) -> str:
    """The command that lets a key in, for the account itself on the machine; `line` is its public half."""
    return f"mkdir -p ~/.ssh && chmod 700 ~/.ssh && echo '{line}' >> ~/.ssh/authorized_keys"
