"""A documented operation of the deploy surface, and where to find it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from quarterdeck.surfaces.deploy.wire.operations import ROOMS

WIRE = "quarterdeck.surfaces.deploy.wire"


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the contract. Types are `room:Name` and resolved when asked for, so that a room loads when used."""

    key: str
    method: str
    path: str
    summary: str
    auth: str
    status: int
    errors: tuple[tuple[int, str], ...] = ()
    body: str | None = None
    query: str | None = None
    response: str | None = None
    done: str | None = None
    body_required: bool = False
    stream: bool = False

    def type(self, part: str) -> Any:
        """The wire type of `body`, `query`, `response` or `done`; None when the operation has none."""
        reference = getattr(self, part)
        if reference is None:
            return None
        room, _, name = reference.partition(":")
        return getattr(import_module(f"{WIRE}.{room}"), name)


@cache
def _table(room: str) -> dict[str, Operation]:
    return {row.key: row for row in import_module(f"{WIRE}.operations.{room}").OPERATIONS}


def operation_named(key: str) -> Operation:
    """The operation of a key (`projects.create`; streaming twins end in `/stream`). Raises KeyError for others."""
    return _table(ROOMS[key])[key]


def every_operation() -> list[Operation]:
    return [operation_named(key) for key in ROOMS]
