"""Tolerant reading of a project's manifests: a broken file becomes an entry in `unreadable`, never an exception."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cached_property
from typing import Any

from quarterdeck.deploy.detection.tree import SourceTree

TEXT_LIMIT = 1_048_576


class Manifests:
    """One source tree with its manifests parsed on demand and remembered."""

    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self.unreadable: dict[str, str] = {}
        self._texts: dict[str, str | None] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.tree.paths())

    def has(self, *paths: str) -> bool:
        return any(path in self.names for path in paths)

    def first(self, *paths: str) -> str | None:
        return next((path for path in paths if path in self.names), None)

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Paths that match a regular expression as a whole, sorted."""
        expression = re.compile(pattern)
        return tuple(path for path in self.tree.paths() if expression.fullmatch(path))

    def text(self, path: str, limit: int = TEXT_LIMIT) -> str | None:
        """Return the file as text; None (and a note) when it is missing, too large or binary."""
        if path not in self._texts:
            self._texts[path] = self._load(path, limit)
        return self._texts[path]

    def json(self, path: str) -> dict[str, Any]:
        text = self.text(path)
        if text is None:
            return {}
        try:
            value = json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            self.unreadable[path] = "is not valid JSON"
            return {}
        if not isinstance(value, dict):
            self.unreadable[path] = "does not hold a JSON object"
            return {}
        return value

    def toml(self, path: str) -> dict[str, Any]:
        text = self.text(path)
        if text is None:
            return {}
        try:
            return tomllib.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            self.unreadable[path] = "is not valid TOML"
            return {}

    def _load(self, path: str, limit: int) -> str | None:
        if path not in self.names:
            return None
        raw = self.tree.read(path, limit + 1)
        if raw is None:
            self.unreadable[path] = "cannot be read"
            return None
        if len(raw) > limit:
            self.unreadable[path] = f"is larger than {limit // 1024} KiB"
            return None
        if b"\0" in raw:
            self.unreadable[path] = "is a binary file"
            return None
        return raw.decode("utf-8", errors="replace")


def table(value: Any, *keys: str) -> dict[str, Any]:
    """Walk nested objects; anything that is not an object on the way reads as empty."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def word(value: Any) -> str | None:
    """Return a non-empty single-line string, else None."""
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value.strip()
    return None
