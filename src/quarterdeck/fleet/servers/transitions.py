"""The states of a server's edge and of an attempt to bring it up, and the only ways between them."""

from __future__ import annotations

from quarterdeck.fleet.servers.model import ProxyAttempt, Server
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid

FIRST = "accepted"

ATTEMPT_MOVES: dict[str, frozenset[str]] = {
    # What is canceled before a worker had it, or could not be ordered, ends without having run.
    "accepted": frozenset({"running", "failed", "canceled"}),
    "running": frozenset({"succeeded", "failed", "canceled"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
}

EDGE_MOVES: dict[str, frozenset[str]] = {
    # Without an edge there is nothing to start or to observe: another kind comes first.
    "disabled": frozenset({"pending"}),
    # A deployment observes the edge without an attempt, and so without a start.
    "pending": frozenset({"starting", "ready", "failed", "disabled"}),
    "starting": frozenset({"ready", "failed", "pending", "disabled"}),
    "ready": frozenset({"starting", "failed", "pending", "disabled"}),
    "failed": frozenset({"starting", "ready", "pending", "disabled"}),
}


def first_edge(kind: str) -> str:
    """The status of an edge of this kind that nobody has looked at."""
    return "disabled" if kind == "none" else "pending"


def move(tx: Tx, attempt: ProxyAttempt, status: str, *, error: tuple[str, str] | None = None) -> None:
    """Assign a new status to an attempt, with the code and message of why it failed. Staying where it is is no move (a
    worker may take an attempt up that another has lost); an illegal one is `invariant_violation`.
    """
    if attempt.status == status:
        return
    if status not in ATTEMPT_MOVES[attempt.status]:
        raise _illegal(f"attempt {attempt.ref}", attempt.status, status)
    attempt.status = status
    if not ATTEMPT_MOVES[status]:
        attempt.finished_at = tx.now
        attempt.error_code, attempt.error_message = error or (None, None)


def move_edge(tx: Tx, server: Server, status: str, *, error: tuple[str, str] | None = None) -> None:
    """Assign what is known of a server's edge, with the times and the error that go with it. What is seen once more
    renews its time; an illegal move is `invariant_violation`.
    """
    if status not in EDGE_MOVES[server.proxy_status] | {server.proxy_status}:
        raise _illegal(f"edge of {server.name}", server.proxy_status, status)
    server.proxy_status = status
    if status in {"pending", "disabled"}:
        server.proxy_attempted_at = server.proxy_succeeded_at = None
    else:
        server.proxy_attempted_at = tx.now
    if status == "ready":
        server.proxy_succeeded_at = tx.now
    if status != "starting":
        server.proxy_error_code, server.proxy_error_message = error or (None, None)


def _illegal(what: str, old: str, new: str) -> Invalid:
    return Invalid(f"The {what} is {old} and cannot become {new}.", code="invariant_violation")
