"""Whether a saved plan is the one that people read, asked before it is applied: runners are programs that others run,
and a saved plan carries its own configuration, which may do more than the changes say that it lists.
"""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from quarterdeck.infra.execution import planning
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Conflict, Problem
from quarterdeck.kernel.storable import storable

Form = Literal["plan", "changes"]
"""What was read: all of Terraform's JSON, or its list of changes alone, which is what foreign runners report."""
CONFIGURATION, ROOT = "tfconfig/m-", ""
LARGEST_FILE, MOST_FILES, LARGEST_INDEX = 4 << 20, 20_000, 16 << 20
LARGEST_BODY = 256 << 20
BACKEND_FIELD, TYPE_FIELD, CONFIG_FIELD, PACKED_FIELD = 13, 1, 2, 1
"""Numbers of fields in Terraform's own form of a plan (its `planfile.proto`)."""
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def differs(why: str) -> Problem:
    return Conflict(
        f"The saved plan is not what was read: {why}. Nothing was applied.",
        code="plan_differs",
        hint="Look who made the plan. Make a new one, read it, and apply that one.",
    )


def digest(summary: Mapping[str, Any], changes: Sequence[Any], form: Form) -> str:
    """`FORM:SHA256` of counts and changes as `planning.read` tells them."""
    told = _plain(storable({"summary": dict(summary), "changes": list(changes)}))
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return f"{form}:{hashlib.sha256(text.encode()).hexdigest()}"


def _plain(value: Any) -> Any:
    """Numbers as they come out of a report."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def require_read(content: bytes, reviewed: str) -> None:
    """Raise `Conflict` (`plan_differs`) unless this JSON of a plan is what the digest was made of."""
    form: Form = "changes" if reviewed.startswith("changes:") else "plan"
    plan = planning.read(content, changes_alone=form == "changes")
    if digest(plan.summary, plan.changes, form) != reviewed:
        raise differs("it would change something else")


def require_ours(plan: Path, module: Path, data: Path) -> None:
    """Raise `Conflict` (`plan_differs`) unless a saved plan carries the configuration of `module`, initialized with its
    data in `data`, and keeps its state where the job's environment says. Raises `Invalid` (`infra_plan_unreadable`).
    """
    places = {ROOT: module, **_modules(module, data)}
    try:
        with zipfile.ZipFile(plan) as archive:
            names = archive.namelist()
            if len(names) > MOST_FILES or len(set(names)) != len(names):
                raise planning.unreadable()
            for name in names:
                if name.startswith(CONFIGURATION):
                    _compare(name, _read(archive, name, LARGEST_FILE), places)
            _require_backend(_read(archive, "tfplan", LARGEST_BODY))
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError):
        raise planning.unreadable() from None


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise planning.unreadable()
    return content


def _modules(module: Path, data: Path) -> dict[str, Path]:
    """Where the called modules of a module lie, by their keys."""
    try:
        listed = json.loads(trees.beginning(data / "modules" / "modules.json", LARGEST_INDEX) or b"{}")
        return {one["Key"]: module / one["Dir"] for one in listed.get("Modules") or () if one["Key"] != ROOT}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise planning.unreadable() from None


def _compare(name: str, content: bytes, places: Mapping[str, Path]) -> None:
    key, _, file = name.removeprefix(CONFIGURATION).partition("/")
    place = places.get(key)
    if place is None or not file or "/" in file or file in {".", ".."}:
        raise differs(f"it has a module of its own, {key[:80]!r}")
    if trees.beginning(place / file, LARGEST_FILE + 1) != content:
        raise differs(f"its {file[:80]!r} is not that of the module")


def _require_backend(body: bytes) -> None:
    """The state's address and credential come of the environment alone: one that the plan names would be given both."""
    for backend in _fields(body, BACKEND_FIELD):
        kinds = list(_fields(backend, TYPE_FIELD))
        configs = [packed for one in _fields(backend, CONFIG_FIELD) for packed in _fields(one, PACKED_FIELD)]
        given = [msgspec.msgpack.decode(one) for one in configs]
        named = [one for one in given if not isinstance(one, dict) or any(item is not None for item in one.values())]
        if kinds != [b"http"] or named:
            raise differs("it keeps its state somewhere else")


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """The values of that field of a message of protocol buffers. Raises ValueError for what is none."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == VARINT:
            _, at = _varint(message, at)
            continue
        if kind == BYTES:
            length, at = _varint(message, at)
        elif kind in {FIXED64, FIXED32}:
            length = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(kind)
        if at + length > len(message):
            raise ValueError(length)
        if kind == BYTES and tag >> 3 == wanted:
            yield message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        number, at, shift = number | (byte & 0x7F) << shift, at + 1, shift + 7
        if byte < 0x80:
            return number, at
    raise ValueError(at)
