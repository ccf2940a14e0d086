"""Writes what a whole run of the tests showed into docs/reference/evidence.md; called by `script/test --all`."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "evidence.md"
RESULTS = ROOT / ".pytest_cache" / "whole-run"
BEGIN = "<!-- begin: written by script/test --all -->"
END = "<!-- end -->"
HEADING = (
    "| tests | passed | failed | left out | minutes | date | commit | seed |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Row:
    """What one package of tests (`tests/<package>`) showed, when, and at which commit."""

    tests: str
    outcomes: Counter[str]
    seconds: float
    date: str
    commit: str
    seed: str

    def line(self) -> str:
        failed = self.outcomes["failure"] + self.outcomes["error"]
        counts = f"{self.outcomes['passed']} | {failed} | {self.outcomes['skipped']}"
        return f"| {self.tests} | {counts} | {self.seconds / 60:.0f} | {self.date} | {self.commit} | {self.seed} |"


def outcomes(results: Path) -> dict[str, tuple[Counter[str], float]]:
    """Outcomes and seconds by test package of a directory of JUnit files."""
    found: dict[str, tuple[Counter[str], float]] = {}
    cases = (case for file in sorted(results.glob("*.xml")) for case in ET.parse(file).iter("testcase"))  # noqa: S314 - written by our own run
    for case in cases:
        package = ".".join(case.get("classname", "").split(".")[1:3]) or "tests"
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        counts, seconds = found.get(package, (Counter(), 0.0))
        counts[min(kinds) if kinds else "passed"] += 1
        found[package] = counts, seconds + float(case.get("time") or 0)
    return found


def merged(page: str, rows: list[Row], *, alone: bool) -> str:
    """The page with these rows. `alone`: no row of an earlier run stays; else those of other packages do."""
    head, _, rest = page.partition(BEGIN)
    earlier, _, tail = rest.partition(END)
    new = {row.tests: row.line() for row in rows}
    kept = {} if alone else {name(line): line for line in earlier.splitlines() if line.startswith("| ")}
    kept.pop(name(HEADING[0]), None)
    lines = [BEGIN, *HEADING, *(line for _, line in sorted({**kept, **new}.items())), END]
    return head + "\n".join(lines) + tail


def name(line: str) -> str:
    return line.split("|")[1].strip()


def write(seed: str, *, alone: bool) -> None:
    """Replace the generated part of the page, or of it the rows of what just ran."""
    commit = _git("rev-parse", "--short", "HEAD") + (
        " with changes" if _git("status", "--porcelain", "--", ".", f":(exclude){PAGE.relative_to(ROOT)}") else ""
    )
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    rows = [Row(tests, counts, took, date, commit, seed) for tests, (counts, took) in outcomes(RESULTS).items()]
    PAGE.write_text(merged(PAGE.read_text(encoding="utf-8"), rows, alone=alone), encoding="utf-8")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
