"""What a foreign runner tells with a report, as it may be kept: made before the unit that keeps it, since a plan has
thousands of resources.

Whatever is told of a plan, a cost or outputs is cut down to its place. What else is wrong with a report that ends its
job costs that part of it and not the end: the published programs send it once, and their job would seem to run on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import Raw

from quarterdeck.infra.execution import planning, reviewing
from quarterdeck.infra.execution.planning import Planned
from quarterdeck.infra.work import metadata
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault.secret import MASK

CUT: dict[str, Any] = {"truncated": True}
PLAN, COST, OUTPUTS = "plan_result", "cost_breakdown", "outputs"
MOST_PLAN = 128 << 10
PLACES = {COST: 24 << 10, OUTPUTS: 64 << 10}
"""Bytes of each as JSON."""
LONGEST_MESSAGE = 8000
WORDS = {
    "create": ["create"],
    "update": ["update"],
    "delete": ["delete"],
    "replace": ["delete", "create"],
    "read": ["read"],
    "forget": ["forget"],
}


@dataclass(frozen=True)
class Heard:
    """`told` is clean and fits; `plan` is what was read of a plan, in whose place it stands there, `reviewed` the
    digest by which whoever applies it compares, and `cost` what was said of its cost.
    """

    told: dict[str, Any]
    plan: Planned | None = None
    cost: Any = None
    reviewed: str | None = None


def read(told: Mapping[str, Any], *, ends: bool) -> Heard:
    """`ends`: of a report by which its job ends, of which nothing is refused. Raises `Invalid`
    (`infra_plan_unreadable`, `infra_metadata_invalid`, `infra_metadata_too_large`) of another one.
    """
    given, spoilt = _unpacked(told, ends=ends)
    plan, reviewed = None, None
    if given.get(PLAN) is not None:
        try:
            content = given.pop(PLAN)
            plan = planning.of(content)
            alone = planning.of(content, changes_alone=True)  # all that whoever applies it can compare
            reviewed = reviewing.digest(alone.summary, alone.changes, "changes")
        except Problem:
            if not ends:
                raise
            spoilt = True
    kept, cut = _cleaned(given, ends=ends)
    for name, most in PLACES.items():
        if name in kept:
            short = shortened(kept[name], most)
            cut, kept[name] = cut or short is not kept[name], short
    if plan is not None:
        kept[PLAN] = _plan(plan)
    if ends and _size(kept) > metadata.MOST // 2:
        kept, cut = shortened(kept, metadata.MOST // 2), True
    return Heard(kept | (CUT if cut or spoilt else {}), plan, given.get("cost_summary"), reviewed)


def _unpacked(told: Mapping[str, Any], *, ends: bool) -> tuple[dict[str, Any], bool]:
    """What came as JSON, read; whether something of it cannot be. A plan is read resource by resource: one call for all
    of it would hold everybody else up.
    """
    found, spoilt = dict[str, Any](), False
    for name, value in told.items():
        try:
            found[name] = (_parts if name == PLAN else _whole)(value) if isinstance(value, Raw) else value
        except UNREADABLE:
            if not ends:
                raise Invalid(
                    "The metadata of a job is nested too deep, or no JSON.",
                    code="infra_metadata_invalid",
                    hint="Report it flatter; what is long belongs into the log.",
                    field="execution_metadata",
                ) from None
            spoilt = True
    return found, spoilt


def _parts(raw: Raw) -> Any:
    if bytes(memoryview(raw)[:1]) != b"{":
        return _whole(raw)
    fields = msgspec.json.decode(raw, type=dict[str, Raw])
    return {
        name: [_whole(one) for one in msgspec.json.decode(value, type=list[Raw])]
        if bytes(memoryview(value)[:1]) == b"["
        else _whole(value)
        for name, value in fields.items()
    }


def _whole(raw: Raw) -> Any:
    return msgspec.json.decode(raw)


def _cleaned(given: Mapping[str, Any], *, ends: bool) -> tuple[dict[str, Any], bool]:
    if not ends:
        return metadata.cleaned(given), False
    kept, cut = dict[str, Any](), False
    for name, value in given.items():
        try:
            kept |= metadata.cleaned({name: value})
        except Invalid:
            kept[name], cut = CUT, True
    return kept, cut


def _plan(plan: Planned) -> dict[str, Any]:
    """The changes in the form of Terraform, as programs that count them read it."""
    changes, drift = _few(plan.changes, MOST_PLAN), _few(plan.drift, MOST_PLAN // 4)
    cut = plan.truncated or len(changes) + len(drift) < len(plan.changes) + len(plan.drift)
    return {"resource_changes": changes} | ({"resource_drift": drift} if drift else {}) | (CUT if cut else {})


def _few(changes: Sequence[Mapping[str, Any]], most: int) -> list[dict[str, Any]]:
    """As many as fit; the last of them without their values."""
    listed, size = list[dict[str, Any]](), 0
    for change in changes:
        one = _listed(change)
        if size + _size(one) > most * 3 // 4:
            one["change"] |= {"before": None, "after": None}
        size += _size(one)
        if size > most:
            break
        listed.append(one)
    return listed


def _listed(change: Mapping[str, Any]) -> dict[str, Any]:
    why = {"action_reason": change["reason"]} if "reason" in change else {}
    told = {name: change.get(name) for name in ("before", "after")}
    return {
        "address": change.get("address"),
        "type": change.get("type"),
        **why,
        "change": {"actions": WORDS.get(str(change.get("action")), ["no-op"]), **told},
    }


def shortened(value: Any, most: int) -> Any:
    """The same value where it has at most so many bytes as JSON; else of an object what is not large, of anything else
    only that there was more.
    """
    if _size(value) <= most:
        return value
    if not isinstance(value, Mapping):
        return CUT
    kept, left = dict[str, Any](), most - _size(CUT)
    for name, one in sorted(value.items(), key=lambda item: _size(item[1])):
        size = _size({name: one})
        short = one if size <= left else CUT
        if _size({name: short}) > left:
            break
        kept[name] = short
        left -= _size({name: short})
    return {name: kept[name] for name in value if name in kept} | CUT


def _size(value: Any) -> int:
    return len(msgspec.json.encode(value))


def hidden(heard: Heard, secrets: Sequence[str]) -> Heard:
    """The same without these texts, wherever they stand."""

    def hide(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, MASK)
        return text

    if not secrets:
        return heard
    plan = heard.plan
    if plan is not None:
        plan = replace(plan, changes=_each(plan.changes, hide), drift=_each(plan.drift, hide))
    return Heard(_each(heard.told, hide), plan, _each(heard.cost, hide), heard.reviewed)


def _each(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {hide(str(key)): _each(item, hide) for key, item in value.items()}
    return [_each(item, hide) for item in value] if isinstance(value, list) else value
