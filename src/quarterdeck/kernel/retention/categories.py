"""The registry: each room says what of its own grows, how long it stays and how it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

HOUR = 3600
Prune = Callable[[Any, datetime], Awaitable[int]]
"""Given the instance and an instant: take away what is older, answer how much that was. Repeating it is harmless."""


@dataclass(frozen=True, slots=True)
class Category:
    """`keep` is how long a thing of it stays, None for ever (then `prune` is never called). `every` is in seconds."""

    name: str
    what: str
    keep: timedelta | None
    prune: Prune
    every: int = 24 * HOUR


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
    """Streams of events and lines that begin so are history: housekeeping never touches them."""
    _spared.add(prefix)


def spared() -> tuple[str, ...]:
    return tuple(sorted(_spared))


def find(name: str) -> Category | None:
    return _known.get(name)
