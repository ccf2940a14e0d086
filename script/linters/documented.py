"""Documentation is tested: what a person can set or type is described."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from complaint import Complaint, Linter, Source

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = "src/quarterdeck/kernel/settings.py"
PREFIX = "QUARTERDECK_"


def documents(root: Path = ROOT) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((root / "docs").rglob("*.md")))


def settings_of(source: Source) -> Iterator[tuple[str, int]]:
    """Fields of the class `Settings`, as environment variables."""
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Settings":
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                    name = item.target.id
                    if not name.startswith("_"):
                        yield PREFIX + name.upper(), item.lineno


def documented_settings(source: Source) -> Iterator[Complaint]:
    if source.path != SETTINGS:
        return
    written = documents()
    for name, line in settings_of(source):
        if name not in written:
            yield Complaint(source.path, line, f"{name} is described nowhere in docs/")


def commands_of(source: Source) -> Iterator[tuple[str, int]]:
    """Functions that a cyclopts application registers: `@app.command` and `@app.command(name=…)`."""
    for node in source.nodes():
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for decorator in node.decorator_list:
            call = decorator.func if isinstance(decorator, ast.Call) else decorator
            if not (isinstance(call, ast.Attribute) and call.attr == "command"):
                continue
            name = node.name.rstrip("_").replace("_", "-")
            for keyword in decorator.keywords if isinstance(decorator, ast.Call) else []:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    name = str(keyword.value.value)
            yield name, node.lineno


def documented_commands(source: Source) -> Iterator[Complaint]:
    if not source.path.startswith("src/quarterdeck/cli/") or not source.python:
        return
    written = documents()
    for name, line in commands_of(source):
        if not re.search(rf"\b(qd|quarterdeck) ([a-z-]+ )?{re.escape(name)}\b", written):
            yield Complaint(source.path, line, f"`qd {name}` is described nowhere in docs/")


LINTERS = (
    Linter("documented-settings", "Every setting is described in docs/.", documented_settings),
    Linter("documented-commands", "Every command is described in docs/.", documented_commands),
)
