"""States of infrastructure as the command line shows them (the console's table says which tone is whose)."""

from __future__ import annotations

from quarterdeck.cli.names import Row
from quarterdeck.cli.states import Shown, Tone

SPEC: dict[str, Tone] = {
    "draft": "idle",
    "queued": "idle",
    "provisioning": "run",
    "destroying": "run",
    "destroying:approval": "ask",
    "drift": "warn",
    "active": "good",
    "failed": "bad",
    "destroyed": "off",
}
JOB: dict[str, Tone] = {
    "queued": "idle",
    "queued:approval": "ask",
    "claimed": "run",
    "processing": "run",
    "success": "good",
    "success:orphan-risk": "warn",
    "failed": "bad",
    "cancelled": "off",
    "cancelled:orphan-risk": "warn",
}
RUNNER: dict[str, Tone] = {"online": "good", "offline": "bad", "draining": "off"}
CLUSTER: dict[str, Tone] = {
    "pending": "idle",
    "creating": "run",
    "updating": "run",
    "destroying": "run",
    "active": "good",
    "failed": "bad",
    "destroyed": "off",
}
WORDS = {
    "claimed": "starts",
    "processing": "runs",
    "cancelled": "canceled",
    "queued:approval": "waits for approval",
    "success:orphan-risk": "may have left orphans",
    "cancelled:orphan-risk": "may have left orphans",
}
ENDED = frozenset({"SUCCESS", "FAILED", "CANCELLED"})
STATUSES = ("QUEUED", "CLAIMED", "PROCESSING", *sorted(ENDED))


def _shown(table: dict[str, Tone], state: str) -> Shown:
    return Shown(table.get(state, "off"), WORDS.get(state, state))


def spec(row: Row) -> Shown:
    return _shown(SPEC, str(row["status"]).lower())


def job(row: Row) -> Shown:
    """Of an infrastructure job; one that did not fail may still have left something that nobody looks after."""
    state = str(row["status"]).lower()
    if state == "queued" and row.get("waits_for") == "approval":
        state += ":approval"
    if state in {"success", "cancelled"} and row.get("orphan_risk"):
        state += ":orphan-risk"
    return _shown(JOB, state)


def runner(row: Row) -> Shown:
    return _shown(RUNNER, str(row["status"]).lower())


def cluster(row: Row) -> Shown:
    return _shown(CLUSTER, str(row["status"]).lower())
