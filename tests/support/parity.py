"""Both databases are held to the same tests: a run whose counts differ fails."""

from __future__ import annotations

from collections import Counter

import pytest


class Parity:
    """Counts the passed tests of each database of this run."""

    def __init__(self, kinds: list[str]) -> None:
        self.kinds = kinds
        self.narrowed = False
        self.kind_of: dict[str, str] = {}
        self.passed: Counter[str] = Counter()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        # Who picks tests by name may pick those of one database.
        self.narrowed = bool(session.config.option.keyword)
        for item in session.items:
            parameters = getattr(getattr(item, "callspec", None), "params", {})
            if "database_kind" in parameters:
                self.kind_of[item.nodeid] = parameters["database_kind"]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed and report.nodeid in self.kind_of:
            self.passed[self.kind_of[report.nodeid]] += 1

    @property
    def differs(self) -> bool:
        return not self.narrowed and len(self.kinds) > 1 and len({self.passed[kind] for kind in self.kinds}) > 1

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.OK and self.differs:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        counts = ", ".join(f"{kind} {self.passed[kind]}" for kind in self.kinds)
        verdict = ": the databases passed different numbers of tests" if self.differs else ""
        terminalreporter.write_line(f"tests by database: {counts}{verdict}", red=bool(verdict))
