"""What a change makes of the values of a resource, place by place, so that what differs is always seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from quarterdeck.cli.names import Row

WIDEST = 60
"""Characters of a value, where not everything was asked for."""
MASK = "****"
ABSENT = object()


class Side(NamedTuple):
    """A value as it is written; `cut`: not all of it."""

    text: str
    cut: bool = False


class Place(NamedTuple):
    """`before` and `after` as they are written; None where that side says nothing."""

    path: str
    before: Side | None
    after: Side | None


def places(attribute: Row, action: str, *, whole: bool = False) -> list[Place]:
    """The places of one attribute of a change (infra §3.3) that differ, nested ones each by itself. Long values are cut
    around the first difference, and not at all with `whole`.
    """
    path = str(attribute["path"])
    if attribute["sensitive"]:
        return [Place(path, None, Side("(sensitive)"))]
    was = ABSENT if action == "create" else attribute["before"]
    becomes = ABSENT if action in {"delete", "forget"} else attribute["after"]
    if attribute["unknown"] and becomes is not ABSENT:
        before = None if was is ABSENT else _side(_text(was), 0, whole)
        return [Place(path, before, Side("(known after apply)"))]
    return [_place(one, action, whole) for one in _leaves(path, was, becomes)]


def _leaves(path: str, was: Any, becomes: Any) -> Iterator[tuple[str, Any, Any]]:
    if was == becomes and type(was) is type(becomes) and was is not ABSENT:
        return
    if _either(was, becomes, dict):
        left, right = _or(was, {}), _or(becomes, {})
        for name in dict.fromkeys((*left, *right)):
            yield from _leaves(f"{path}.{name}", left.get(name, ABSENT), right.get(name, ABSENT))
    elif _either(was, becomes, list) and (_nested(was) or _nested(becomes)):
        left, right = _or(was, []), _or(becomes, [])
        for at in range(max(len(left), len(right))):
            yield from _leaves(f"{path}[{at}]", *(side[at] if at < len(side) else ABSENT for side in (left, right)))
    else:
        yield path, was, becomes


def _either(was: Any, becomes: Any, kind: type) -> bool:
    """Whether one side is such a thing that is not empty, and the other one too, or nothing."""
    sides = [side for side in (was, becomes) if side is not ABSENT and side is not None]
    return any(sides) and all(isinstance(side, kind) for side in sides)


def _or(side: Any, empty: Any) -> Any:
    return empty if side is ABSENT or side is None else side


def _nested(side: Any) -> bool:
    """Whether a list is told entry by entry: it holds more than plain values, or is too long for one line."""
    if not isinstance(side, list):
        return False
    return any(isinstance(item, dict | list) for item in side) or len(_text(side)) > WIDEST


def _place(leaf: tuple[str, Any, Any], action: str, whole: bool) -> Place:
    path, was, becomes = leaf
    if MASK in (was, becomes):
        return Place(path, None, Side("(sensitive)"))
    left, right = ("" if side is ABSENT else _text(side) for side in (was, becomes))
    first = 0
    if ABSENT not in (was, becomes):
        first = next((at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other),
                     min(len(left), len(right)))  # fmt: skip
    before = None if was is ABSENT else _side(left, first, whole)
    after = None if becomes is ABSENT else _side(right, first, whole)
    both = action not in {"create", "delete", "forget"}
    return Place(path, before or (Side("(none)") if both else None), after or (Side("(none)") if both else None))


def _side(text: str, first: int, whole: bool) -> Side:
    """The part of a text around the first difference."""
    if whole or len(text) <= WIDEST:
        return Side(text)
    start = min(max(first - WIDEST // 3, 0), len(text) - WIDEST)
    end = start + WIDEST
    return Side(f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}", cut=True)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
