"""A session of a command about infrastructure: its refusals, which say what happened, get what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quarterdeck.cli import session as sessions
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import about


@contextmanager
def session(common: Common) -> Iterator[Session]:
    """As that of every command."""
    with sessions.session(common) as opened, about(not_allowed="qd whoami   (an administrator gives roles: qd grant)"):
        yield opened
