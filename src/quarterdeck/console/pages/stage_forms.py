"""A pipeline as a form: its stages from what was posted, and the fields of each with what is wrong at them.

Fields are named `stage-NUMBER-KEY`; keys are those of the wire but for `kind`, which says what a stage waits for, and
`choices`, which stand one on a line. Nothing here knows the rules of pipelines: they are asked of the domain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.console.views.pipelines import StageForm
from quarterdeck.console.views.shell import Field
from quarterdeck.kernel.errors import Invalid, Problem

Stage = Mapping[str, Any]
MOST = 60
"""Stages that are read; the rules allow fewer."""
KINDS = (("", "Nothing: it is typed at once"), ("confirm", "A confirmation"), ("choices", "One of some choices"),
         ("input", "A text"))  # fmt: skip
NUMBERS = {"timeout": "Time for it, seconds", "confirmTimeout": "Time to answer, seconds", "retries": "Tries again"}
NEW: dict[str, Any] = {"name": "", "command": ""}
GATE: dict[str, Any] = {
    "name": "approved",
    "command": "Somebody has looked at what you have done and agrees. Finish it, with tests, and commit.",
    "confirm": True,
    "confirmTimeout": 86_400,
}
"""A stage that waits for a person, to be saved as it stands."""
AT = re.compile(r"\[(\d+)\](?:\.(\w+))?")


def stages_of(form: Mapping[str, str]) -> list[dict[str, Any]]:
    """The stages that were typed, as plain values: what says nothing is left out. A number that is none stays a text,
    so that it can be shown again.
    """
    return [_stage(form, f"stage-{number}-") for number in range(MOST) if f"stage-{number}-name" in form]


def _stage(form: Mapping[str, str], prefix: str) -> dict[str, Any]:
    def said(key: str) -> str:
        return form.get(prefix + key, "").replace("\r\n", "\n")

    stage: dict[str, Any] = {"name": said("name"), "command": said("command")}
    kind = said("kind")
    if kind in {"confirm", "input"}:
        stage[kind] = True
    choices = [line.strip() for line in said("choices").split("\n") if line.strip()]
    if kind == "choices" or choices:
        stage["choices"] = choices
    for key in NUMBERS:
        if text := said(key):
            stage[key] = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
    for key in ("agentType", "marker", "fallbackResult"):
        if text := said(key):
            stage[key] = text
    if said("onTimeout") == "fallback":
        stage["onTimeout"] = "fallback"
    if said("continueOnError") == "yes":
        stage["continueOnError"] = True
    return stage


def require_numbers(stages: Sequence[Stage]) -> None:
    """Raise `Invalid` (`pipeline_invalid`) at the first value that should be a number and is none."""
    for index, stage in enumerate(stages):
        for key in NUMBERS:
            if isinstance(stage.get(key), str):
                raise Invalid(
                    f"pipeline[{index}].{key}: {stage[key][:20]!r} is no whole number.",
                    code="pipeline_invalid",
                    hint="Give a number, or nothing.",
                    field=f"pipeline[{index}].{key}",
                )


def arranged(stages: Sequence[Stage], deed: str) -> list[Stage] | None:
    """The stages after `add`, `add-gate`, `remove-N`, `up-N` or `down-N`; None for any other deed."""
    verb, _, place = deed.partition("-")
    found = list(stages)
    if deed == "add":
        return [*found, dict(NEW)]
    if deed == "add-gate":
        return [*found, {**GATE, "name": _free(found, GATE["name"])}]
    at = int(place) if place.isascii() and place.isdigit() and len(place) < 4 else len(found)
    if verb not in {"remove", "up", "down"} or at >= len(found):
        return None
    one = found.pop(at)
    if verb != "remove":
        found.insert(max(at - 1, 0) if verb == "up" else at + 1, one)
    return found


def _free(stages: Sequence[Stage], name: str) -> str:
    """The name, with a number where another stage has it."""
    taken = {stage.get("name") for stage in stages}
    further = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (name, *further) if one not in taken)


def shown(stages: Sequence[Stage], problem: Problem | None = None, fresh: int | None = None) -> tuple[StageForm, ...]:
    """The form of each stage; `fresh` is the number of one that was just added and gets the focus."""
    at, key = where(problem)
    told = problem.message if problem else ""
    return tuple(
        _form(index, stage, {key: told} if at == index else {}, len(stages), focused=index == fresh)
        for index, stage in enumerate(stages)
    )


def where(problem: Problem | None) -> tuple[int | None, str]:
    """Which stage, and which of its values, a problem is about: (None, "") where it is about none."""
    found = AT.search(str(problem.details.get("field", ""))) if problem else None
    return (int(found[1]), found[2] or "") if found else (None, "")


def _form(index: int, stage: Stage, wrong: Mapping[str, str], of: int, *, focused: bool) -> StageForm:
    prefix, choices = f"stage-{index}-", stage.get("choices")
    lines = [str(one) for one in choices] if isinstance(choices, list) else []  # JSON may say anything
    kind = next((key for key in ("confirm", "choices", "input") if stage.get(key)), "")
    kind = "choices" if choices is not None else kind

    def field(key: str, label: str, kind: str = "text", **more: Any) -> Field:
        value = stage.get(key)
        text = "" if value is None else "yes" if value is True else str(value)
        return Field(prefix + key, label, more.pop("value", text), kind, error=wrong.get(key, ""), **more)

    number = {"inputmode": "numeric", "autocomplete": "off"}
    seldom = (
        field("confirmTimeout", NUMBERS["confirmTimeout"], attributes=number, placeholder="as the settings say"),
        field("onTimeout", "If nobody answers", "select", choices=(("", "It fails"), ("fallback", "Take an answer"))),
        field("fallbackResult", "The answer that is taken then"),
        field("retries", NUMBERS["retries"], attributes=number, placeholder="0"),
        field("agentType", "Another agent", placeholder="claude"),
        field("marker", "A line that means it is done"),
        field("continueOnError", "Go on if it fails", "check"),
    )
    focus = {"autofocus": ""} if focused else {}
    return StageForm(
        number=index,
        name=str(stage.get("name") or f"Stage {index + 1}"),
        fields=(
            field("name", "Name", required=True, attributes={"maxlength": "64", "autocomplete": "off", **focus},
                  hint="Letters, digits, _ and -."),
            field("timeout", NUMBERS["timeout"], attributes=number, placeholder="as the settings say"),
            field("command", "What is typed to the agent", "area", full=True, required=True),
            field("kind", "Before that it waits for", "select", value=kind, choices=KINDS),
            field("choices", "Choices, one on a line", "area", value="\n".join(lines),
                  hint="Where it waits for one of them. {choice} in the text above is the one that was chosen."),
        ),
        seldom=seldom,
        error=wrong.get("", ""),
        first=index == 0,
        last=index == of - 1,
        open=any(one.value for one in seldom) or any(one.error for one in seldom),
    )  # fmt: skip
