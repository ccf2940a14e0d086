"""A pipeline as its editor shows it: what was typed, whether it is right or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quarterdeck.console.views.shell import Field

DEFAULT = "-"
"""In a key's place: the pipeline of projects that have none. No project has this key."""
EXAMPLE = (
    '[{"name": "plan", "command": "Say how you would do this, and change nothing yet: {description}"}, '
    '{"name": "build", "command": "Do it as you said, with tests, and commit.", "confirm": true}]'
)
"""A pipeline with a gate that works as it stands."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`stages` are plain values by the names of the wire. `own`: it is the project's, and not that of the settings."""

    key: str
    name: str
    stages: tuple[Mapping[str, object], ...]
    own: bool
    may_change: bool

    @property
    def href(self) -> str:
        return f"/console/tasks/pipelines/{self.key}"

    @property
    def back(self) -> str:
        return "/console/tasks/settings" if self.key == DEFAULT else f"/console/tasks/projects/{self.key}"


@dataclass(frozen=True, slots=True)
class StageForm:
    """One stage in the form: what is always seen, and what seldom says anything, folded away unless it does."""

    number: int
    name: str
    fields: tuple[Field, ...]
    seldom: tuple[Field, ...]
    error: str = ""
    first: bool = False
    last: bool = False
    open: bool = False
