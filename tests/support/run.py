"""What holds for the whole run: seed, sampling, markers that follow from fixtures, equal counts on both databases."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from support.databases import database_kinds

T = TypeVar("T")
TESTS = Path(__file__).resolve().parent.parent
END_TO_END = TESTS / "e2e"
INDOORS = tuple(TESTS / room for room in ("surfaces", "contract", "console", "kernel"))
"""Rooms whose tests use none of the machine's users: they may run beside those that do."""
THROUGH = ("faults", "surfaces", "console", "serving", "backups", "maintenance", "contract")
"""Rooms whose tests go through the whole program."""
CAPABILITIES = ("deploy", "tasks", "infra", "broker", "fleet", "notify")
"""Rooms that keep what they keep by the kernel's units of work, which every run tries on both databases."""
TAKE_TURNS = (END_TO_END, *(TESTS / room for room in (*THROUGH, *CAPABILITIES)))
"""Their modules are on one database in a run of everything, and on the other one in a run with the next seed; a run of
named tests, and `--all`, has both.
"""
TERRAFORM = (
    END_TO_END / "infra",
    END_TO_END / "console" / "test_infrastructure_in_browser.py",
    TESTS / "faults" / "test_infra_kill_points.py",
    *(TESTS / "infra" / room for room in ("execution", "templates")),
    TESTS / "surfaces" / "infra" / "test_states_of_terraform.py",
)
"""Tests that run the real program."""
PARTS = {
    "engine": {"docker_host", "docker_images"},
    "postgresql": {"postgresql"},
}
SEED = int(os.environ.get("QUARTERDECK_TEST_SEED", "1"))
ALL = os.environ.get("QUARTERDECK_TEST_ALL") == "1"
SAMPLED = os.environ.get("QUARTERDECK_TEST_SAMPLED") == "1"
"""A run of everything that is no `--all`: each module of `TAKE_TURNS` is on one database, chosen by the seed."""

HAPPENED = Counter[str]()
"""What this run has done to installations in the middle of work, counted when it came to its moment and all was sound
afterwards; told at the end.
"""


def sample(sweep: Sequence[T], size: int, salt: str) -> list[T]:
    """The part of a sweep that this run takes: `size` of it chosen by the run's seed, everything with `--all`."""
    if ALL or size >= len(sweep):
        return list(sweep)
    draw = random.Random(f"{SEED}-{salt}")  # noqa: S311 - to be repeated, not to be secret
    chosen = draw.sample(range(len(sweep)), size)
    return [sweep[index] for index in sorted(chosen)]


def pytest_report_header() -> str:
    return f"seed: {SEED}{' (all of every sweep)' if ALL else ''}; databases: {', '.join(database_kinds())}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if HAPPENED:
        told = ", ".join(f"{name} {count}" for name, count in sorted(HAPPENED.items()))
        terminalreporter.write_line(f"schedules: {HAPPENED.total()} (seed {SEED}): {told}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks tests by the real parts that they use, refuses a run whose databases see different tests, and takes one
    database for each module of `TAKE_TURNS` in a sampled run.
    """
    counts = Counter(dict.fromkeys(database_kinds(), 0))
    for item in items:
        kind = database_of(item)
        if kind is not None:
            counts[kind] += 1
        if kind == "postgresql":
            item.add_marker("postgresql")
        if END_TO_END in item.path.parents:
            item.add_marker("end_to_end")
        if {*INDOORS} & {*item.path.parents}:
            item.add_marker("indoors")
        if {*TERRAFORM} & {item.path, *item.path.parents}:
            item.add_marker("terraform")
        for marker, fixtures in PARTS.items():
            if fixtures & set(getattr(item, "fixturenames", ())):
                item.add_marker(marker)
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} on {kind}" for kind, count in counts.items())
        raise pytest.UsageError(f"The databases do not run the same tests: {told}")
    if SAMPLED:
        left_out = _of_the_other_database(items)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _of_the_other_database(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The modules take turns, so that each run has about as many on each; a seed one higher has them the other way."""
    paired = [
        item for item in items if database_of(item) is not None and {*TAKE_TURNS} & {item.path, *item.path.parents}
    ]
    kinds = database_kinds()
    turns = {
        path: kinds[(place + SEED) % len(kinds)] for place, path in enumerate(sorted({one.path for one in paired}))
    }
    return [item for item in paired if database_of(item) != turns[item.path]]


def database_of(item: pytest.Item) -> str | None:
    """The database that a test is parametrised with, None for a test without one."""
    call = getattr(item, "callspec", None)
    return call.params.get("database_kind") if call is not None else None
