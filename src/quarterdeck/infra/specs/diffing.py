"""What two documents say differently, place by place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from quarterdeck.infra.specs.canonical import text

TOLD = 100
"""Paths that an event names."""
MOST = 5000
"""Changes that are found; documents are bounded, and so is what can differ."""


@dataclass(frozen=True, slots=True)
class Change:
    """`path` is such as `databases[main].port`: entries of a list go by their name."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """In order of their paths."""
    found: list[Change] = []
    for one in _differing(dict(before), dict(after), ""):
        found.append(one)
        if len(found) == MOST:
            break
    return found


def _differing(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            yield from _beside(before, after, name, f"{path}.{name}" if path else name)
    elif _called(before) and _called(after) and (before or after):
        was, now = _by_name(before), _by_name(after)
        for name in [*was, *(one for one in now if one not in was)]:
            yield from _beside(was, now, name, f"{path}[{name}]")
        kept = [name for name in was if name in now]
        if kept != [name for name in now if name in was]:
            yield Change(path, "changed", list(was), list(now))
    elif text(before) != text(after):
        yield Change(path, "changed", before, after)


def _beside(before: Mapping[str, Any], after: Mapping[str, Any], name: str, path: str) -> Iterator[Change]:
    if name not in before:
        yield Change(path, "added", None, after[name])
    elif name not in after:
        yield Change(path, "removed", before[name], None)
    else:
        yield from _differing(before[name], after[name], path)


def _called(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and _key(one) for one in value)


def _by_name(value: list[dict[str, Any]]) -> dict[str, Any]:
    return {_key(one): one for one in value}


def _key(one: Mapping[str, Any]) -> str:
    found = one.get("name") or one.get("username")
    return found if isinstance(found, str) else ""
