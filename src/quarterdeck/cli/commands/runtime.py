"""What runs: `stop`, `start`, `restart`."""

from __future__ import annotations

import time
from typing import Any

from quarterdeck.cli import names
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Following
from quarterdeck.cli.session import Session, session

FOLLOWING = Following()
PATIENCE = 60.0
PAUSE = 0.3
ENDED = {"succeeded", "failed", "blocked"}
DONE = {"stop": "Stopped", "start": "Started", "restart": "Restarted"}


def stop(resource: str | None = None, /, *, reason: str | None = None, following: Following = FOLLOWING) -> None:
    """Stop what a resource runs. Its address answers nothing until it is started again.

    qd stop shop

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    reason
        Why; kept in the audit trail.
    """
    _control("stop", resource, reason, following)


def start(resource: str | None = None, /, *, reason: str | None = None, following: Following = FOLLOWING) -> None:
    """Start what was stopped, as it was deployed last.

    qd start shop

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    reason
        Why; kept in the audit trail.
    """
    _control("start", resource, reason, following)


def restart(resource: str | None = None, /, *, reason: str | None = None, following: Following = FOLLOWING) -> None:
    """Stop it and start it again. This is no new deployment: variables set since then are not taken.

    qd restart shop

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    reason
        Why; kept in the audit trail.
    """
    _control("restart", resource, reason, following)


def _control(operation: str, resource: str | None, reason: str | None, following: Following) -> None:
    with session(following) as opened:
        found = names.resource(opened.api, resource)
        if operation != "start":
            opened.terminal.confirm(f"{operation.capitalize()} {found.path}?")
        body = {"reason": reason} if reason else {}
        attempt = opened.api.change(f"resources.runtime.{operation}", body, resourceId=found.id)
        opened.sent()
        if following.detach:
            asked = f"Asked to {operation} {found.path}. See how it went: qd status {found.path}"
            opened.terminal.answer(attempt, name=found.id, text=asked)
            return
        attempt = _awaited(opened, found.id, attempt, following.timeout or PATIENCE)
        if attempt["status"] in {"failed", "blocked"}:
            why = attempt.get("blockedReason") or attempt.get("errorCode") or attempt["status"]
            raise Failure(
                f"{found.path} could not be {DONE[operation].lower()}: {why}.",
                exit=Exit.CONFLICT if attempt["status"] == "blocked" else Exit.FAILED,
                code=str(why),
                hint=f"qd status {found.path}",
                facts=attempt,
            )
        if attempt["status"] != "succeeded":
            raise Failure(
                f"{found.path} is still being {DONE[operation].lower()}.",
                exit=Exit.TIMED_OUT,
                code="timed_out",
                hint=f"qd status {found.path}",
                facts=attempt,
            )
        opened.terminal.answer(attempt, name=found.id, text=f"{DONE[operation]} {found.path}.")


def _awaited(opened: Session, resource_id: str, attempt: dict[str, Any], patience: float) -> dict[str, Any]:
    """The attempt when it has ended, else as it is when patience has."""
    identity, until = attempt["runtimeControlAttemptId"], time.monotonic() + patience
    while attempt["status"] not in ENDED and time.monotonic() < until:
        time.sleep(PAUSE)
        health = opened.api.read("resources.health", {"mode": "cached"}, resourceId=resource_id)
        latest = health.get("latestRuntimeControl") or {}
        if latest.get("runtimeControlAttemptId") == identity:
            attempt = latest
    return attempt
