"""A session of a command about infrastructure: its refusals, which say what happened, get what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quarterdeck.cli import session as sessions
from quarterdeck.cli import tasks
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import Session


@contextmanager
def session(common: Common) -> Iterator[Session]:
    """As that of every command."""
    with (
        sessions.session(common) as opened,
        tasks.about(not_allowed="qd whoami   (an administrator gives roles: qd grant)"),
    ):
        yield opened


@contextmanager
def about(**hints: str) -> Iterator[None]:
    """Give a refusal of the server something to type, by the exit's name. What it says itself stays beside that, but
    for what is not there: a list says more.
    """
    try:
        yield
    except Failure as failure:
        command = hints.get(failure.exit.name.lower())
        if command is not None and (failure.status is not None or failure.hint is None):
            kept = failure.hint if failure.exit is not Exit.NOT_FOUND else None
            failure.hint = f"{command}   ({kept})" if kept and kept != command else command
        raise
