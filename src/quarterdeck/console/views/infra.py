"""Zones and specifications as their pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.infra_plans import ChangeRow
from quarterdeck.console.views.shell import Note

INFRA = "/console/infra"
SPECS, ZONES, PLANS, JOBS = (f"{INFRA}/{word}" for word in ("specs", "zones", "plans", "jobs"))
RUNNERS, CLOUDS, CLUSTERS = (f"{INFRA}/{word}" for word in ("runners", "clouds", "clusters"))
State = tuple[str, str, str | None]
"""A kind of `console.state`, a state of it, and what narrows it."""


@dataclass(frozen=True, slots=True)
class SpecRow:
    """`told` says what somebody should know beside its state; `pending`: it says another thing than what stands."""

    uid: str
    name: str
    stage: str
    provider: str
    region: str
    state: State
    cost: float | None
    updated: datetime
    zone: tuple[str, str] | None = None
    told: str = ""
    pending: bool = False
    drifted: bool = False

    @property
    def href(self) -> str:
        return f"{SPECS}/{self.uid}"


@dataclass(frozen=True, slots=True)
class SpecsAsked:
    """What a list is narrowed to; empty fields leave it open."""

    words: str = ""
    zone: str = ""
    status: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True)
class SpecList:
    """`zones` are uids and names to choose from; `older` is the address of the next page, by the last row's uid."""

    rows: tuple[SpecRow, ...]
    older: str | None
    zones: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """`specs` are the newest of its `count`."""

    uid: str
    name: str
    description: str
    approvals: int
    destroy_approvals: int
    count: int
    made: datetime
    specs: tuple[SpecRow, ...] = ()

    @property
    def href(self) -> str:
        return f"{ZONES}/{self.uid}"


@dataclass(frozen=True, slots=True)
class DriftView:
    """What a look for drift found: `at` is None where nobody has looked; `every` is in minutes."""

    at: datetime | None
    drifted: bool
    changes: tuple[ChangeRow, ...]
    left_out: int
    every: int | None
    due: datetime | None
    why_not: str
    """What keeps a look from making sense now; empty where it does."""
    failing: tuple[str, str] | None = None
    """Why looks fail, and the page of the last one; None where they do not, or only one did."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job of a specification that goes on, waits, or asks for something."""

    uid: str
    title: str
    href: str
    state: State
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class NewestPlan:
    """The newest plan of a specification that succeeded. `delta` counts its changes by sign, tone and word; `ready`: it
    waits to be agreed to or applied.
    """

    href: str
    at: datetime
    delta: tuple[tuple[str, str, int, str], ...]
    ready: bool


@dataclass(frozen=True, slots=True)
class SpecView:
    """One specification. `outputs` are name and value, the latter None where it is not shown; `removal` says why it is
    not deleted, `why_not_destroy` why nothing is destroyed. `lock` is who holds the state.
    """

    row: SpecRow
    version: int
    facts: tuple[Fact, ...]
    sections: tuple[tuple[str, tuple[Fact, ...]], ...]
    outputs: tuple[tuple[str, str | None], ...]
    drift: DriftView
    resources: int
    orphan_risk: str
    jobs: tuple[Waiting, ...]
    busy: str
    removal: Note | None
    may_force: bool
    why_not_destroy: str
    lock: str
    has_state: bool
    applied: str
    runners: tuple[tuple[str, str], ...] = ()
    runner: str = ""
    plan: NewestPlan | None = None


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A document of before. `standing`: what was applied last."""

    number: int
    at: datetime
    by: str
    comment: str
    hash: str
    current: bool
    standing: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """What two versions say at one place, each as text, None for nothing."""

    label: str
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class VersionList:
    row: SpecRow
    rows: tuple[VersionRow, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class VersionDiff:
    since: int
    to: int
    rows: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class SpecChoices:
    """What a form of a specification offers: values and labels. `schema` is the JSON schema of the document."""

    zones: tuple[tuple[str, str], ...]
    identities: tuple[tuple[str, str], ...]
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SpecDraft:
    """A document that is being written; `version` is the one it was made from, 0 of a new one."""

    document: Mapping[str, Any]
    version: int = 0
    row: SpecRow | None = None
    has_token: bool = False


@dataclass(frozen=True, slots=True)
class FieldError:
    """`line` is where the field stands in a text, 0 where that is not known."""

    field: str
    message: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """Something to be downloaded."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
