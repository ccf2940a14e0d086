"""The rules of a pipeline: a list of stages as documented (contract: tasks §3.2), as plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.agents.table import ADAPTERS
from quarterdeck.tasks.confirming import confirms
from quarterdeck.tasks.orders import Stage

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
CUSTOM = "custom"
_OWN = re.compile(r"custom:[A-Za-z0-9][A-Za-z0-9_.-]{0,46}")
"""A program that some machine describes in its `agents.toml`."""
AGENTS = f"an agent is {', '.join(ADAPTERS)}, custom, or custom:NAME, which a machine describes in its agents.toml"
_WORD = re.compile(r"(?<![$\\{])\{([a-z][a-z0-9_]{0,40})\}(?!\})")
VARIABLES = ("description", "branch", "project", "choice", "input")
GATES = ("confirm", "choices", "input")
MOST_STAGES, MOST_CHOICES, MOST_RETRIES = 50, 20, 10
LONGEST_TIMEOUT, LONGEST_COMMAND, LONGEST_ANSWER, LONGEST_MARKER = 86_400, 10_000, 10_000, 200


def check(stages: Sequence[Mapping[str, Any]], place: str) -> None:
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
        _check_command(stage, here)
        _check_gate(stage, here)
        for key in ("timeout", "confirmTimeout"):
            if not 1 <= _given(stage, key, 1) <= LONGEST_TIMEOUT:
                raise _wrong(f"{here}.{key}", f"a time is 1 to {LONGEST_TIMEOUT} seconds")


def kept(stages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The stages as they are stored: without what says nothing."""
    return [{key: value for key, value in stage.items() if value is not None} for stage in stages]


def stages(stored: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Stages that were checked, as a worker is given them."""
    return msgspec.convert(kept(stored), tuple[Stage, ...])


def is_agent(text: str) -> bool:
    """Whether it is the type of an agent program that there can be."""
    return text in ADAPTERS or text == CUSTOM or _OWN.fullmatch(text) is not None


def _check_command(stage: Mapping[str, Any], here: str) -> None:
    command, marker, agent = stage["command"], _given(stage, "marker", "-"), _given(stage, "agentType", "claude")
    if not command.strip() or len(command) > LONGEST_COMMAND:
        raise _wrong(f"{here}.command", f"a stage types a command of at most {LONGEST_COMMAND} characters")
    unknown = next((one for one in _WORD.findall(command) if one not in VARIABLES), None)
    if unknown is not None:
        known = ", ".join(f"{{{one}}}" for one in VARIABLES)
        raise _wrong(
            f"{here}.command", f"{{{unknown}}} names nothing; there are {known}, and {{{{word}}}} is left alone"
        )
    if not 0 <= _given(stage, "retries", 0) <= MOST_RETRIES:
        raise _wrong(f"{here}.retries", f"a stage is tried again 0 to {MOST_RETRIES} times")
    if not marker.strip() or len(marker) > LONGEST_MARKER or "\n" in marker or "\r" in marker:
        raise _wrong(f"{here}.marker", f"a marker is one line of 1 to {LONGEST_MARKER} characters")
    if not is_agent(agent):
        raise _wrong(f"{here}.agentType", AGENTS)


def _check_gate(stage: Mapping[str, Any], here: str) -> None:
    if len([gate for gate in GATES if stage.get(gate)]) > 1:
        raise _wrong(here, "a stage waits for one of confirm, choices and input")
    choices = stage.get("choices")
    if choices is not None and (
        not 1 <= len(choices) <= MOST_CHOICES
        or not all(one.strip() for one in choices)
        or len(set(choices)) < len(choices)
    ):
        raise _wrong(f"{here}.choices", f"there are 1 to {MOST_CHOICES} choices, all different, none of them empty")
    fallback, falls_back = stage.get("fallbackResult"), stage.get("onTimeout") == "fallback"
    waits = any(stage.get(gate) for gate in GATES)
    if falls_back and not waits:
        raise _wrong(f"{here}.onTimeout", "only a stage that waits for somebody has an answer in their place")
    if fallback is not None and not falls_back:
        raise _wrong(f"{here}.fallbackResult", "it counts with onTimeout fallback alone")
    if falls_back and not stage.get("confirm") and not (fallback or "").strip():
        raise _wrong(f"{here}.fallbackResult", "onTimeout fallback needs the answer that is taken then")
    if fallback is not None and len(fallback) > LONGEST_ANSWER:
        raise _wrong(f"{here}.fallbackResult", f"an answer has at most {LONGEST_ANSWER} characters")
    if falls_back and choices and fallback not in choices:
        raise _wrong(f"{here}.fallbackResult", "it is none of the choices")
    if falls_back and stage.get("confirm") and fallback is not None and confirms(fallback) is None:
        raise _wrong(f"{here}.fallbackResult", "a stage is confirmed or rejected: confirm, or reject")


def _given(stage: Mapping[str, Any], key: str, default: Any) -> Any:
    value = stage.get(key)
    return default if value is None else value


def _wrong(place: str, rule: str) -> Invalid:
    return Invalid(f"{place}: {rule}.", code="pipeline_invalid", hint=_hint(place), field=place)


def _hint(place: str) -> str:
    """What to change, as somebody counts stages."""
    number, _, what = place.rpartition("[")[2].partition("]")
    if not number.isdecimal():
        return "Change it, then send it again."
    which = f"{what.removeprefix('.')} of stage {int(number) + 1}" if what else f"stage {int(number) + 1}"
    return f"Change {which}, then send it again."
