"""The rules of a pipeline: a list of stages as documented (contract: tasks §3.2), as plain values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from quarterdeck.kernel.errors import Invalid

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
GATES = ("confirm", "choices", "input")
MOST_STAGES, MOST_CHOICES = 50, 20
LONGEST_TIMEOUT = 86_400


def check(stages: Sequence[dict[str, Any]], place: str) -> None:
    """Raise `Invalid` (`pipeline_invalid`) that names the wrong value by its path below `place`."""
    if not 1 <= len(stages) <= MOST_STAGES:
        raise _wrong(place, f"a pipeline has 1 to {MOST_STAGES} stages")
    names: set[str] = set()
    for index, stage in enumerate(stages):
        here = f"{place}[{index}]"
        name = stage["name"]
        if not NAME.fullmatch(name) or name in names:
            raise _wrong(f"{here}.name", "a name is 1 to 64 letters, digits, _ and -, and no other stage's")
        names.add(name)
        if not stage["command"].strip():
            raise _wrong(f"{here}.command", "a stage types a command")
        if len([gate for gate in GATES if stage.get(gate)]) > 1:
            raise _wrong(here, "a stage waits for one of confirm, choices and input")
        choices = stage.get("choices")
        if choices is not None and (not 1 <= len(choices) <= MOST_CHOICES or not all(one.strip() for one in choices)):
            raise _wrong(f"{here}.choices", f"there are 1 to {MOST_CHOICES} choices, none of them empty")
        for key in ("timeout", "confirmTimeout"):
            if not 1 <= stage.get(key, 1) <= LONGEST_TIMEOUT:
                raise _wrong(f"{here}.{key}", f"a time is 1 to {LONGEST_TIMEOUT} seconds")


def _wrong(place: str, rule: str) -> Invalid:
    return Invalid(f"{place}: {rule}.", code="pipeline_invalid", hint="Change it, then send it again.", field=place)
