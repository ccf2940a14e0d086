"""What can be set and what can go wrong is described."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import pages
from quarterdeck.kernel.http.failures import CODE_BY_STATUS
from quarterdeck.kernel.settings import PREFIX, Settings

REFERENCE = pages.ROOT / "docs" / "reference"
SOURCES = pages.ROOT / "src" / "quarterdeck"
WORD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def tabled(page: str) -> set[str]:
    """The codes in the first column of a page's tables."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def raised(path: Path) -> Iterator[str]:
    """Codes that a module raises: `code="…"` of a call, and the default code of a class of problems."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = any(isinstance(target, ast.Name) and target.id == "default_code" for target in targets)
            values = [node.value] if named and node.value is not None else []
        else:
            continue
        for value in values:
            yield from (word for word in literals(value) if WORD.fullmatch(word))


def literals(value: ast.expr) -> Iterator[str]:
    """The words that an expression may be: itself, either side of a choice, the last resort of an `or`."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from (*literals(value.body), *literals(value.orelse))
    elif isinstance(value, ast.BoolOp):
        for part in value.values:
            yield from literals(part)


def codes() -> dict[str, str]:
    found = dict.fromkeys(CODE_BY_STATUS.values(), "kernel/http/failures.py")
    for path in sorted(SOURCES.rglob("*.py")):
        if "wire" not in path.parts:
            found.update(dict.fromkeys(raised(path), str(path.relative_to(SOURCES))))
    return found


def test_every_error_code_is_described() -> None:
    known = tabled("errors.md")
    missing = {code: where for code, where in codes().items() if code not in known}
    assert missing == {}


def test_every_obstacle_of_a_plan_is_described_as_an_error() -> None:
    known = tabled("errors.md")
    reasons = set()
    for room in ("detection", "planning"):
        for path in (SOURCES / "deploy" / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and getattr(node.func, "id", "") in {"Issue", "problem"}:
                    first = node.args[0]
                    reasons |= {
                        part.value
                        for part in ast.walk(first)
                        if isinstance(part, ast.Constant) and isinstance(part.value, str) and "-" in part.value
                    }
    assert reasons
    assert {reason.replace("-", "_") for reason in reasons} - known == set()


def test_no_described_error_is_gone() -> None:
    everything = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    gone = [
        code
        for code in tabled("errors.md")
        if not re.search(rf"[\"']{re.escape(code)}[\"']", everything)
        and not re.search(rf"[\"']{re.escape(code.replace('_', '-'))}[\"']", everything)
        and WORD.fullmatch(code)
    ]
    assert gone == []


@pytest.mark.parametrize("field", sorted(Settings.__struct_fields__))
def test_every_setting_is_described(field: str) -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and f"`{PREFIX}{field.upper()}`" in line]
    assert len(rows) == 1, f"settings.md has no row of its own for {PREFIX}{field.upper()}"


def test_the_described_default_port_and_address_are_those_of_the_program() -> None:
    settings = Settings()
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    for field in ("host", "port", "log_level"):
        row = next(line for line in text.splitlines() if f"`{PREFIX}{field.upper()}`" in line)
        assert f"`{getattr(settings, field)}`" in row
