"""What a task changes, file by file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

MOST_LINES = 1500
"""Lines of a diff on a page; the rest is for `qd task diff`."""
KINDS = {"+": "now", "-": "was", "@": "hunk", "\\": "hunk"}


@dataclass(frozen=True, slots=True)
class FileDiff:
    """`runs` are lines of one kind each (`now`, `was`, `hunk` or empty), as they stand in the diff."""

    name: str
    note: str
    added: int
    removed: int
    runs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TaskDiffView:
    """`of` says what was looked at; `cut`: it was too large to be told whole, `left` lines of it are not shown here."""

    of: str
    at: datetime
    base: str
    files_changed: int
    insertions: int
    deletions: int
    files: tuple[FileDiff, ...]
    cut: bool
    left: int = 0


def files_of(patch: str) -> tuple[tuple[FileDiff, ...], int]:
    """A unified diff of git by its files, and how many of its lines are left out. Within a hunk each line has a sign of
    its own, so whatever a file holds is never taken for the beginning of another one.
    """
    lines = patch.split("\n")[:-1] if patch.endswith("\n") else patch.split("\n") if patch else []
    shown, files, begun = lines[:MOST_LINES], [], -1
    for at, line in enumerate([*shown, "diff --git "]):
        if not line.startswith("diff --git "):
            continue
        if begun >= 0:
            files.append(_file(shown[begun:at]))
        begun = at
    return tuple(files), len(lines) - len(shown)


def _file(lines: list[str]) -> FileDiff:
    body = next((at for at, line in enumerate(lines) if line.startswith("@@")), len(lines))
    head, hunks = lines[:body], lines[body:]
    return FileDiff(
        _name(head),
        _note(head),
        sum(line.startswith("+") for line in hunks),
        sum(line.startswith("-") for line in hunks),
        tuple((kind, "\n".join(some)) for kind, some in groupby(hunks, lambda line: KINDS.get(line[:1], ""))),
    )


def _after(head: list[str], *words: str) -> Iterator[str]:
    return (line.removeprefix(word) for word in words for line in head if line.startswith(word))


def _name(head: list[str]) -> str:
    for found in _after(head, "rename to ", "+++ b/", '+++ "b/', "--- a/", '--- "a/'):
        return found.rstrip("\t").removesuffix('"')
    pair = head[0].removeprefix("diff --git ")  # "a/NAME b/NAME", of a file whose content does not show
    half = len(pair) // 2
    return pair[2:half] if pair[2:half] == pair[half + 3 :] else pair


def _note(head: list[str]) -> str:
    words = []
    if old := next(_after(head, "rename from "), ""):
        words.append(f"was {old}")
    words += ["new" for line in head if line.startswith("new file mode")]
    words += ["deleted" for line in head if line.startswith("deleted file mode")]
    words += ["binary" for line in head if line.startswith(("Binary files ", "GIT binary patch"))]
    words += ["another mode" for line in head if line.startswith("new mode")]
    return ", ".join(words)
