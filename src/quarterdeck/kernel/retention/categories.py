"""The registry: each room says what of its own grows, how long it stays and how it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from quarterdeck.kernel.db import Tx

HOUR = 3600
Prune = Callable[[Any, datetime], Awaitable[int]]
"""Given the instance and an instant: take away what is older, answer how much that was. Repeating it is harmless."""


@dataclass(frozen=True, slots=True)
class Share:
    """Whose things are meant: those of one organization, or of all (and of none) except `without`."""

    organization_id: int | None = None
    without: tuple[int, ...] = ()

    def __contains__(self, organization_id: int | None) -> bool:
        if self.organization_id is not None:
            return organization_id == self.organization_id
        return organization_id not in self.without


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep of a category that people may say something about: older than `before`, of a share. `told` says that
    somebody asked for it; else it is what the program does by itself. A dry run only counts.
    """

    share: Share
    before: datetime
    told: bool = False
    dry_run: bool = False


Sweeper = Callable[[Any, Sweep], Awaitable[int]]
"""Given the instance and a sweep: answers how much went, or would go."""


@dataclass(frozen=True, slots=True)
class Category:
    """`keep` is how long a thing of it stays, None for ever. `every` is in seconds. It goes by `prune`, or, where
    defaults can be set for it under the name `governed`, by `sweep`.
    """

    name: str
    what: str
    keep: timedelta | None
    prune: Prune | None = None
    every: int = 24 * HOUR
    governed: str | None = None
    sweep: Sweeper | None = None


_known: dict[str, Category] = {}


def register(category: Category) -> Category:
    """Make a category known; one of the same name is replaced."""
    _known[category.name] = category
    return category


def categories() -> list[Category]:
    """All that are registered, by name."""
    return [_known[name] for name in sorted(_known)]


_spared: set[str] = set()


def spare(prefix: str) -> None:
    """Streams of events and lines that begin so are history: housekeeping never touches them by itself."""
    _spared.add(prefix)


def spared() -> tuple[str, ...]:
    return tuple(sorted(_spared))


_apart: set[str] = set()


def lines_apart(prefix: str) -> None:
    """Streams of lines that begin so have a category of their own."""
    _apart.add(prefix)


def apart() -> tuple[str, ...]:
    return tuple(sorted(_apart))


def find(name: str) -> Category | None:
    return _known.get(name)


There = Callable[[Tx, Sequence[str]], Sequence[str]]
"""Given names of streams: those whose things are still there."""

_lasting: dict[str, There] = {}


def lasting(prefix: str, there: There) -> None:
    """People hold numbers of events or lines of streams that begin so: one is not forgotten, and never begins anew, as
    long as its thing is there.
    """
    _lasting[prefix] = there


def over(tx: Tx, streams: Sequence[str]) -> list[str]:
    """Those of the streams that nothing is left of which could write to them under numbers that somebody holds."""
    kept = set[str]()
    for prefix, there in _lasting.items():
        some = [one for one in streams if one.startswith(prefix)]
        kept.update(there(tx, some) if some else ())
    return [one for one in streams if one not in kept]
