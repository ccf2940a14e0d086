"""What a run of the sweeps writes into the page of evidence: its own rows, and never another run's."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = """# Evidence

<!-- begin: written by script/test --all -->
| tests | passed | failed | left out | minutes | date | commit | seed |
|---|---|---|---|---|---|---|---|
| e2e.test_demo | 4 | 0 | 0 | 2 | 2026-11-01 | aaaaaaa | 1 |
| faults.test_kill_points | 8 | 0 | 0 | 20 | 2026-11-01 | aaaaaaa | 1 |
<!-- end -->

after
"""


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sys, "path", [str(ROOT / "script"), *sys.path])
    import evidence

    return evidence


def lines(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| tests")]


def test_rows_of_what_ran_are_renewed_and_others_stay(evidence) -> None:  # type: ignore[no-untyped-def]
    row = evidence.Row(
        "faults.test_kill_points", Counter(passed=7, failure=1, error=1), 90.0, "2026-11-29", "bbbbbbb", "2"
    )
    page = evidence.merged(PAGE, [row], alone=False)
    assert lines(page) == [
        "| e2e.test_demo | 4 | 0 | 0 | 2 | 2026-11-01 | aaaaaaa | 1 |",
        "| faults.test_kill_points | 7 | 2 | 0 | 2 | 2026-11-29 | bbbbbbb | 2 |",
    ]
    assert page.startswith("# Evidence\n")
    assert page.endswith("\n\nafter\n")


def test_a_whole_run_leaves_no_row_of_an_earlier_one(evidence) -> None:  # type: ignore[no-untyped-def]
    row = evidence.Row("e2e.test_demo", Counter(passed=4), 60.0, "2026-11-29", "bbbbbbb", "2")
    assert lines(evidence.merged(PAGE, [row], alone=True)) == [
        "| e2e.test_demo | 4 | 0 | 0 | 1 | 2026-11-29 | bbbbbbb | 2 |"
    ]


def test_outcomes_are_counted_by_package(evidence, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.xml").write_text(
        '<testsuites><testsuite><testcase classname="tests.e2e.test_demo" name="a" time="1.5"/>'
        '<testcase classname="tests.e2e.test_demo" name="b" time="2"><failure/></testcase>'
        '<testcase classname="tests.kernel.jobs.test_turns" name="c" time="1"><skipped/></testcase>'
        "</testsuite></testsuites>"
    )
    assert evidence.outcomes(tmp_path) == {
        "e2e.test_demo": (Counter(passed=1, failure=1), 3.5),
        "kernel.jobs": (Counter(skipped=1), 1.0),
    }
