"""States of specifications as their pages show them: never what is in them, but what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from quarterdeck.console.views.infra import SpecRow
from quarterdeck.console.views.infra_plans import Attribute


@dataclass(frozen=True, slots=True)
class LockView:
    """Who holds a state, by the lock `uid`. `job` is the page of the job behind it; `left`: nobody works on it now."""

    uid: str
    who: str
    operation: str
    since: datetime | None
    job: str
    left: bool


@dataclass(frozen=True, slots=True)
class StateVersionRow:
    """`cause` in words; `contents`: there is something in it."""

    number: int
    serial: int
    at: datetime
    resources: int
    size: int
    cause: str
    reason: str
    by: str
    job: str
    current: bool
    contents: bool


@dataclass(frozen=True, slots=True)
class StateView:
    """`serial` is None where nothing counts any more."""

    row: SpecRow
    exists: bool
    version: int
    serial: int | None
    lineage: str
    resources: int
    lock: LockView | None
    versions: tuple[StateVersionRow, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class StateChange:
    address: str
    sign: str
    tone: str
    word: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class StateDiff:
    """`values`: with what the attributes were and are."""

    row: SpecRow
    since: int
    to: int
    changes: tuple[StateChange, ...]
    left_out: int
    values: bool
