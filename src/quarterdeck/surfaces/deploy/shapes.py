"""Small pieces that several rooms of the deploy surface answer with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import UnsetType

from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.http.failures import Issue, Malformed
from quarterdeck.surfaces.shared.values import given

MOST = 500
DEFAULT_LIMIT = 100


def plain(struct: Any) -> dict[str, Any] | None:
    """A wire struct as a dict with wire names, without what was left out; None for None and UNSET."""
    if struct is None or isinstance(struct, UnsetType):
        return None
    import msgspec

    result: dict[str, Any] = msgspec.to_builtins(struct)
    return result


def at(moment: datetime | None) -> str | None:
    return None if moment is None else wire_time(moment)


def instant_of(text: str, name: str = "before") -> datetime:
    """A time of a body. One that matches the pattern and names no instant (31 February) is refused as its shape is."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed(Issue("invalid_format", (name,), "There is no such instant.", expected="date-time")) from None


def present(**values: Any) -> dict[str, Any]:
    """A body without its empty values: optional fields are omitted, never null."""
    return {key: value for key, value in values.items() if value is not None}


def limit_of(query: Any, most: int = MOST) -> int:
    """The `limit` of a list query, within its documented maximum."""
    limit = given(query.limit)
    return min(int(limit), most) if limit else DEFAULT_LIMIT
