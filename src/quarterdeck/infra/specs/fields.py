"""What a field of a specification may hold: rules that check a value, say where it is wrong, and describe themselves.

All wrong fields are found at once. A rule is also a JSON schema, so that the documentation of the API is made of what
is enforced.
"""

from __future__ import annotations

import copy
import difflib
import ipaddress
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from quarterdeck.kernel.text import misleads, shown

MOST_ERRORS = 100
SYNONYMS = "x-synonyms"
"""In a schema: which of the words of a choice are other names of one of the rest."""
Json = dict[str, Any]


class Wrong(NamedTuple):
    """`field` is a path such as `databases[0].port`."""

    field: str
    message: str


class Report:
    """What was found wrong so far, the first hundred."""

    def __init__(self, wrong: Iterable[Wrong] = ()) -> None:
        self.wrong: list[Wrong] = list(wrong)

    @property
    def full(self) -> bool:
        return len(self.wrong) >= MOST_ERRORS

    def add(self, path: str, message: str) -> None:
        if not self.full:
            self.wrong.append(Wrong(path, message))


class _Missing:
    """No value: it was wrong, and that stands in the report."""

    def __bool__(self) -> bool:
        return False


MISSING: Any = _Missing()
Check = Callable[[Any, str, Report], Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """`check` answers the value in its canonical form, or MISSING after it has said what is wrong."""

    check: Check
    schema: Json


@dataclass(frozen=True, slots=True)
class Field:
    """`default` counts where nothing, null or an empty text is given, and may be a function that makes it; a field
    without one is required.
    """

    rule: Rule
    default: Any = MISSING

    @property
    def schema(self) -> Json:
        if self.default == "":
            return _or_empty(self.rule.schema)
        nullable = self.default is None and "type" in self.rule.schema
        told = {**self.rule.schema, "type": [self.rule.schema["type"], "null"]} if nullable else dict(self.rule.schema)
        if nullable and "enum" in told:
            told["enum"] = [*told["enum"], None]
        bare = self.default is MISSING or self.default is None or callable(self.default)
        return told if bare else {**told, "default": self.default}


def _or_empty(schema: Json) -> Json:
    told = {**schema, "default": ""}
    if "pattern" in told:
        told["pattern"] = f"^(?:{told['pattern']})?$"
    return {**told, "enum": [*told["enum"], ""]} if "enum" in told else told


@dataclass(frozen=True, slots=True)
class Together:
    """A rule about some fields at once, asked where each of them is right by itself."""

    names: tuple[str, ...]
    check: Callable[[Json, str, Report], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with known fields. `aliases` are other names of fields; `told` are names under which we tell things
    that mean nothing here (a status, a time, an output): what was read from us can be sent back.
    """

    fields: Mapping[str, Field]
    aliases: Mapping[str, str] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    together: tuple[Together, ...] = ()

    @property
    def schema(self) -> Json:
        required = [name for name, one in self.fields.items() if one.default is MISSING]
        told: Json = {"type": "object", "properties": {name: one.schema for name, one in self.fields.items()}}
        return {**told, "required": required} if required else told


def inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def read(shape: Shape, value: Any, path: str, report: Report) -> Any:
    """The object with all its fields, defaults filled in; MISSING where anything is wrong."""
    if value is None:
        value = {}
    if not isinstance(value, Mapping):
        report.add(path or "document", "it is an object.")
        return MISSING
    before = len(report.wrong)
    given = _named(shape, value, path, report)
    found: Json = {}
    for name, one in shape.fields.items():
        said = given.get(name)
        if said is None or (said == "" and one.default is not MISSING):
            if one.default is MISSING:
                report.add(inside(path, name), "it is required.")
            found[name] = _fresh(one.default)
        else:
            found[name] = one.rule.check(said, inside(path, name), report)
    for rule in shape.together:
        if all(found[name] is not MISSING for name in rule.names):
            rule.check(found, path, report)
    return found if len(report.wrong) == before else MISSING


def _fresh(value: Any) -> Any:
    return value() if callable(value) else copy.copy(value)


def _named(shape: Shape, value: Mapping[str, Any], path: str, report: Report) -> Json:
    """What was given, by the names that the fields have here."""
    given: Json = {}
    for name, said in value.items():
        own = shape.aliases.get(name, name)
        if own not in shape.fields:
            if name not in shape.told and not report.full:
                report.add(inside(path, shown(name, 100)), f"there is no such field.{_near(name, shape)}")
        elif own in given and said is not None and given[own] is not None and given[own] != said:
            report.add(inside(path, name), f"it says another thing than {own}, whose other name it is.")
        elif said is not None or own not in given:
            given[own] = said
    return given


def _near(name: str, shape: Shape) -> str:
    close = difflib.get_close_matches(name[:100], [*shape.fields, *shape.aliases], 1)
    return f" Is {close[0]} meant?" if close else ""


def text(pattern: str, rule: str, longest: int = 200) -> Rule:
    """One line that matches; `rule` says in words what does."""
    form = re.compile(pattern)

    def check(value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, str):
            report.add(path, f"it is a text: {rule}.")
            return MISSING
        if len(value) > longest or not form.fullmatch(value):
            report.add(path, f"it is {rule}, at most {longest} characters.")
            return MISSING
        return value

    return Rule(check, {"type": "string", "maxLength": longest, "pattern": f"^(?:{pattern})$"})


def words(longest: int) -> Rule:
    """Any one line that shows as what it is."""

    def check(value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, str) or len(value) > longest or any(misleads(one) for one in value):
            report.add(path, f"it is one line of at most {longest} characters that can be seen.")
            return MISSING
        return value

    return Rule(check, {"type": "string", "maxLength": longest})


def choice(*allowed: str, synonyms: Mapping[str, str] | None = None) -> Rule:
    other = dict(synonyms or {})

    def check(value: Any, path: str, report: Report) -> Any:
        found = other.get(value, value) if isinstance(value, str) else None
        if found not in allowed:
            report.add(path, f"it is one of {', '.join(allowed)}.")
            return MISSING
        return found

    schema: Json = {"type": "string", "enum": [*allowed, *other]}
    return Rule(check, {**schema, SYNONYMS: sorted(other)} if other else schema)


def _flag(value: Any, path: str, report: Report) -> Any:
    if not isinstance(value, bool):
        report.add(path, "it is true or false.")
        return MISSING
    return value


flag = Rule(_flag, {"type": "boolean"})


def integer(least: int, most: int) -> Rule:
    def check(value: Any, path: str, report: Report) -> Any:
        found = plain(value)
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            report.add(path, f"it is a whole number from {least} to {most}.")
            return MISSING
        return found

    return Rule(check, {"type": "integer", "minimum": least, "maximum": most})


def number(least: float, most: float) -> Rule:
    def check(value: Any, path: str, report: Report) -> Any:
        found = plain(value)
        if not isinstance(found, int | float) or isinstance(found, bool) or not least <= found <= most:
            report.add(path, f"it is a number from {least:g} to {most:g}.")
            return MISSING
        return found

    return Rule(check, {"type": "number", "minimum": least, "maximum": most})


def plain(value: Any) -> Any:
    """4.0 as 4: both databases give it back as the same number then."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    return value


def network(shortest: int, longest: int) -> Rule:
    """IPv4 in CIDR notation, without bits beyond its prefix, which has between so many bits."""

    def check(value: Any, path: str, report: Report) -> Any:
        try:
            found = ipaddress.IPv4Network(value) if isinstance(value, str) and "/" in value else None
        except ValueError:
            found = None
        if found is None or not shortest <= found.prefixlen <= longest:
            report.add(path, f"it is an IPv4 network such as 10.0.0.0/16, with a prefix of {shortest} to {longest}.")
            return MISSING
        return str(found)

    return Rule(check, {"type": "string", "examples": ["10.0.0.0/16"]})


def texts(rule: Rule, most: int = 50) -> Rule:
    """A list of different texts."""

    def check(value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, list | tuple) or len(value) > most:
            report.add(path, f"it is a list of at most {most} texts.")
            return MISSING
        before = len(report.wrong)
        found = [rule.check(one, f"{path}[{at}]", report) for at, one in enumerate(value)]
        if len(report.wrong) == before and len(set(found)) != len(found):
            report.add(path, "the same stands there twice.")
        return found if len(report.wrong) == before else MISSING

    return Rule(check, {"type": "array", "items": rule.schema, "maxItems": most})


def each(shape: Shape, most: int = 100, *, key: str | None = "name") -> Rule:
    """A list of objects, of which `key` is different in each."""

    def check(value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, list | tuple) or len(value) > most:
            report.add(path, f"it is a list of at most {most} objects.")
            return MISSING
        before = len(report.wrong)
        found = [read(shape, one, f"{path}[{at}]", report) for at, one in enumerate(value)]
        seen: dict[str, int] = {}
        for at, one in enumerate(found):
            if key is not None and one is not MISSING and seen.setdefault(one[key].lower(), at) != at:
                first = seen[one[key].lower()]
                report.add(f"{path}[{at}].{key}", f"{one[key]} is the {key} of {path}[{first}] already.")
        return found if len(report.wrong) == before else MISSING

    return Rule(check, {"type": "array", "items": shape.schema, "maxItems": most})


def of(shape: Shape) -> Field:
    """A section: an object that may be left out."""
    rule = Rule(lambda value, path, report: read(shape, value, path, report), shape.schema)
    return Field(rule, lambda: read(shape, {}, "", Report()))
