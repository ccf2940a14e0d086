"""A plan as somebody reads it before it is applied: what changes, who has agreed, and whether it may be applied now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.shell import Note
from quarterdeck.infra.execution.reasons import REASONS, within

HIDDEN, UNKNOWN = "****", "(known after apply)"
"""What stands in the place of a value that is sensitive, or not known before."""
LONGEST, DEEPEST, MOST_ATTRIBUTES = 400, 5, 80
RISKIEST_FIRST: tuple[tuple[str, str, str, str, str, str], ...] = (
    # action, sign, tone, heading, the deed, what it means
    ("delete", "\N{MINUS SIGN}", "bad", "Destroy", "destroy", ""),
    ("replace", "±", "warn", "Replace", "replace", "destroyed and created again"),
    ("forget", "\N{MINUS SIGN}", "warn", "Forget", "forget", "kept, but looked after no more"),
    ("drift", "≠", "warn", "Changed by somebody else", "drift", "seen when the plan was made"),
    ("update", "~", "run", "Change in place", "change", ""),
    ("create", "+", "good", "Create", "create", ""),
    ("read", "↓", "idle", "Read", "read", "during the apply"),
)
LOSING = frozenset({"delete", "replace"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """`was` and `now` as text, None where there is nothing; `hidden`: it is sensitive, only that it changes is told.
    `forces`: it cannot be changed without a replacement.
    """

    path: str
    was: str | None
    now: str | None
    hidden: bool = False
    forces: bool = False


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One resource. `cut`: not all of its values are told. `reason` says why, where there is something to say;
    `forced_by` names what forces its replacement.
    """

    address: str
    action: str
    attributes: tuple[Attribute, ...]
    cut: bool = False
    reason: str = ""
    forced_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Changes of one action; `number` counts those that are not listed, too."""

    action: str
    sign: str
    tone: str
    heading: str
    word: str
    meaning: str
    number: int
    changes: tuple[ChangeRow, ...]

    @property
    def open(self) -> bool:
        return self.action in LOSING


@dataclass(frozen=True, slots=True)
class Vote:
    """What somebody said. `counts`: it is one of those that are needed."""

    name: str
    decision: str
    comment: str
    at: datetime
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Agreement:
    """Who has to agree and who has. `why_not` says why the reader may not, empty where they may; `open`: it is still
    to be decided.
    """

    required: int
    given: int
    votes: tuple[Vote, ...]
    asker: str
    open: bool
    why_not: str = ""

    @property
    def missing(self) -> int:
        return max(self.required - self.given, 0)


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a job would do. `refusal` says why it may not be applied now, None where it may be; `typed` is the name to
    type where something is destroyed. `applied_by` is the job that has applied it, with its page.
    """

    uid: str
    spec: tuple[str, str] | None
    """Name and page."""
    kind: str
    """PLAN, DESTROY, or `drift` of a mere look."""
    state: tuple[str, str, str | None]
    by: str
    at: datetime
    runner: str
    groups: tuple[Group, ...]
    unchanged: int
    truncated: bool
    told: bool
    cost: tuple[str, str]
    """A month, and what of that is new; empty where nobody has reckoned."""
    facts: tuple[Fact, ...]
    agreement: Agreement
    refusal: Note | None
    may_apply: bool
    applied_by: tuple[str, str] | None
    live: bool
    spec_name: str = ""
    stage: str = ""
    runners: tuple[tuple[str, str], ...] = ()
    pinned: str = ""
    held: tuple[str, ...] = ()
    """What a destruction takes away, by its addresses."""
    holds: int = 0
    """How many resources that are, those that are not named included."""
    moved: bool = False
    """That is something else than when the destruction was asked for."""

    @property
    def losing(self) -> int:
        """How many resources are destroyed, those that are created again included."""
        return self.holds or sum(group.number for group in self.groups if group.action in LOSING)

    @property
    def drifted(self) -> int:
        return sum(group.number for group in self.groups if group.action == "drift")

    @property
    def delta(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if group.action not in {"drift", "read"})

    @property
    def nothing(self) -> bool:
        return self.told and not self.delta

    @property
    def confirm(self) -> str:
        """What has to be typed before it is applied; empty where nothing is lost."""
        return self.spec_name if self.losing else ""


def change_rows(told: Sequence[Any], action: str | None = None) -> tuple[ChangeRow, ...]:
    """Changes as they are kept (`infra.plans.summary`), with what is sensitive masked."""
    return tuple(
        ChangeRow(
            str(one.get("address", "")),
            action or str(one.get("action", "")),
            attributes(one.get("before"), one.get("after"), str(one.get("action", "")), forced_by := _places(one)),
            one.get("truncated") is True,
            REASONS.get(one.get("reason") or "", ""),
            forced_by,
        )
        for one in told
        if isinstance(one, dict)
    )


def grouped(summary: dict[str, Any], changes: Sequence[Any], drift: Sequence[Any] = ()) -> tuple[Group, ...]:
    """The riskiest first, without what is none."""
    groups = []
    for action, sign, tone, heading, word, meaning in RISKIEST_FIRST:
        entries = drift if action == "drift" else [one for one in changes if _action(one) == action]
        rows = change_rows(entries, action)
        number = max(_count(summary.get("drifted" if action == "drift" else action)), len(rows))
        if number:
            groups.append(Group(action, sign, tone, heading, word, meaning, number, rows))
    return tuple(groups)


def _action(one: Any) -> str:
    return str(one.get("action", "")) if isinstance(one, dict) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _places(one: dict[str, Any]) -> tuple[str, ...]:
    listed = one.get("forced_by")
    return tuple(str(place) for place in listed) if isinstance(listed, list) else ()


def attributes(before: Any, after: Any, action: str = "update", forced_by: Sequence[str] = ()) -> tuple[Attribute, ...]:
    """What differs, place by place, and what of that forces a replacement first. Of what is created or destroyed, one
    side says nothing.
    """
    was = dict(_leaves("", before)) if before is not None else {}
    now = dict(_leaves("", after)) if after is not None else {}
    found = []
    for path in dict.fromkeys((*was, *now)):
        left, right = was.get(path), now.get(path)
        hidden = HIDDEN in (left, right)
        if left == right and not hidden:
            continue
        one_side = action in {"create", "delete"}
        if one_side and (left or right) in {None, "null"}:
            continue
        forces = any(within(path, place) or within(place, path) for place in forced_by)
        found.append(Attribute(path, left, right, hidden, forces))
    found.sort(key=lambda one: not one.forces)
    return tuple(found[:MOST_ATTRIBUTES])


def _leaves(path: str, value: Any, depth: int = 0) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value and depth < DEEPEST:
        return [
            leaf
            for name, item in value.items()
            for leaf in _leaves(f"{path}.{name}" if path else str(name), item, depth + 1)
        ]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value) and depth < DEEPEST:
        return [leaf for at, item in enumerate(value) for leaf in _leaves(f"{path}[{at}]", item, depth + 1)]
    return [(path or "value", text_of(value))]


def text_of(value: Any) -> str:
    """A value as a person reads it; long ones are cut."""
    if isinstance(value, str):
        told = value
    elif value is None:
        told = "null"
    elif isinstance(value, bool):
        told = "true" if value else "false"
    elif isinstance(value, list):
        told = f"[{', '.join(text_of(item) for item in value)}]"
    elif isinstance(value, dict):
        told = "{" + ", ".join(f"{name}: {text_of(item)}" for name, item in value.items()) + "}"
    else:
        told = str(value)
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"
