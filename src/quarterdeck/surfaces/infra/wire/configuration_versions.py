"""Versions of specifications."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class SpecVersionsQuery(Struct, kw_only=True):
    """`before` is the number of the last one of the page before."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 100
    before: Number | UnsetType = UNSET


class SpecVersion(Struct, kw_only=True):
    """`current` is what the specification says now, `applied` what stands."""

    id: str
    number: int
    configuration_hash: str
    user_id: str
    comment: str | None
    created_at: str
    current: bool
    applied: bool


class SpecVersions(Struct, kw_only=True):
    versions: list[SpecVersion]
    next: int | None


class SpecDiffQuery(Struct, kw_only=True, rename={"from_": "from"}):
    """Without `to` the newest is meant, without `from` the one before `to`."""

    from_: Number | UnsetType = UNSET
    to: Number | UnsetType = UNSET


class SpecChange(Struct, kw_only=True):
    """`path` is such as `databases[main].port`; entries of lists go by their names."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any


class SpecDiff(Struct, kw_only=True, rename={"from_": "from"}):
    from_: int
    to: int
    same: bool
    changes: list[SpecChange]
