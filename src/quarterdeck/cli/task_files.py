"""A task that is described by a file (`qd task create -f`)."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

from quarterdeck.cli.failure import Failure, usage
from quarterdeck.cli.stages import require
from quarterdeck.cli.tasks import number

LONGEST = 1_000_000
TEXTS = {"description": "description", "project": "projectKey", "machine": "machine", "agentType": "agentType",
         "branch": "branch", "baseBranch": "baseBranch"}  # fmt: skip
KEYS = (*TEXTS, "pipeline", "priority", "dependsOn", "budget")


def text_of(place: str, *, what: str) -> str:
    """A file, or stdin for `-`. Raises `Failure`."""
    if place == "-":
        return sys.stdin.read(LONGEST)
    path = Path(place).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise usage(f"{path} cannot be read: {reason.lower()}.", f"Give the {what} as a file.", code="file") from None


def document(place: str, *, what: str) -> Any:
    """The YAML (or JSON) of a file. Raises `Failure`."""
    import yaml

    text = text_of(place, what=what)
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise usage(f"{place} is no YAML{where}.", f"Mend the {what} in {place}.", code="yaml") from None


def described(place: str) -> dict[str, Any]:
    """What the file says, by the names of the API; `machine` is still a name or an id. Raises `Failure`."""
    told = document(place, what="task")
    if not isinstance(told, dict):
        raise usage(f"{place} does not describe a task.", f"Keys: {', '.join(KEYS)}.", code="task_file")
    body: dict[str, Any] = {}
    for key, value in told.items():
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise usage(f"{place}: {key} is not known.{meant}", f"Keys: {', '.join(KEYS)}.", code="task_file")
        if value is None:
            continue
        name, checked = _checked(place, str(key), value)
        body[name] = checked
    return body


def _checked(place: str, key: str, value: Any) -> tuple[str, Any]:
    if key in TEXTS and isinstance(value, str) and value.strip():
        return TEXTS[key], value
    if key == "pipeline" and isinstance(value, list) and all(isinstance(stage, dict) for stage in value):
        if value:
            require(value, place)
        return key, value
    if key == "priority" and isinstance(value, int) and not isinstance(value, bool):
        return key, value
    if key == "budget" and isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return "budgetUsd", value
    if key == "dependsOn":
        return key, depends_on([str(one) for one in (value if isinstance(value, list) else [value])])
    raise _wrong(place, key)


def depends_on(given: list[str]) -> list[int]:
    """The tasks that come before, by their numbers. Raises `Failure`."""
    return [int(number(one)) for one in given]


def _wrong(place: str, key: str) -> Failure:
    form = {
        "pipeline": "a list of stages, each with name and command",
        "priority": "a whole number",
        "budget": "an amount in US dollars, more than 0",
    }.get(key, "a text that is not empty")
    return usage(f"{place}: {key} takes {form}.", f"Mend {key} in {place}.", code="task_file")
