"""What every page shows around its own content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from quarterdeck.console.words import initials


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: for display, and for which buttons stand on the page. The rules are asked again on every command.
    `partly` are permissions that hold for some things alone.
    """

    name: str
    username: str
    email: str | None
    organization: str
    permissions: frozenset[str]
    zone: ZoneInfo | None = None
    partly: frozenset[str] = frozenset()

    @property
    def initials(self) -> str:
        return initials(self.name)

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def may_somewhere(self, permission: str) -> bool:
        return self.may(permission) or permission in self.partly

    def sees(self, family: str) -> bool:
        """Whether a room is theirs: one without a family is everybody's."""
        return not family or any(one.startswith(f"{family}:") for one in self.permissions | self.partly)


@dataclass(frozen=True, slots=True)
class Count:
    """A number beside a room: violet when a person is awaited, blue when something runs, red when it is broken."""

    tone: str
    number: int

    @property
    def meaning(self) -> str:
        return {"ask": "waiting for a person", "run": "running", "bad": "failed"}.get(self.tone, "")


@dataclass(frozen=True, slots=True)
class Crumb:
    label: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """An error, a warning or a refusal: what happened, to which thing, what to do next, whether anything changed."""

    tone: str
    title: str
    text: str = ""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """The same deed on the command line and over HTTP."""

    cli: str
    api: str


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form, with what was typed and what is wrong with it."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    hint: str = ""
    error: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False
    placeholder: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    full: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """Addresses of the neighbours of a keyset list."""

    older: str | None = None
    newer: str | None = None
