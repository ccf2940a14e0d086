"""What makes machines of agent tasks known, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """A token; `state` is its status, `machine` the uid and name of whom it has enrolled."""

    id: int
    label: str
    state: str
    made: datetime
    by: str
    until: datetime | None = None
    machine: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return self.label or f"Token {self.id}"


@dataclass(frozen=True, slots=True)
class NewEnrolment:
    """`secret` is shown this once."""

    name: str
    secret: str
