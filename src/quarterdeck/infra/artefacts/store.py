"""Where saved plans lie: what a place for them can do, whatever it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from quarterdeck.kernel.errors import Unavailable

_KEY = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/[0-9a-z]{16}")
"""The uid of a job, and what is drawn for each upload: what was kept before is never written over."""


class Lying(NamedTuple):
    """One that is there. `since` is when it was put there."""

    key: str
    since: datetime


class Store(Protocol):
    """Calls block. What is kept is sealed already: a store is never shown what is in a plan. Raises `Unavailable`
    (`artefact_store_unavailable`) where it cannot be reached or has no room.
    """

    @property
    def incoming(self) -> Path:
        """Where drafts are written: ours alone, on this machine."""
        ...

    def put(self, key: str, draft: Path) -> None:
        """Keep a draft for good under a new key; the draft is gone afterwards."""
        ...

    def open(self, key: str) -> BinaryIO | None:
        """From its beginning; None where it is not there."""
        ...

    def there(self, key: str) -> bool | None:
        """Whether it is there; None where that would take a call to somewhere else."""
        ...

    def delete(self, key: str) -> None:
        """One that is not there is gone already."""
        ...

    def listed(self) -> Iterator[Lying]:
        """Everything that is there."""
        ...


def is_key(text: str) -> bool:
    """Keys come back from tables and from listings: what is none never becomes a path."""
    return _KEY.fullmatch(text) is not None


def checked(key: str) -> str:
    if not is_key(key):
        raise ValueError("no key of an artefact")
    return key


def unavailable(what: str) -> Unavailable:
    return Unavailable(
        f"The place for saved plans cannot be used ({what}).",
        code="artefact_store_unavailable",
        hint="Look whether its disk has room, or its bucket can be reached with the credentials that are set, then try "
        "again.",
    )
