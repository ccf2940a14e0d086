"""What is known of an agent program, as values: nothing here starts anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from quarterdeck.tasks.orders import ErrorClass

Paste = Literal["bracketed", "flat"]
Hook = Literal["claude-settings", "codex-notify"]


@dataclass(frozen=True, slots=True)
class Sign:
    """A line of the terminal that says something about the program itself, not about its work.

    `pattern` is matched at the start of a line whose frame and bullet were taken off: an agent writes about such lines
    in the middle of its own. With `keys` it is a dialog that is answered by typing them, else it means `code`. A named
    group `reset` of the pattern is a time that the program told.
    """

    pattern: re.Pattern[str]
    code: ErrorClass | None = None
    keys: str | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """One agent program.

    `argv`, `resume` and `one_shot` are argument lists in which `{session}`, `{prompt}`, `{settings}` and `{notify}`
    stand for the session's id, the text of a stage, the file of hooks, and the program that the hook calls; the first
    element is replaced by the path that was found for one of `programs`. Times are in seconds.
    """

    type: str
    programs: tuple[str, ...]
    argv: tuple[str, ...]
    probe: tuple[str, ...] = ("--version",)
    version: re.Pattern[str] = re.compile(r"\d+(?:\.\d+)+(?:[-+.\w]*)?")
    resume: tuple[str, ...] | None = None
    names_session: bool = False
    """It takes an id of our choice; else it tells its own over its hook."""
    one_shot: bool = False
    """The prompt is an argument, and a clean exit ends the stage."""
    environment: tuple[str, ...] = ()
    """Names of the worker's own variables that the program is given."""
    hook: Hook | None = None
    ready: re.Pattern[str] | None = None
    """A line that is there once the program takes input; None: its first output, and then a pause."""
    ready_seconds: float = 60.0
    paste: Paste = "bracketed"
    submit: str = "\r"
    settle: float = 0.4
    """How long its screen is left to take in what was pasted before the submit key."""
    signs: tuple[Sign, ...] = ()
    question: re.Pattern[str] | None = None
    """A line by which it asks a person something."""
    confirm: float = 3.0
    """How long a sign has to stand before it is believed."""
    exit_keys: str = ""
    """Typed to let it end by itself; empty: it is told by a signal."""
    extra_environment: dict[str, str] = field(default_factory=dict)


def auth(*patterns: str) -> tuple[Sign, ...]:
    return tuple(Sign(re.compile(one, re.IGNORECASE), code="agent_auth") for one in patterns)


def limited(*patterns: str) -> tuple[Sign, ...]:
    return tuple(Sign(re.compile(one, re.IGNORECASE), code="rate_limited") for one in patterns)


def trusting(*patterns: str) -> tuple[Sign, ...]:
    """Dialogs that ask whether to trust the worktree, and offer yes first. A worktree is new to its program each time,
    and whoever made the project has chosen its repository: nobody could answer anything else.
    """
    return tuple(Sign(re.compile(one, re.IGNORECASE), keys="\r") for one in patterns)
