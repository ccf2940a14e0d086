"""States of brokered secrets as the command line shows them."""

from __future__ import annotations

from quarterdeck.cli.names import Row
from quarterdeck.cli.states import Shown, Tone

REQUEST: dict[str, Tone] = {
    "pending": "ask",
    "approved": "run",
    "executed": "good",
    "failed": "bad",
    "rejected": "bad",
    "cancelled": "off",
    "expired": "warn",
}
WORDS = {"pending": "waits for approval", "approved": "is carried out", "executed": "done", "cancelled": "canceled"}
AGENT: dict[str, Tone] = {"active": "good", "stale": "warn", "revoked": "off"}
FOUND: dict[str, Tone] = {"present": "good", "missing": "warn"}
ENDED = frozenset({"executed", "failed", "rejected", "cancelled", "expired"})


def request(row: Row) -> Shown:
    """Of an emergency that nobody has looked at yet it says so."""
    status = str(row["status"])
    if row.get("emergency") and not row.get("reviewed_at") and status in {"approved", "executed", "failed"}:
        return Shown("ask", "waits for review")
    return Shown(REQUEST.get(status, "off"), WORDS.get(status, status))


def agent(row: Row) -> Shown:
    return Shown(AGENT.get(str(row["status"]), "off"), str(row["status"]))


def connection(row: Row) -> Shown:
    if not row["enabled"]:
        return Shown("off", "disabled")
    if row.get("health_error"):
        return Shown("bad", "failing")
    return Shown("good", "works") if row.get("checked_at") else Shown("idle", "not used yet")


def found(row: Row) -> Shown:
    return Shown(FOUND.get(str(row["status"]), "off"), str(row["status"]))
