"""Where something would be done, and what of it a narrowed grant covers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from quarterdeck.kernel.errors import Invalid

NARROWING = {
    "project_id": "project_id",
    "environment": "environment",
    "secret_ref_prefix": "secret_ref",
    "provider_type": "provider_type",
    "team_id": "team_id",
}
"""The words that a grant is narrowed by (contract: broker §6.3), and the fact of a place that each is held against."""
PREFIXES = frozenset({"secret_ref_prefix"})
"""Those that cover whatever begins with their value."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a kind that has rules of its own, such as a service (`service/web`)."""

    kind: str
    ref: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.ref}"


@dataclass(frozen=True, slots=True)
class Place:
    """An organization (None: the caller's current one), a project of the tasks surface in it (its row id, 0: none),
    facts that narrowed grants are held against (`environment`, `secret_ref`, …), and one object.
    """

    organization_id: int | None = None
    project_id: int = 0
    about: Mapping[str, str] = field(default_factory=dict)
    thing: Thing | None = None


HERE = Place()


@dataclass(frozen=True, slots=True)
class Part:
    """A role that somebody has in a part of an organization alone."""

    role: str
    project_id: int
    scope: tuple[tuple[str, str], ...]

    def covers(self, place: Place) -> bool:
        """Every word has to fit. What a place does not say is not covered: a fact that was left out opens nothing."""
        if self.project_id and self.project_id != place.project_id:
            return False
        for word, value in self.scope:
            fact = place.about.get(NARROWING.get(word, ""))
            if fact is None or not (fact.startswith(value) if word in PREFIXES else fact == value):
                return False
        return True


NOWHERE = (("", ""),)


def part(role: str, project_id: int, scope: str) -> Part:
    """Of a row of the grants. A scope that is no object of texts covers nothing, and takes nobody else's down."""
    try:
        words = json.loads(scope) if scope else {}
    except ValueError:
        words = None
    if not isinstance(words, dict) or not all(isinstance(value, str) for value in words.values()):
        return Part(role, project_id, NOWHERE)
    return Part(role, project_id, tuple(sorted(words.items())))


def read(text: str) -> Place:
    """A place as a person writes it: `KIND/NAME` for one object, or facts as `environment=prod,project_id=pay`.
    Raises `Invalid` (`place_malformed`).
    """
    kind, slash, ref = text.partition("/")
    if slash and "=" not in kind and kind.strip() and ref.strip():
        return Place(thing=Thing(kind.strip(), ref.strip()))
    about: dict[str, str] = {}
    for pair in text.split(","):
        fact, _, value = (word.strip() for word in pair.partition("="))
        if fact not in NARROWING.values() or not value or fact in about:
            raise Invalid(
                f"{text[:200]!r} names no place.",
                code="place_malformed",
                hint=f"Write KIND/NAME, or facts as {'=…, '.join(sorted(NARROWING.values()))}=…",
                field="resource",
            )
        about[fact] = value
    return Place(about=about)
