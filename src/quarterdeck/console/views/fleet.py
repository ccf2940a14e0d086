"""A server as its page shows it, what was seen of it, and the keys that servers are reached with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quarterdeck.console.views.deployments import Fact


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One thing that was looked at: `state` is passed, failed or skipped. `fingerprint` is a key to be compared."""

    name: str
    state: str
    message: str
    seconds: float
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """`state` is healthy, degraded or unreachable."""

    state: str
    checks: tuple[LookedAt, ...]

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
class ServerView:
    """`edge` is the state of its edge, `signing_in` how it is signed in to, in words."""

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
    blockers: tuple[str, ...]

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
    """What the form of a new server asks for. `credential` is a reference, `agent`, or empty for this machine."""

    name: str = ""
    host: str = ""
    port: str = "22"
    credential: str = ""
    username: str = ""
    edge: str = "caddy"


@dataclass(frozen=True, slots=True)
class CredentialRow:
    ref: str
    name: str
    username: str
    since: datetime
    used_by: tuple[str, ...]
