"""One-time tokens by which a machine makes itself a runner (contract: infra §3.3): those of the fleet's workers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from quarterdeck.fleet.workers import enrolment
from quarterdeck.fleet.workers.model import EnrolmentToken
from quarterdeck.identity import sessions
from quarterdeck.infra.runners import beating
from quarterdeck.infra.runners.actions import RunnerAction, note
from quarterdeck.infra.runners.authenticating import principal
from quarterdeck.infra.runners.registration import LONGEST_NAME, Registered, add, give_token
from quarterdeck.infra.runners.standing import CAPABILITIES, INFRA
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, Unauthenticated
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.vault import Secret

LONGEST_LIFE = timedelta(days=90)


def mint(tx: Tx, label: str | None, life: timedelta) -> tuple[EnrolmentToken, Secret[str]]:
    """A token that makes one machine a runner, by `swap` or as a worker of the fleet. Raises `Invalid`, `Conflict`
    (`too_many_tokens`), and `Forbidden` where a token of a program asks for it.
    """
    sessions.require_in_person(tx.principal)
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise Invalid("A token lives for 1 to 2160 hours.", hint="Give another number.", field="expires_in_hours")
    return enrolment.create(tx, tx.principal.acts_in, CAPABILITIES, label=label, life=life)


def swap(tx: Tx, text: str, name: str, version: str, said: Mapping[str, Any] | None = None) -> Registered:
    """A runner for a token, which is used up by that. Raises `Unauthenticated` (`enrolment_token_invalid`) for one that
    is unknown, revoked, expired or not for runners, and `Conflict` (`enrolment_token_used`).
    """
    token = enrolment.presented(tx, text)
    state: str = "unknown" if token is None else enrolment.status(token, tx.now)
    if token is not None and INFRA not in token.capabilities:
        state = "not for runners"
    if token is None or state not in {"unused", "used"}:
        raise Unauthenticated(
            f"The enrolment token is {state}.", code="enrolment_token_invalid", hint="Ask an administrator for another."
        )
    if state == "used":
        raise Conflict(
            "The enrolment token has enrolled a machine already.",
            code="enrolment_token_used",
            hint="Each machine needs a token of its own: ask an administrator for another.",
        )
    called = shown((name or token.label or "").strip(), LONGEST_NAME) or "runner"
    worker, runner = add(tx, token.organization_id, called, owner_id=token.created_by, said=said)
    token.used_at, token.worker_id = tx.now, worker.id
    secret = give_token(tx, runner)
    tx.act_as(principal(worker))
    beating.note_version(tx, worker, runner, version)
    note(tx, worker, RunnerAction.BOOTSTRAPPED)
    return Registered(worker, runner, secret)
