"""Projects, their environments and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """`state` is a (kind, state) pair for `tone`, or None when nothing was ever deployed there."""

    ref: str
    name: str
    slug: str
    kind: str
    project: str
    environment: str
    state: tuple[str, str] | None
    doing: str
    url: str | None
    number: int | None
    changed: datetime | None

    @property
    def href(self) -> str:
        return f"/console/projects/{self.project}/{self.environment}/{self.slug}"


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    ref: str
    name: str
    slug: str
    kind: str
    lifecycle: str
    project: str
    resources: tuple[ResourceRow, ...]

    @property
    def href(self) -> str:
        return f"/console/projects/{self.project}/{self.slug}"


@dataclass(frozen=True, slots=True)
class ProjectRow:
    ref: str
    name: str
    slug: str
    description: str
    lifecycle: str
    environments: int
    resources: int
    worst: tuple[str, str] | None
    changed: datetime | None

    @property
    def href(self) -> str:
        return f"/console/projects/{self.slug}"


@dataclass(frozen=True, slots=True)
class ProjectView:
    ref: str
    name: str
    slug: str
    description: str
    lifecycle: str
    version: str
    environments: tuple[EnvironmentView, ...]

    @property
    def href(self) -> str:
        return f"/console/projects/{self.slug}"


@dataclass(frozen=True, slots=True)
class VariableRow:
    """A variable as it may be read: a secret's `value` is its mask already."""

    key: str
    value: str
    exposure: str
    secret: bool
    scope: str
    own: bool


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
