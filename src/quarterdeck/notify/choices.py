"""What somebody wants to be told, and by mail: kept with the person, for every organization alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from quarterdeck.identity import proving, users
from quarterdeck.identity.model import User
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.text import several
from quarterdeck.notify.actions import NotifyAction

TYPES = (
    "task_completed",
    "task_failed",
    "task_cancelled",
    "confirm_required",
    "input_required",
    "task_suspended",
    "machine_offline",
    "machine_draining",
    "agent_degraded",
    "tunnel_ready",
    "webhook_disabled",
    "infra_drift",
    "infra_job_succeeded",
    "infra_job_failed",
    "infra_approval_required",
    "infra_drift_failing",
    "secret_approval_required",
    "secret_request_decided",
    "secret_emergency",
)
"""Contract: tasks §7.4, one for administrators whose webhook was given up, and what is told of infrastructure."""
KEPT = "notifications"


@dataclass(frozen=True, slots=True)
class Choices:
    """`muted` types are not told at all; those of `email` are mailed as well."""

    muted: tuple[str, ...] = ()
    email: tuple[str, ...] = ()


def of(user: User) -> Choices:
    """What somebody has chosen; nothing muted and nothing mailed until then."""
    kept: Any = (user.preferences or {}).get(KEPT)
    kept = kept if isinstance(kept, dict) else {}
    return Choices(_known(kept.get("muted")), _known(kept.get("email")))


def _known(value: Any) -> tuple[str, ...]:
    return tuple(one for one in TYPES if isinstance(value, list) and one in value)


def mine(tx: Tx) -> Choices:
    return of(proving.me(tx))


def choose(tx: Tx, muted: Collection[str] | None = None, email: Collection[str] | None = None) -> Choices:
    """Replace what is given of the caller's choices. Raises `Invalid` (`notification_type_unknown`)."""
    user = proving.me(tx)
    before = of(user)
    after = Choices(
        before.muted if muted is None else _checked(muted, "muted"),
        before.email if email is None else _checked(email, "email"),
    )
    if after == before:
        return after
    users.prefer(tx, user, **{KEPT: {"muted": list(after.muted), "email": list(after.email)}})
    changed = {"muted": list(after.muted), "email": list(after.email)}
    audit.record(
        tx, NotifyAction.CHOICES_CHANGED, resource_type="user", resource_id=user.uid.replace("-", ""), detail=changed
    )
    events.append(tx, f"user:{user.uid}", "notification-choices-changed", changed)
    return after


def _checked(given: Iterable[str], field: str) -> tuple[str, ...]:
    given = tuple(given)
    unknown = sorted(set(given) - set(TYPES))
    if unknown:
        raise Invalid(
            f"There is no type of notification {several(unknown)}.",
            code="notification_type_unknown",
            hint=f"The types are {', '.join(TYPES)}.",
            field=field,
        )
    return tuple(one for one in TYPES if one in given)
