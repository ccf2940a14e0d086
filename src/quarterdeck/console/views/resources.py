"""One deployable thing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quarterdeck.console.views.deployments import DeploymentRow, DeploymentView, LogView


@dataclass(frozen=True, slots=True)
class RouteRow:
    """`state` is a readiness."""

    url: str
    label: str
    detail: str
    state: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """`state` is a step's."""

    label: str
    state: str
    detail: str


@dataclass(frozen=True, slots=True)
class Serving:
    """What answers now; `health` and `runtime` are states of those kinds."""

    number: int | None
    since: datetime | None
    image: str
    runtime: str
    health: str
    runtime_kind: str
    checks: tuple[CheckRow, ...]


@dataclass(frozen=True, slots=True)
class ResourceHead:
    """What stands above every tab; `state` is a (kind, state) pair, `builder` another server that builds its images."""

    ref: str
    name: str
    slug: str
    kind: str
    lifecycle: str
    project: str
    project_name: str
    environment: str
    environment_name: str
    source: str
    server: str
    url: str | None
    state: tuple[str, str]
    state_word: str
    active: DeploymentRow | None
    blocked: str
    version: str
    builder: str = ""

    @property
    def href(self) -> str:
        return f"/console/projects/{self.project}/{self.environment}/{self.slug}"

    @property
    def path(self) -> str:
        """How the command line names it."""
        return f"{self.project}/{self.environment_name}/{self.slug}"


@dataclass(frozen=True, slots=True)
class ResourceView:
    """`undeployed` names what has changed since the newest deployment was admitted."""

    head: ResourceHead
    deployment: DeploymentView | None
    log: LogView | None
    history: tuple[DeploymentRow, ...]
    total: int
    routes: tuple[RouteRow, ...]
    serving: Serving | None
    undeployed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptRow:
    """Lines that were kept; `about` names the version, the service and the server as far as they are known."""

    ref: str
    at: datetime
    lines: int
    reason: str
    about: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Values of the settings forms by form and field, in the words of the contract, and their version."""

    version: str
    values: dict[str, dict[str, str]]
    delete_blockers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a source, why, and what would be done with it."""

    framework: str
    evidence: tuple[str, ...]
    strategy: str
    facts: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]
    port: str
    warnings: tuple[str, ...]
    ready: bool
    commit: str
