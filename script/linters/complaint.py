"""What a linter reads and what it says."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One file of the project: its path from the root, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def python(self) -> bool:
        return self.path.endswith(".py") or self.text.startswith("#!/usr/bin/env python3")

    @property
    def vendored(self) -> bool:
        return "/vendor/" in self.path

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)


@dataclass(frozen=True)
class Complaint:
    path: str
    line: int
    text: str


@dataclass(frozen=True)
class Linter:
    """A rule with a name. `check` sees every file once; `rule` is what its complaint asks for."""

    name: str
    rule: str
    check: Callable[[Source], Iterator[Complaint]]


def sources(root: Path) -> Iterator[Source]:
    """Every text file that is or could be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in sorted(filter(None, listed.split("\0"))):
        path = root / name
        if path.is_symlink() or not path.is_file():
            continue
        try:
            yield Source(name, path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
