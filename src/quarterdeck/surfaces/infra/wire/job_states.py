"""The state of a job, as Terraform's `http` backend speaks of it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

Word = Annotated[str, Meta(max_length=4000)]


class WriteQuery(Struct, kw_only=True):
    """`ID` is the lock under which the state is written."""

    lock_id: Annotated[str, Meta(max_length=200)] | UnsetType = field(default=UNSET, name="ID")


class Lock(Struct, kw_only=True):
    """Who locks, in Terraform's own words (its `statemgr.LockInfo`)."""

    lock_id: Word | UnsetType = field(default=UNSET, name="ID")
    operation: Word | UnsetType = field(default=UNSET, name="Operation")
    info: Word | UnsetType = field(default=UNSET, name="Info")
    who: Word | UnsetType = field(default=UNSET, name="Who")
    version: Word | UnsetType = field(default=UNSET, name="Version")
    created: Word | UnsetType = field(default=UNSET, name="Created")
    path: Word | UnsetType = field(default=UNSET, name="Path")

    def said(self) -> dict[str, Any]:
        told: dict[str, Any] = msgspec.to_builtins(self)
        return told


class StateToken(Struct, kw_only=True):
    """What Terraform's `http` backend is configured with; the addresses stand behind that of the server."""

    username: str
    password: str
    token: str
    path: str
    lock_path: str


class Nothing(Struct, kw_only=True):
    """An empty object: Terraform reads the status alone."""
