"""The first page: what needs the reader, what runs, how things are, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NeedsYou:
    """Something a person should answer or look at; `meta` says why, by when, and what happens otherwise."""

    tone: str
    title: str
    href: str
    meta: tuple[str, ...]
    action: str


@dataclass(frozen=True, slots=True)
class RunningNow:
    """`percent` is None when the end is not known; `state` is then its tone and its word."""

    title: str
    href: str
    detail: str
    percent: int | None
    since: datetime
    state: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    value: str
    tone: str
    word: str
    href: str


@dataclass(frozen=True, slots=True)
class Happening:
    tone: str
    who: str
    text: str
    subject: str
    href: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Home:
    """A part that is None is nothing that the reader may see."""

    needs: tuple[NeedsYou, ...] | None
    running: tuple[RunningNow, ...] | None
    tiles: tuple[Tile, ...]
    activity: tuple[Happening, ...] | None
    projects: int | None

    @property
    def hidden(self) -> bool:
        """Whether the reader may see none of it."""
        return not self.tiles and all(one is None for one in (self.needs, self.running, self.activity, self.projects))
