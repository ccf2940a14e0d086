"""Rooms are small and named after what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from complaint import Complaint, Linter, Source

LIMIT = 600
MEASURED = {".py", ".html", ".css", ".js"}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}


def small_files(source: Source) -> Iterator[Complaint]:
    if PurePosixPath(source.path).suffix not in MEASURED or source.vendored:
        return
    lines = source.text.count("\n")
    if lines > LIMIT:
        yield Complaint(source.path, LIMIT, f"{lines} lines; a file of more than {LIMIT} is two rooms")


def named_rooms(source: Source) -> Iterator[Complaint]:
    if not source.path.startswith(("src/", "tests/", "script/", "bench/")) or "/fixtures/" in source.path:
        return
    path = PurePosixPath(source.path)
    for part in (*path.parts[:-1], path.stem):
        if part in EMPTY_NAMES:
            yield Complaint(source.path, 1, f"`{part}` says nothing about what the room holds")


UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bNotImplementedError\b")


def nothing_unfinished(source: Source) -> Iterator[Complaint]:
    if not source.python or source.path.startswith(("script/linters/", "tests/house/")):
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        found = UNFINISHED.search(line)
        if found:
            yield Complaint(source.path, number, f"`{found.group()}`: finish it or write an issue")


LINTERS = (
    Linter("small-files", f"No file above {LIMIT} lines.", small_files),
    Linter("named-rooms", "No module named utils, helpers, common or manager.", named_rooms),
    Linter("nothing-unfinished", "No reminders and no stubs in code.", nothing_unfinished),
)
