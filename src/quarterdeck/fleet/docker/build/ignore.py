"""`.dockerignore`: which files of a build context stay at home.

The engine ignores this file in an uploaded context, so it is applied before anything is sent. Later patterns win;
`!` takes a path back in; `**` spans directories; a pattern that matches a directory covers all that is below it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    text: str
    expression: re.Pattern[str]
    includes: bool

    def matches(self, path: str) -> bool:
        """Whether the path itself or a directory above it is meant."""
        parts = path.split("/")
        return any(self.expression.fullmatch("/".join(parts[:count])) for count in range(len(parts), 0, -1))

    def may_match_below(self, directory: str) -> bool:
        """Whether some path deeper than `directory` could match while `directory` itself does not."""
        own, asked = self.text.split("/"), directory.split("/")
        for position, part in enumerate(own):
            if "**" in part:
                return True
            if position == len(asked):
                return True
            if not re.fullmatch(translate(part), asked[position], re.DOTALL):
                return False
        return False


class Ignore:
    """The rules of one ignore file; `kept` names what no rule can exclude (the Dockerfile and the file itself)."""

    def __init__(self, text: str, kept: frozenset[str] = frozenset()) -> None:
        self.patterns = parse(text)
        self._kept = kept

    def excludes(self, path: str) -> bool:
        if path in self._kept:
            return False
        excluded = False
        for pattern in self.patterns:
            if pattern.includes == excluded and pattern.matches(path):
                excluded = not excluded
        return excluded

    def may_enter(self, directory: str) -> bool:
        """Whether an excluded directory can still hold something to send."""
        return any(name.startswith(f"{directory}/") for name in self._kept) or any(
            pattern.includes and pattern.may_match_below(directory) for pattern in self.patterns
        )


def parse(text: str) -> list[Pattern]:
    patterns = []
    for number, raw in enumerate(text.splitlines()):
        line = raw.removeprefix("\ufeff") if number == 0 else raw
        if line.startswith("#"):
            continue
        line = line.strip()
        includes = line.startswith("!")
        name = line[1:].strip() if includes else line
        if not name:
            continue
        cleaned = posixpath.normpath(name).lstrip("/")
        if cleaned and cleaned != ".":
            patterns.append(Pattern(cleaned, re.compile(translate(cleaned), re.DOTALL), includes))
    return patterns


def translate(pattern: str) -> str:
    """A pattern of the ignore file as a regular expression for a whole relative path."""
    made = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == "*" and pattern[index : index + 1] == "*":
            index += 1
            if pattern[index : index + 1] == "/":
                index += 1
            made.append(".*" if index >= len(pattern) else "(?:.*/)?")
        elif char == "*":
            made.append("[^/]*")
        elif char == "?":
            made.append("[^/]")
        elif char == "[" and (end := closing(pattern, index)) is not None:
            made.append(character_class(pattern[index:end]))
            index = end + 1
        elif char == "\\" and index < len(pattern):
            made.append(re.escape(pattern[index]))
            index += 1
        else:
            made.append(re.escape(char))
    return "".join(made)


def closing(pattern: str, start: int) -> int | None:
    """Where the class that opened before `start` ends."""
    first = start + 1 if pattern[start : start + 1] == "^" else start
    index = first
    while index < len(pattern):
        if pattern[index] == "\\":
            index += 1
        elif pattern[index] == "]" and index > first:
            return index
        index += 1
    return None


def character_class(inner: str) -> str:
    negated = inner.startswith("^")
    body = re.sub(r"([\[&~|])", r"\\\1", inner.removeprefix("^"))
    return f"(?!/)[{'^' if negated else ''}{body}]"
