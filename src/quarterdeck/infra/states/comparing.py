"""What differs between two versions of a state: by the address of a resource, and which of its attributes.

Values are told only to whoever may read states, and never those that Terraform, or their name, calls sensitive.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from quarterdeck.kernel.redaction import sensitive
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault import MASK

MOST_RESOURCES, MOST_ATTRIBUTES = 500, 100
LONGEST_VALUE, DEEPEST = 1000, 6
_MISSING: Any = object()
Action = Literal["create", "update", "delete"]


class Attribute(Struct, kw_only=True):
    """`before` and `after` are left out of what was not asked with values."""

    path: str
    sensitive: bool = False
    before: Any | UnsetType = UNSET
    after: Any | UnsetType = UNSET


class Change(Struct, kw_only=True):
    address: str
    action: Action
    attributes: list[Attribute] = field(default_factory=list)


class Difference(Struct, kw_only=True):
    """`left_out` counts resources that differ beyond those that are listed."""

    summary: dict[str, int]
    changes: list[Change]
    left_out: int


class _Key(Struct, gc=False):
    index_key: int | str | None = None


class _Instance(Struct):
    attributes: dict[str, Any] | None = None
    sensitive_attributes: list[Any] | None = None


class _Resource(Struct, gc=False):
    mode: str
    type: str
    name: str
    instances: list[Raw]
    module: str = ""


class _Read(Struct):
    resources: list[_Resource] | None = None
    outputs: dict[str, Raw] | None = None


class _Output(Struct):
    value: Any = None
    sensitive: bool = False


def compare(before: bytes, after: bytes, *, values: bool) -> Difference:
    """From one state to another; both were checked when they were written. An instance that is the same to the byte is
    not looked into, so that two large states that hardly differ cost little.
    """
    was, becomes = dict(_things(before)), dict(_things(after))
    summary = {"create": 0, "update": 0, "delete": 0}
    changes: list[Change] = []
    for address in sorted({*was, *becomes}):
        change = _change(address, was.get(address), becomes.get(address), values)
        if change is not None:
            summary[change.action] += 1
            changes.append(change)
    return Difference(summary=summary, changes=changes[:MOST_RESOURCES], left_out=max(len(changes) - MOST_RESOURCES, 0))


def _things(data: bytes) -> Iterator[tuple[str, tuple[Raw, bool]]]:
    """Address to what stands there, and whether it is an output."""
    read = msgspec.json.decode(data, type=_Read)
    decode = msgspec.json.Decoder(_Key).decode
    for one in read.resources or ():
        kind = f"{one.type}.{one.name}" if one.mode == "managed" else f"{one.mode}.{one.type}.{one.name}"
        base = f"{one.module}.{kind}" if one.module else kind
        for raw in one.instances:
            key = decode(raw).index_key
            yield (base if key is None else f"{base}[{msgspec.json.encode(key).decode()}]"), (raw, False)
    for name, raw in (read.outputs or {}).items():
        yield f"output.{name}", (raw, True)


def _change(
    address: str, was: tuple[Raw, bool] | None, becomes: tuple[Raw, bool] | None, values: bool
) -> Change | None:
    if was is None or becomes is None:
        return Change(address=address, action="create" if was is None else "delete")
    if bytes(was[0]) == bytes(becomes[0]):
        return None
    (left, left_marks), (right, right_marks) = _leaves(*was), _leaves(*becomes)
    marks = left_marks + right_marks
    found = []
    for path in sorted({*left, *right}):
        one, other = left.get(path, _MISSING), right.get(path, _MISSING)
        if one == other and type(one) is type(other):
            continue
        hidden = _hidden(path, marks)
        told = Attribute(path=".".join(path), sensitive=hidden)
        if values:
            told.before, told.after = _shown(one, hidden), _shown(other, hidden)
        found.append(told)
    return Change(address=address, action="update", attributes=found[:MOST_ATTRIBUTES]) if found else None


def _leaves(raw: Raw, output: bool) -> tuple[dict[tuple[str, ...], Any], list[tuple[str, ...]]]:
    """Values by their paths, and the paths below which everything is sensitive."""
    try:
        if output:
            told = msgspec.json.decode(raw, type=_Output)
            return dict(_flat(("value",), told.value)), [("value",)] if told.sensitive else []
        one = msgspec.json.decode(raw, type=_Instance)
    except UNREADABLE:
        return {("(unreadable)",): bytes(raw)}, [("(unreadable)",)]
    return dict(_flat((), one.attributes or {})), [_path(mark) for mark in one.sensitive_attributes or ()]


def _flat(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if len(path) < DEEPEST and isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat((*path, str(key)), item)
    elif len(path) < DEEPEST and isinstance(value, list) and value:
        for at, item in enumerate(value):
            yield from _flat((*path, str(at)), item)
    else:
        yield path, value


def _path(mark: Any) -> tuple[str, ...]:
    """A path as Terraform writes it: `[{"type": "get_attr", "value": "password"}, …]`. One that is not understood marks
    everything.
    """
    steps = mark if isinstance(mark, list) else []
    path = []
    for step in steps:
        value = step.get("value") if isinstance(step, dict) else None
        if isinstance(value, dict):  # an index is wrapped with its type
            value = value.get("value")
        if not isinstance(value, str | int | float):
            break
        path.append(str(value))
    return tuple(path)


def _hidden(path: tuple[str, ...], marks: list[tuple[str, ...]]) -> bool:
    return any(path[: len(mark)] == mark for mark in marks) or any(sensitive(word) for word in path)


def _shown(value: Any, hidden: bool) -> Any:
    if value is _MISSING or value is None:
        return None
    if hidden:
        return MASK
    if isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
