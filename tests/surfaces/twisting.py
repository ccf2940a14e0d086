"""Calls of one organization with the ids of another put in their place."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from support.acts import Act

Place = tuple[str, ...]
FORM = re.compile(r"[a-z]{2,8}_[0-9a-z]{12}|org_\w+|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBERED = re.compile(r"id|(?!permission_|role_ids)\w+_ids?")
"""Keys of ids that are numbers. Permissions are everybody's; roles in a list that there are not are left out, as
documented."""
NAMED = {"user", "sourceFingerprint"}
"""Where something is called by a name that its organization chose, or by what it was made from."""
NONSENSE: tuple[Any, ...] = (
    "nobody", "0", "-1", "9" * 40, "prj_000000000000", "org_000000000000", "0" * 32, "%00", "' OR 1=1 --",
    "00000000-0000-7000-8000-000000000000", "é" * 300, "*", "null",
)  # fmt: skip


def places(act: Act) -> list[tuple[Place, Any]]:
    """Where ids stand in a call, and which."""
    found = [(("path", name), value) for name, value in act.path.items() if is_id(name, value)]
    found += [(("query", name), value) for name, value in act.query.items() if is_id(name, value)]
    return found + [(("body", *place), value) for place, value in _inside(act.body, "")]


def is_id(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        return NUMBERED.fullmatch(name) is not None
    return isinstance(value, str) and (FORM.fullmatch(value) is not None or name in NAMED)


def _inside(value: Any, name: str) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from (((key, *place), found) for place, found in _inside(inner, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from (((str(index), *place), found) for place, found in _inside(inner, name))
    elif is_id(name, value):
        yield (), value


def put(act: Act, place: Place, value: Any) -> Act:
    """The same call with another value at a place."""
    made = replace(act, path=dict(act.path), query=dict(act.query), body=copy.deepcopy(act.body))
    where: Any = {"path": made.path, "query": made.query, "body": made.body}
    *way, last = place
    for step in way:
        where = where[int(step)] if isinstance(where, list) else where[step]
    if isinstance(where, list):
        where[int(last)] = value
    else:
        where[last] = value
    return made


def twisted(draw: random.Random, mine: Act, theirs: Act | None, pool: list[Any]) -> Act | None:
    """Some of the ids of a call (most often all) replaced by those that stand in their place in the other's call, by
    any others of theirs, or by nonsense. None for a call without ids.
    """
    found = places(mine)
    if not found:
        return None
    chosen = found if draw.random() < 0.6 else draw.sample(found, draw.randint(1, len(found)))
    counterpart = dict(places(theirs)) if theirs is not None else {}
    made = mine
    for place, before in chosen:
        dice = draw.random()
        if dice < 0.7 and place in counterpart:
            value = counterpart[place]
        elif dice < 0.85:
            value = draw.choice(pool)
        else:
            value = draw.choice(NONSENSE)
        if isinstance(before, int) and dice >= 0.7:
            value = draw.choice([0, -1, 2**62])
        made = put(made, place, str(value) if place[0] == "path" else value)
    return made if places_of(made, chosen) != chosen else None


def places_of(act: Act, chosen: list[tuple[Place, Any]]) -> list[tuple[Place, Any]]:
    """What stands now where `chosen` stood."""
    found = []
    for place, _ in chosen:
        where: Any = {"path": act.path, "query": act.query, "body": act.body}
        for step in place:
            where = where[int(step)] if isinstance(where, list) else where[step]
        found.append((place, where))
    return found
