"""A program that asks to be let in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeviceView:
    """`state` is unknown, waiting, approved, ended or expired; what the program said of itself is empty until it has
    asked. `address` is whence it asked, `here` whence the reader came.
    """

    code: str
    state: str
    person: str
    organization: str
    here: str
    address: str = ""
    program: str = ""
    asked: datetime | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether it asks from another address than the reader's, which a link that somebody sent would too."""
        return self.state == "waiting" and self.address != self.here
