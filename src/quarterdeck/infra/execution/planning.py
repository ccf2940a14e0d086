"""Terraform's JSON of a plan as what a person reads: counts, and for each resource what changes, without a secret."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarterdeck.infra.execution import reasons
from quarterdeck.infra.execution.redacting import UNKNOWN, masked, secrets_of
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.text import shown

MOST_ENTRIES = 2000
MOST_BYTES = 160 << 10
"""Bytes of values that are told; entries beyond keep their address and action."""
MOST_LISTED = 220 << 10
"""Bytes of all entries: they become part of metadata that may have 256 KiB."""
LONGEST_VALUE = 4096
LONGEST_ADDRESS = 500
LARGEST_STATE = 64 << 20
ACTIONS = ("create", "update", "delete", "replace", "read", "forget", "no_op")


@dataclass(frozen=True)
class Planned:
    """`summary` counts each of `ACTIONS` and `drifted`, `imported`. `changes` are those that change something, each
    `{address, type, action, before, after}`, with `reason` (`reasons.REASONS`) and `forced_by`, the places that force a
    replacement, where there are such, and `truncated` where values are left out; `drift` the same of what was changed
    by somebody else. `secrets` are texts that must not be shown anywhere.
    """

    summary: dict[str, int]
    changes: list[dict[str, Any]]
    drift: list[dict[str, Any]]
    truncated: bool
    secrets: set[str] = field(repr=False)


def unreadable() -> Problem:
    return Invalid(
        "The plan cannot be read.",
        code="infra_plan_unreadable",
        hint="Update terraform on the runner, then plan again.",
    )


def read(content: bytes, *, changes_alone: bool = False) -> Planned:
    """`changes_alone`: of its list of changes, as if there were nothing else. Raises `Invalid`
    (`infra_plan_unreadable`).
    """
    try:
        plan = json.loads(content)
    except (ValueError, RecursionError):
        raise unreadable() from None
    return of(plan, changes_alone=changes_alone)


def of(plan: Any, *, changes_alone: bool = False) -> Planned:
    """The same of JSON that was read already."""
    if not isinstance(plan, dict):
        raise unreadable()
    if changes_alone:
        plan = {"resource_changes": plan.get("resource_changes")}
    try:
        return _planned(plan)
    except RecursionError:
        raise unreadable() from None


def _planned(plan: dict[str, Any]) -> Planned:
    secrets = secrets_of(plan)
    summary = dict.fromkeys((*ACTIONS, "drifted", "imported"), 0)
    budget = _Budget()
    changes: list[dict[str, Any]] = []
    drift: list[dict[str, Any]] = []
    for entry in _entries(plan, "resource_changes"):
        action = action_of(entry["change"].get("actions"))
        summary[action] += 1
        summary["imported"] += 1 if entry["change"].get("importing") else 0
        if action != "no_op" or entry["change"].get("importing"):
            budget.add(changes, _told(entry, action, secrets))
    for entry in _entries(plan, "resource_drift"):
        action = action_of(entry["change"].get("actions"))
        if action != "no_op":
            summary["drifted"] += 1
            budget.add(drift, _told(entry, action, secrets))
    return Planned(summary, changes, drift, budget.truncated, secrets)


def action_of(actions: Any) -> str:
    """Terraform's list of actions as one word. Raises `Invalid` (`infra_plan_unreadable`)."""
    listed = actions if isinstance(actions, list) else []
    if not all(isinstance(word, str) for word in listed):
        raise unreadable()
    words = set(listed)
    if "create" in words and words & {"delete", "forget"}:
        return "replace"
    for word in ("create", "update", "delete", "read", "forget"):
        if word in words:
            return word
    return "no_op"


def _entries(plan: dict[str, Any], key: str) -> list[dict[str, Any]]:
    listed = plan.get(key)
    entries = listed if isinstance(listed, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("change"), dict)]


def _told(entry: dict[str, Any], action: str, secrets: set[str]) -> dict[str, Any]:
    before, after, cut = _differences(entry["change"], secrets)
    told: dict[str, Any] = {
        "address": shown(str(entry.get("address", "")), LONGEST_ADDRESS),
        "type": shown(str(entry.get("type", "")), 200),
        "action": action,
        "before": before,
        "after": after,
    }
    why = reasons.reason(entry.get("action_reason"))
    if why is not None:
        told["reason"] = why
    if action == "replace" and (forced_by := reasons.forcing(entry["change"], secrets)):
        told["forced_by"] = forced_by
    if entry.get("deposed"):
        told["deposed"] = True
    if cut:
        told["truncated"] = True
    return told


def _differences(change: dict[str, Any], secrets: set[str]) -> tuple[Any, Any, bool]:
    """Before and after, of the attributes that differ alone; whether something of them is left out."""
    before, after = change.get("before"), change.get("after")
    unknown = change.get("after_unknown")
    if not isinstance(before, dict) and not isinstance(after, dict) and not isinstance(unknown, dict):
        return _short(masked(before, change.get("before_sensitive"), secrets)), None, False
    was = before if isinstance(before, dict) else {}
    becomes = after if isinstance(after, dict) else {}
    open_ones = unknown if isinstance(unknown, dict) else {}
    names = [
        name
        for name in dict.fromkeys((*was, *becomes, *open_ones))
        if was.get(name) != becomes.get(name) or _has_unknown(open_ones.get(name))
    ]
    left, right = _marks(change, "before_sensitive"), _marks(change, "after_sensitive")
    # What becomes sensitive by this change was the same secret before it.
    told_before = {name: masked(was[name], _either(left, right, name), secrets, name) for name in names if name in was}
    told_after: dict[str, Any] = {}
    for name in names:
        if open_ones.get(name) is True:
            told_after[name] = UNKNOWN
        elif name in becomes:
            told_after[name] = masked(becomes[name], _either(right, left, name), secrets, name)
    short_before = {name: _short(value) for name, value in told_before.items()}
    short_after = {name: _short(value) for name, value in told_after.items()}
    cut = short_before != told_before or short_after != told_after
    return (
        short_before if isinstance(before, dict) else None,
        short_after if isinstance(after, dict) or short_after else None,
        cut,
    )


def _marks(change: dict[str, Any], key: str) -> Any:
    marks = change.get(key)
    return marks if isinstance(marks, dict) else marks is True


def _either(marks: Any, others: Any, name: str) -> Any:
    mine = True if marks is True else marks.get(name) if isinstance(marks, dict) else None
    theirs = True if others is True else others.get(name) if isinstance(others, dict) else None
    return True if theirs is True else mine


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_unknown(item) for item in value)
    return value is True


def _short(value: Any) -> Any:
    """The value, or the beginning of its text where it is long."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


class _Budget:
    """How much of a plan is told."""

    def __init__(self) -> None:
        self.truncated = False
        self._values = self._listed = self._entries = 0

    def add(self, kept: list[dict[str, Any]], entry: dict[str, Any]) -> None:
        size = len(json.dumps(entry))
        if self._values + size > MOST_BYTES:
            entry = {**entry, "before": None, "after": None, "truncated": True}
            size = len(json.dumps(entry))
        else:
            self._values += size
        self.truncated = self.truncated or bool(entry.get("truncated"))
        if self._entries >= MOST_ENTRIES or self._listed + size > MOST_LISTED:
            self.truncated = True
            return
        self._entries += 1
        self._listed += size
        kept.append(entry)


@dataclass(frozen=True)
class Basis:
    """The state that a saved plan was made on; 0 and "" where there was none."""

    serial: int
    lineage: str


def basis(plan: Path) -> Basis:
    """Read from the saved plan itself, which is an archive. Raises `Invalid` (`infra_plan_unreadable`)."""
    content = _member(plan, "tfstate", LARGEST_STATE)
    try:
        state = json.loads(content or b"")
        return Basis(int(state["serial"]), str(state.get("lineage") or ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise unreadable() from None


def lock_file(plan: Path) -> bytes | None:
    """The versions of the providers that the plan was made with. Raises `Invalid` (`infra_plan_unreadable`)."""
    return _member(plan, ".terraform.lock.hcl", 1 << 20)


def _member(plan: Path, name: str, most: int) -> bytes | None:
    try:
        with zipfile.ZipFile(plan) as archive, archive.open(name) as file:
            content = file.read(most + 1)
    except KeyError:
        return None
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError):
        raise unreadable() from None
    if len(content) > most:
        raise unreadable()
    return content
