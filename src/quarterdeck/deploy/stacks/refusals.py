"""What is wrong with a stack: told by file, service and key, with the reason and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One obstacle. `message` names file, place and reason, `hint` what to do about it."""

    message: str
    hint: str


class Refused(Exception):
    """Raised while a file is read; carries its refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file: `compose.yml: service db, ports`."""

    file: str
    service: str | None = None
    key: str | None = None

    def at(self, key: str) -> Place:
        return Place(self.file, self.service, f"{self.key}.{key}" if self.key else key)

    def __str__(self) -> str:
        words = [f"service {self.service}" if self.service else None, self.key]
        told = ", ".join(word for word in words if word)
        return f"{self.file}: {told}" if told else self.file

    def refuse(self, why: str, hint: str) -> Refused:
        """The error to raise. `why` goes on behind the place: `… is …`."""
        return Refused(Refusal(f"{self} {why}.", hint))
