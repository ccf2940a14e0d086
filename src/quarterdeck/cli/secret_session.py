"""A session of a command about secrets: its refusals, which say what happened, get what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quarterdeck.cli import infra_session
from quarterdeck.cli.failure import Failure
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import Session

TYPED = {
    "justification_required": 'Add the reason: --why "…"',
    "connection_ambiguous": "--connection NAME   (qd secret connection list)",
    "connection_unknown": "qd secret connection list",
    "environment_unknown": "qd secret project list",
    "project_not_found": "qd secret project list",
    "production_needs_approval": "Ask without --direct.",
    "direct_not_allowed": "Ask without --direct.",
    "emergency_not_allowed": "Ask without --emergency.",
    "session_not_fresh": "Sign in again, then repeat it: qd login URL",
    "session_required": "Sign in in person, then repeat it: qd login URL",
    "approval_own": "Let somebody else decide it.",
    "reason_required": 'Add the reason: --reason "…"',
    "connection_credential_needed": "Add --credential @FILE for the new address.",
}
"""What to type, by the code of a refusal, where the server's own words are about its API."""


@contextmanager
def session(common: Common) -> Iterator[Session]:
    """As that of every command."""
    with infra_session.session(common) as opened:
        try:
            yield opened
        except Failure as failure:
            if failure.status is not None:
                failure.hint = TYPED.get(failure.code, failure.hint)
            raise


about = infra_session.about
