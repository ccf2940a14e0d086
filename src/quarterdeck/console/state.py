"""State as the console shows it: one tone and one word for every state of every kind.

Colour means state and nothing else, the shape repeats the colour and the word repeats the shape. The table is the whole
vocabulary; a state that it does not hold is a defect, not a grey pill.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Tone = Literal["idle", "off", "run", "ask", "warn", "good", "bad"]


class UnknownStateError(LookupError):
    """A state nobody taught the console; raised in tests, shown as `off` never."""


class Shown(NamedTuple):
    """How a state is shown: its tone, its word, and the word of the contract for tooltips and filters."""

    tone: Tone
    word: str
    state: str


# A qualifier after a colon narrows a state by a fact beside it: a certificate may be active and yet near its end.
TABLE: dict[str, dict[Tone, str]] = {
    "job": {
        "idle": "pending",
        "off": "canceled",
        "run": "running",
        "warn": "retry-scheduled unknown",
        "good": "succeeded",
        "bad": "failed dead-lettered",
    },
    "deployment": {
        "idle": "created",
        "off": "canceled",
        "run": "planning planned running cancel-requested",
        "warn": "rolled-back",
        "good": "succeeded",
        "bad": "failed",
    },
    "step": {
        "idle": "pending",
        "off": "skipped canceled unknown",
        "run": "running",
        "good": "succeeded passed completed",
        "bad": "failed",
    },
    "runtime": {
        "idle": "not-deployed",
        "off": "stopped unknown",
        "run": "starting restarting stopping",
        "warn": "degraded",
        "good": "running",
        "bad": "exited",
    },
    "runtime-control": {"idle": "accepted", "run": "running", "good": "succeeded", "bad": "failed blocked"},
    "health": {
        "idle": "not-deployed",
        "off": "stopped unknown not-configured",
        "run": "starting",
        "warn": "degraded",
        "good": "healthy",
        "bad": "unhealthy unreachable",
    },
    "lifecycle": {
        "idle": "planned pending",
        "off": "inactive locked archived deleted removed",
        "run": "accepted provisioning delete-pending closing",
        "warn": "degraded",
        "good": "active ready realized",
        "bad": "failed",
    },
    "readiness": {
        "idle": "pending deferred",
        "off": "unknown not-configured not-requested not-applicable not-implemented unsupported unavailable empty"
        " deleted",
        "warn": "warning degraded not-ready partial stale",
        "good": "ready configured available satisfied",
        "bad": "failed blocked",
    },
    "edge-proxy": {"idle": "pending", "off": "disabled", "run": "starting", "good": "ready", "bad": "failed"},
    "edge-proxy-configuration": {
        "idle": "planned",
        "off": "not-configured unknown",
        "warn": "stale not-ready",
        "good": "ready applied",
        "bad": "failed",
    },
    "domain": {
        "idle": "requested",
        "off": "deleted",
        "run": "pending_verification bound certificate_pending",
        "warn": "not_ready",
        "good": "ready",
        "bad": "failed",
    },
    "ownership-attempt": {
        "off": "not-applicable unknown",
        "run": "pending",
        "warn": "retry_scheduled",
        "good": "verified",
        "bad": "rejected failed",
    },
    "dns": {
        "off": "skipped",
        "run": "pending",
        "warn": "mismatch unresolved",
        "good": "matched",
        "bad": "lookup_failed",
    },
    "certificate": {
        "idle": "pending",
        "off": "disabled deleted revoked",
        "run": "issuing renewing",
        "warn": "active:expiring",
        "good": "active",
        "bad": "failed expired",
    },
    "tls": {
        "idle": "pending",
        "off": "not-applicable disabled unknown",
        "warn": "missing",
        "good": "active",
        "bad": "expired failed",
    },
    "certificate-attempt": {
        "idle": "requested",
        "run": "issuing",
        "warn": "retry_scheduled",
        "good": "issued",
        "bad": "failed",
    },
    "backup": {"off": "none", "run": "pending", "good": "ready completed retained", "bad": "failed"},
    "schedule": {"idle": "accepted", "off": "disabled", "good": "enabled"},
    "schedule-run": {"idle": "accepted", "off": "skipped", "run": "running", "good": "succeeded", "bad": "failed"},
    "auto-deploy": {"off": "disabled", "ask": "blocked", "good": "enabled"},
    "source-event": {
        "off": "deduped ignored duplicate",
        "run": "accepted",
        "good": "new matched dispatched",
        "bad": "blocked dispatch-failed failed",
    },
    "preview": {
        "off": "cleaned already-clean",
        "run": "cleanup-requested",
        "warn": "retry-scheduled",
        "good": "active",
        "bad": "failed",
    },
    "prune-candidate": {"idle": "matched", "off": "skipped excluded", "good": "pruned cleaned", "bad": "blocked"},
    "overlay": {
        "idle": "matched",
        "off": "non-winning disabled skipped unknown unavailable",
        "good": "selected enabled",
        "bad": "blocked rejected",
    },
    "threshold": {"off": "unknown", "warn": "warning stale", "good": "ok", "bad": "critical"},
    "token": {
        "idle": "unused pending invited",
        "off": "used revoked expired inactive deactivated released",
        "warn": "active:expiring",
        "good": "active accepted",
    },
    "entitlement": {"off": "unknown", "good": "entitled", "bad": "not_entitled"},
    "usage-intent": {"off": "duplicate", "good": "accepted", "bad": "rejected unknown_capability"},
    "upgrade": {"idle": "available", "off": "unknown", "good": "current"},
    "task": {
        "idle": "queued",
        "off": "cancelled",
        "run": "assigned running",
        "ask": "suspended:stage_gate",
        "warn": "suspended:worker_disconnected suspended:rate_limited",
        "good": "completed",
        "bad": "failed",
    },
    "stage": {
        "idle": "pending",
        "off": "skipped cancelled",
        "run": "running",
        "ask": "waiting",
        "good": "completed",
        "bad": "failed",
    },
    "worker": {
        "off": "draining decommissioned",
        "warn": "online:degraded online:outdated",
        "good": "online",
        "bad": "offline",
    },
    "tunnel": {
        "off": "idle expired closed",
        "run": "starting closing",
        "ask": "starting:prompt",
        "good": "connected",
        "bad": "failed",
    },
    "specification": {
        "idle": "draft queued",
        "off": "destroyed",
        "run": "provisioning destroying",
        "ask": "destroying:approval",
        "warn": "drift",
        "good": "active",
        "bad": "failed",
    },
    "component": {
        "idle": "pending",
        "off": "destroyed",
        "run": "creating updating",
        "warn": "drift",
        "good": "active",
        "bad": "failed",
    },
    "infra-job": {
        "idle": "queued",
        "off": "cancelled",
        "run": "claimed processing",
        "ask": "queued:approval",
        "warn": "success:orphan-risk cancelled:orphan-risk",
        "good": "success",
        "bad": "failed",
    },
    "runner": {
        "off": "draining",
        "warn": "online:outdated",
        "good": "online",
        "bad": "offline",
    },
    "cloud-identity": {"idle": "pending", "run": "testing", "good": "verified", "bad": "failed"},
    "plan": {
        "off": "discarded",
        "ask": "pending:approval",
        "warn": "approved:outdated",
        "good": "approved applied",
        "bad": "failed",
    },
    "runbook-job": {
        "idle": "queued",
        "off": "cancelled",
        "run": "running",
        "ask": "queued:approval",
        "good": "completed",
        "bad": "failed",
    },
    "validation": {"off": "skipped", "warn": "warn", "good": "pass", "bad": "fail"},
    "power": {
        "idle": "pending",
        "off": "stopped",
        "run": "installing rebooting",
        "warn": "drifted",
        "good": "running in-sync",
    },
    "secret-request": {
        "idle": "pending",
        "off": "cancelled",
        "run": "approved",
        "ask": "pending:voter pending_values pending_verification",
        "good": "executed",
        "bad": "failed rejected refused expired",
    },
    "sealed-value": {"off": "consumed expired", "ask": "sealed:requester", "good": "sealed"},
    "broker-job": {
        "idle": "queued",
        "off": "cancelled",
        "run": "claimed active",
        "warn": "applied_unverified",
        "good": "succeeded applied",
        "bad": "failed",
    },
    "secret-connection": {"off": "disabled", "warn": "failing", "good": "enabled"},
    "agent": {
        "idle": "enrolled",
        "off": "revoked masked redacted unknown",
        "warn": "stale missing",
        "good": "active present",
    },
    "audit": {"warn": "failure", "good": "success", "bad": "denied"},
    # What nobody's contract names but the console shows:
    "server": {
        "off": "inactive unknown",
        "run": "connecting",
        "warn": "degraded",
        "good": "ready",
        "bad": "unreachable",
    },
    "installation-backup": {"warn": "stale missing", "good": "fresh"},
}

WORDS: dict[str, str] = {
    "installation-backup:fresh": "Backed up within a week",
    "installation-backup:stale": "Older than a week",
    "already-clean": "Clean",
    "already_clean": "Clean",
    "cancel-requested": "Canceling",
    "cancelled": "Canceled",
    "cleanup-requested": "Cleaning up",
    "dead-lettered": "Gave up",
    "delete-pending": "Deleting",
    "not-configured": "Not set up",
    "not-requested": "Not asked for",
    "pending": "Waiting",
    "created": "Waiting",
    "queued": "Waiting",
    "planned": "Planned",
    "retry-scheduled": "Tries again",
    "retry_scheduled": "Tries again",
    "passed": "Passed",
    "deployment:planned": "Starting",
    "certificate:active:expiring": "Expires soon",
    "token:active:expiring": "Expires soon",
    "worker:online:degraded": "Degraded",
    "worker:online:outdated": "Outdated",
    "task:suspended:stage_gate": "Waits for an answer",
    "task:suspended:worker_disconnected": "Machine lost",
    "task:suspended:rate_limited": "Waits for a limit",
    "stage:waiting": "Waits for you",
    "tunnel:starting:prompt": "Waits for you",
    "auto-deploy:blocked": "Waits for you",
    "infra-job:queued:approval": "Waits for approval",
    "runbook-job:queued:approval": "Waits for approval",
    "plan:pending:approval": "Waits for approval",
    "plan:approved:outdated": "Outdated",
    "infra-job:success:orphan-risk": "May have left orphans",
    "infra-job:cancelled:orphan-risk": "May have left orphans",
    "infra-job:claimed": "Starting",
    "infra-job:processing": "Running",
    "infra-job:success": "Succeeded",
    "specification:drift": "Drifted",
    "specification:provisioning": "Being applied",
    "specification:destroying": "Being destroyed",
    "specification:destroying:approval": "Destruction waits for approval",
    "runner:online:outdated": "Outdated",
    "cloud-identity:pending": "Not connected",
    "cloud-identity:testing": "Being tried",
    "cloud-identity:verified": "Connected",
    "cloud-identity:failed": "Does not work",
    "secret-request:pending:voter": "Waits for you",
    "secret-request:executed": "Delivered",
    "sealed-value:sealed:requester": "Ready to reveal",
    "sealed-value:consumed": "Given out",
    "secret-connection:enabled": "In use",
    "secret-connection:disabled": "Switched off",
    "agent:enrolled": "Never seen",
    "audit:success": "Done",
    "audit:failure": "Failed",
    "server:ready": "Reachable",
    "runtime-control:accepted": "Waiting",
    "readiness:available": "Available",
    "upgrade:available": "Upgrade available",
}


def _index() -> dict[tuple[str, str], Tone]:
    index: dict[tuple[str, str], Tone] = {}
    for kind, tones in TABLE.items():
        for tone_name, states in tones.items():
            for state in states.split():
                index[kind, state] = tone_name
    return index


_TONES = _index()


def tone(kind: str, state: str, qualifier: str | None = None) -> Shown:
    """How `state` of a thing of `kind` is shown; `qualifier` narrows it by a fact beside it.

    Raises `UnknownStateError` for a kind or state that the table does not hold.
    """
    narrowed = f"{state}:{qualifier}" if qualifier else state
    for candidate in (narrowed, state):
        found = _TONES.get((kind, candidate))
        if found is not None:
            return Shown(found, _word(kind, candidate), state)
    raise UnknownStateError(f"The console has no tone for the state {narrowed!r} of a {kind!r}.")


def states(kind: str) -> frozenset[str]:
    """Every state that the table holds for `kind`, without its qualified forms."""
    return frozenset(state for known, state in _TONES if known == kind and ":" not in state)


def _word(kind: str, state: str) -> str:
    for key in (f"{kind}:{state}", state):
        if key in WORDS:
            return WORDS[key]
    return state.partition(":")[0].replace("-", " ").replace("_", " ").capitalize()
