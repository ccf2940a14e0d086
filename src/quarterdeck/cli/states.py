"""States as the command line shows them: a mark, a colour and always the word."""

from __future__ import annotations

from typing import Literal, NamedTuple

Tone = Literal["idle", "off", "run", "ask", "warn", "good", "bad"]

MARKS: dict[Tone, str] = {"good": "✓", "run": "●", "ask": "◆", "warn": "▲", "bad": "✗", "idle": "◌", "off": "–"}  # noqa: RUF001 - the dash is the mark
PLAIN: dict[Tone, str] = {"good": "+", "run": "*", "ask": "?", "warn": "!", "bad": "x", "idle": "o", "off": "-"}
COLOURS: dict[Tone, int] = {"good": 32, "run": 34, "ask": 35, "warn": 33, "bad": 31, "idle": 90, "off": 90}
TONES: dict[str, Tone] = {
    "created": "idle",
    "planning": "run",
    "planned": "run",
    "running": "run",
    "cancel-requested": "run",
    "succeeded": "good",
    "failed": "bad",
    "canceled": "off",
    "rolled-back": "warn",
}
HEALTH: dict[str, Tone] = {
    "healthy": "good",
    "running": "good",
    "degraded": "warn",
    "unhealthy": "bad",
    "exited": "bad",
    "starting": "run",
    "restarting": "run",
    "stopping": "run",
    "stopped": "off",
    "archived": "off",
    "not-deployed": "idle",
    "unknown": "off",
}
CHECKS: dict[str, Tone] = {
    "passed": "good",
    "healthy": "good",
    "ready": "good",
    "active": "good",
    "failed": "bad",
    "unreachable": "bad",
    "degraded": "warn",
    "starting": "run",
    "pending": "idle",
    "skipped": "off",
    "disabled": "off",
    "inactive": "off",
}
WORK: dict[str, Tone] = {
    "pending": "idle",
    "running": "run",
    "retry-scheduled": "warn",
    "succeeded": "good",
    "failed": "bad",
    "canceled": "off",
    "dead-lettered": "bad",
}
TASK: dict[str, Tone] = {
    "queued": "idle",
    "assigned": "run",
    "running": "run",
    "suspended:stage_gate": "ask",
    "suspended:worker_disconnected": "warn",
    "suspended:rate_limited": "warn",
    "completed": "good",
    "failed": "bad",
    "cancelled": "off",
}
STAGE: dict[str, Tone] = {
    "pending": "idle",
    "running": "run",
    "waiting": "ask",
    "completed": "good",
    "failed": "bad",
    "skipped": "off",
    "cancelled": "off",
}
MACHINE: dict[str, Tone] = {
    "online": "good",
    "online:degraded": "warn",
    "offline": "bad",
    "draining": "off",
    "decommissioned": "off",
}
LIFECYCLE: dict[str, Tone] = {"active": "good", "locked": "off", "archived": "off", "deleted": "off"}
CREDENTIAL: dict[str, Tone] = {
    "active": "good",
    "accepted": "good",
    "pending": "idle",
    "revoked": "off",
    "expired": "off",
    "deactivated": "off",
}
ENROLMENT: dict[str, Tone] = {"unused": "idle", "used": "good", "revoked": "off", "expired": "off"}
ACTIVE = frozenset({"created", "planning", "planned", "running", "cancel-requested"})
WORDS = {
    "rolled-back": "rolled back",
    "cancel-requested": "canceling",
    "not-deployed": "not deployed",
    "retry-scheduled": "tries again",
    "dead-lettered": "given up",
    "cancelled": "canceled",
    "suspended:stage_gate": "waits for you",
    "suspended:worker_disconnected": "machine lost",
    "suspended:rate_limited": "waits for a limit",
    "waiting": "waits for you",
    "online:degraded": "degraded",
}


class Shown(NamedTuple):
    tone: Tone
    word: str


def deployment(status: str) -> Shown:
    return Shown(TONES.get(status, "off"), WORDS.get(status, status))


def work(status: str) -> Shown:
    return Shown(WORK.get(status, "off"), WORDS.get(status, status))


def health(status: str) -> Shown:
    return Shown(HEALTH.get(status, "off"), WORDS.get(status, status))


def check(status: str) -> Shown:
    """Of a server, its edge, or one thing that was looked at on it."""
    return Shown(CHECKS.get(status, "off"), status)


def credential(status: str) -> Shown:
    """Of a token, an invitation or a member."""
    return Shown(CREDENTIAL.get(status, "off"), status)


def lifecycle(status: str) -> Shown:
    return Shown(LIFECYCLE.get(status, "off"), status)


def task(status: str, reason: str | None = None) -> Shown:
    """Of an agent task; `reason` is why it is suspended."""
    state = f"{status}:{reason}" if reason else status
    return Shown(TASK.get(state, "warn" if status == "suspended" else "off"), WORDS.get(state, status))


def stage(status: str) -> Shown:
    return Shown(STAGE.get(status, "off"), WORDS.get(status, status))


def machine(status: str, *, degraded: bool = False) -> Shown:
    """Of a machine that works on tasks; `degraded`: it is there, and an agent program of it is not."""
    state = f"{status}:degraded" if degraded and status == "online" else status
    return Shown(MACHINE.get(state, "off"), WORDS.get(state, status))


def enrolment(status: str) -> Shown:
    """Of a token that enrols a machine."""
    return Shown(ENROLMENT.get(status, "off"), status)
