"""Why Terraform does to a resource what it does, from its JSON of a plan: what forces a replacement, and why at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from quarterdeck.infra.execution.redacting import masked
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.vault import MASK

MOST_PATHS = 8
"""Attributes that are told to force one replacement."""
LONGEST_PATH = 120
DEEPEST = 8
REASONS = {
    "replace_because_tainted": "It is marked as damaged (tainted), so it is made anew.",
    "replace_because_cannot_update": "What changes of it cannot be changed in place.",
    "replace_by_request": "Somebody has asked for it to be replaced.",
    "replace_by_triggers": "Something changes that it is bound to be replaced with.",
    "delete_because_no_resource_config": "The configuration declares it no more.",
    "delete_because_no_module": "Its module is in the configuration no more.",
    "delete_because_wrong_repetition": "It was counted otherwise before: with count, with for_each, or not at all.",
    "delete_because_count_index": "There are fewer of it now: its number is beyond the count.",
    "delete_because_each_key": "Its key is no more among those that it is made for.",
    "delete_because_no_move_target": "It was moved to an address that nothing is declared at.",
    "read_because_config_unknown": "What it looks for is known during the apply only.",
    "read_because_dependency_pending": "It depends on something that changes first.",
    "read_because_check_nested": "It belongs to a check, and is read at every apply.",
}
"""Terraform's `action_reason` in words of ours; others are not told."""


def reason(said: Any) -> str | None:
    """A word of `REASONS`."""
    return said if isinstance(said, str) and said in REASONS else None


def forcing(change: dict[str, Any], secrets: set[str]) -> list[str]:
    """Places of attributes that cannot be changed without a replacement (`replace_paths`), such as `disk[0].size`. A
    place within something sensitive ends where that begins: its keys are a part of it.
    """
    listed = change.get("replace_paths")
    marks = (change.get("before_sensitive"), change.get("after_sensitive"))
    found = (_place(path, marks, secrets) for path in listed[: 4 * MOST_PATHS]) if isinstance(listed, list) else ()
    return list(dict.fromkeys(one for one in found if one))[:MOST_PATHS]


def _place(path: Any, marks: tuple[Any, ...], secrets: set[str]) -> str:
    told = ""
    for step in _steps(path):
        if isinstance(step, int):
            told += f"[{step}]"
        else:
            word = str(masked(step, None, secrets))
            told += f".{word}" if told else word
            if MASK in word:
                break
        marks = tuple(_within(one, step) for one in marks)
        if True in marks:
            break
    return shown(told, LONGEST_PATH)


def _steps(path: Any) -> Iterator[str | int]:
    for step in path[:DEEPEST] if isinstance(path, list) else ():
        if isinstance(step, bool) or not isinstance(step, str | int):
            return
        yield step


def _within(marks: Any, step: str | int) -> Any:
    if marks is True:
        return True
    if isinstance(marks, dict) and isinstance(step, str):
        return marks.get(step)
    if isinstance(marks, list) and isinstance(step, int) and 0 <= step < len(marks):
        return marks[step]
    return None


def top(place: str) -> str:
    """The attribute of a resource that a place is in."""
    return place.partition(".")[0].partition("[")[0]


def within(place: str, other: str) -> bool:
    """Whether a place is another one, or below it."""
    return place == other or place.startswith((f"{other}.", f"{other}["))
