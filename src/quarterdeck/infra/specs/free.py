"""Objects whose keys we do not know: options of a provider, variables of a module. Bounded, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from quarterdeck.infra.specs.fields import MISSING, Report, Rule, inside, plain
from quarterdeck.kernel.text import shown

DEEPEST, MOST_VALUES, LONGEST_NAME, LONGEST_TEXT, LARGEST = 8, 2000, 200, 20_000, 2**53
SECRET = re.compile(
    r"(pass(word|wd|phrase)?|secret|token|credentials?|private_?key|api_?key|access_?key)$", re.IGNORECASE
)
"""Names under which a text or a number is a secret. What is in a specification, many may read."""


def free(key: str, rule: str, most: int = 200) -> Rule:
    """A JSON object whose own keys have the form `key`, which `rule` says in words."""
    form = re.compile(key)

    def check(value: Any, path: str, report: Report) -> Any:
        if not isinstance(value, Mapping) or len(value) > most:
            report.add(path, f"it is an object of at most {most} fields.")
            return MISSING
        before = len(report.wrong)
        for name in value:
            if len(name) <= LONGEST_NAME and not form.fullmatch(name):
                report.add(inside(path, shown(name, 100)), f"its name is {rule}.")
        walk = _Walk(report)
        found = walk.value(value, path, 1)
        if walk.values > MOST_VALUES:
            report.add(path, f"it has more than {MOST_VALUES} values.")
        return found if len(report.wrong) == before else MISSING

    return Rule(check, {"type": "object", "additionalProperties": True})


def _says_something(value: Any, depth: int = 1) -> bool:
    """Whether there is a text or a number in it, in however many objects and lists."""
    if isinstance(value, Mapping | list | tuple) and depth <= DEEPEST:
        return any(_says_something(one, depth + 1) for one in (value.values() if isinstance(value, Mapping) else value))
    return not isinstance(value, bool) and value not in (None, "", {}, [])


class _Walk:
    """One look at an object, which ends where there is too much of it or too much is wrong."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.values = 0

    def value(self, value: Any, path: str, depth: int) -> Any:
        self.values += 1
        if depth > DEEPEST:
            self.report.add(path, f"it is nested more than {DEEPEST} deep.")
            return None
        if isinstance(value, Mapping):
            return {name: self.named(name, one, path, depth) for name, one in self.few(value.items())}
        if isinstance(value, list | tuple):
            return [self.value(one, f"{path}[{at}]", depth + 1) for at, one in self.few(enumerate(value))]
        return self.single(value, path)

    def few(self, items: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
        for item in items:
            if self.values > MOST_VALUES or self.report.full:
                return
            yield item

    def named(self, name: str, value: Any, path: str, depth: int) -> Any:
        here = inside(path, shown(name, 100))
        if len(name) > LONGEST_NAME:
            self.report.add(here, f"a name has at most {LONGEST_NAME} characters.")
            return None
        if SECRET.search(name) and _says_something(value):
            self.report.add(
                here, "a secret does not belong here, where many may read it: have the module fetch or make it."
            )
        return self.value(value, here, depth + 1)

    def single(self, value: Any, path: str) -> Any:
        value = plain(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            if len(value) > LONGEST_TEXT:
                self.report.add(path, f"a text has at most {LONGEST_TEXT} characters.")
            return value
        if not isinstance(value, int | float) or not -LARGEST <= value <= LARGEST:
            self.report.add(path, "it is no JSON value that keeps its precision.")
        return value
