"""Writes what a whole run of the tests showed into docs/reference/evidence.md; called by `script/test --all`."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "evidence.md"
RESULTS = ROOT / ".pytest_cache" / "whole-run"
BEGIN = "<!-- begin: written by script/test --all -->"
END = "<!-- end -->"


def outcomes(results: Path) -> dict[str, Counter[str]]:
    """Outcomes by test package (`tests/<package>`) of a directory of JUnit files."""
    found: dict[str, Counter[str]] = {}
    cases = (case for file in sorted(results.glob("*.xml")) for case in ET.parse(file).iter("testcase"))  # noqa: S314 - written by our own run
    for case in cases:
        package = ".".join(case.get("classname", "").split(".")[1:3]) or "tests"
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        found.setdefault(package, Counter())[min(kinds) if kinds else "passed"] += 1
    return found


def table(found: dict[str, Counter[str]]) -> list[str]:
    lines = ["| tests | passed | failed | left out |", "|---|---|---|---|"]
    for package, counts in sorted(found.items()):
        failed = counts["failure"] + counts["error"]
        lines.append(f"| {package} | {counts['passed']} | {failed} | {counts['skipped']} |")
    return lines


def write(status: int, seconds: float, seed: str) -> None:
    """Replace the generated part of the page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    result = "passed" if status == 0 else "failed"
    lines = [
        BEGIN,
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}{' with changes' if changed else ''}:",
        f"{result} in {seconds / 60:.0f} minutes, seed {seed}.",
        "",
        *table(outcomes(RESULTS)),
        END,
    ]
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(head + "\n".join(lines) + tail, encoding="utf-8")


if __name__ == "__main__":
    write(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
