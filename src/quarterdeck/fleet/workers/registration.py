"""How a machine becomes a worker, and stays one: register, refresh, recover (contract: tasks §4.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from quarterdeck.fleet.workers import description, enrolment
from quarterdeck.fleet.workers.actions import WorkerAction, note, tell
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.description import Agent, Hardware
from quarterdeck.fleet.workers.model import EnrolmentToken, Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, Outdated, Problem, Unauthenticated
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.vault import Secret

AGAIN = timedelta(minutes=10)
"""For so long the same machine may say the same token, or the same secret, once more: the answer may have got lost."""
MACHINE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Registration:
    """What a machine says when it registers. `machine_id` is a UUID of its own choice. Without a `name` it is called as
    its token was labelled, or as its host.
    """

    token: Secret[str]
    machine_id: str | None = None
    name: str = ""
    agents: Sequence[Agent] = ()
    hardware: Hardware = field(default_factory=Hardware)
    slots: int = 1
    version: str = ""
    protocol: int = frames.VERSION


@dataclass(frozen=True, slots=True)
class Admitted:
    """A worker with its access token, when that ends, and its recovery secret (None where it keeps the one it has)."""

    worker: Worker
    access: Secret[str]
    expires_at: datetime
    recovery: Secret[str] | None = None


def register(tx: Tx, tokens: AccessTokens, said: Registration) -> Admitted:
    """Make a machine a worker; its token is used up by that.

    Raises `Outdated` for another protocol, `Unauthenticated` (`enrolment_token_invalid`) for a token that is unknown,
    revoked or expired, `Conflict` (`enrolment_token_used`, `machine_id_taken`).
    """
    if said.protocol != frames.VERSION:
        raise Outdated(
            f"This server speaks version {frames.VERSION} of the protocol, the worker {said.protocol}.",
            hint="Install the release of the server on the machine.",
        )
    machine_id = _machine_id(said.machine_id)
    token = enrolment.presented(tx, said.token.reveal())
    state = "unknown" if token is None else enrolment.status(token, tx.now)
    if token is None or state in {"revoked", "expired"}:
        raise Unauthenticated(
            f"The enrolment token is {state}.", code="enrolment_token_invalid", hint="Ask an administrator for another."
        )
    if state == "used":
        return _registered_again(tx, tokens, token, machine_id)
    worker = _enrolled(tx, token, machine_id, said)
    token.used_at, token.worker_id = tx.now, worker.id
    return _admit(tx, tokens, worker, WorkerAction.ENROLLED, capabilities=worker.capabilities)


def _registered_again(tx: Tx, tokens: AccessTokens, token: EnrolmentToken, machine_id: str | None) -> Admitted:
    worker = tx.get(Worker, token.worker_id) if token.worker_id is not None else None
    lately = token.used_at is not None and tx.now - token.used_at <= AGAIN
    if worker is None or worker.revoked_at is not None or worker.uid != machine_id or not lately:
        raise Conflict(
            "The enrolment token has enrolled a machine already.",
            code="enrolment_token_used",
            hint="Each machine needs a token of its own: ask an administrator for another.",
        )
    worker.generation += 1
    _keep_the_first(worker)
    return _admit(tx, tokens, worker, WorkerAction.ENROLLED, again=True)


def _enrolled(tx: Tx, token: EnrolmentToken, machine_id: str | None, said: Registration) -> Worker:
    if machine_id is not None:
        tx.lock(f"worker:{machine_id}")
        known = _by_uid(tx, machine_id)
        if known is not None and known.revoked_at is None:
            raise Conflict(
                "This machine id belongs to another machine.",
                code="machine_id_taken",
                hint="Remove the worker's data directory if it was copied from another machine, and start it again.",
            )
        if known is not None:  # decommissioned: it comes back as another one
            machine_id = None
    worker = tx.add(
        Worker(
            uid=machine_id or tx.ids.uid(),
            organization_id=token.organization_id,
            name=shown((said.name.strip() or token.label or said.hardware.hostname or "").strip(), 200) or "machine",
            recovery_hash="",
            generation=1,
            capabilities=token.capabilities,
            offered=[],
            agents=description.plain(list(said.agents)),
            hardware=description.plain(said.hardware),
            projects=[],
            trouble={},
            ailing=[],
            version=shown(said.version, 40) or None,
            slots=min(max(said.slots, 1), description.MOST_SLOTS),
            created_at=tx.now,
        )
    )
    worker.recovery_hash = enrolment.digest(tx.ids.token(32))
    tx.flush()
    return worker


def refresh(tx: Tx, tokens: AccessTokens, presented: str) -> Admitted:
    """Another access token for one that still counts. Raises `Unauthenticated` (`worker_token_invalid`) and `Forbidden`
    (`worker_decommissioned`).
    """
    worker = authenticate(tx, tokens, presented)
    if worker is None:
        raise Unauthenticated(
            "The worker's access token is not valid.",
            code="worker_token_invalid",
            hint="Recover with the recovery secret, or enrol the machine again.",
        )
    if worker.revoked_at is not None:
        raise _decommissioned()
    return _admit(tx, tokens, worker, WorkerAction.REFRESHED)


def recover(tx: Tx, tokens: AccessTokens, machine_id: str, secret: Secret[str]) -> Admitted:
    """Come back by the recovery secret, which is another one afterwards; access tokens of before end. The one of before
    counts once more, `AGAIN` from when it was first used: both answers' secrets then count until one of them is used,
    since either request may be the one whose answer the machine got. Raises `Unauthenticated`
    (`recovery_secret_invalid`) and `Forbidden` (`worker_decommissioned`).
    """
    uid, said = machine_id.lower(), secret.reveal()
    tx.lock(f"worker:{uid[:36]}")
    worker = _by_uid(tx, uid)
    if worker is not None:
        tx.session.refresh(worker)
    if worker is None or not (_unused(worker, said) or _used_lately(tx, worker, said)):
        raise Unauthenticated(
            "The recovery secret is not valid.", code="recovery_secret_invalid", hint="Enrol the machine again."
        )
    if worker.revoked_at is not None:
        raise _decommissioned()
    worker.generation += 1
    if _unused(worker, said):
        worker.earlier_recovery_hash, worker.recovered_at = enrolment.digest(said), tx.now
        return _admit(tx, tokens, worker, WorkerAction.RECOVERED)
    _keep_the_first(worker)
    return _admit(tx, tokens, worker, WorkerAction.RECOVERED, again=True)


def _unused(worker: Worker, said: str) -> bool:
    """Whether this is the secret of the newest answer, or of the one before where both answer one question."""
    both = worker.recovered_at is None and enrolment.same(said, worker.earlier_recovery_hash or "")
    return both or enrolment.same(said, worker.recovery_hash)


def _used_lately(tx: Tx, worker: Worker, said: str) -> bool:
    """Whether it has recovered by this secret just now, once, and may not have got the answer."""
    lately = worker.recovered_at is not None and tx.now - worker.recovered_at <= AGAIN
    return lately and enrolment.same(said, worker.earlier_recovery_hash or "")


def _keep_the_first(worker: Worker) -> None:
    """A question is answered once more, and nobody knows which answer arrives: a request may be overtaken by its own
    repetition. The secret of the first answer counts beside the one that follows.
    """
    worker.earlier_recovery_hash, worker.recovered_at = worker.recovery_hash, None


def authenticate(tx: Tx, tokens: AccessTokens, presented: str) -> Worker | None:
    """The worker whose access token this is; a decommissioned one too, so that it can be told so."""
    claims = tokens.read(presented, tx.now)
    worker = None if claims is None else _by_uid(tx, claims.uid)
    if worker is None or claims is None:
        return None
    return worker if worker.revoked_at is not None or worker.generation == claims.generation else None


def principal(worker: Worker) -> Principal:
    return Principal(
        kind="worker", id=worker.id, uid=worker.uid, label=worker.name, organization_id=worker.organization_id
    )


def _admit(tx: Tx, tokens: AccessTokens, worker: Worker, action: WorkerAction, **detail: object) -> Admitted:
    """A new access token; unless it is a mere refresh, a new recovery secret as well."""
    tx.act_as(principal(worker))
    worker.proven_at = tx.now
    recovery = None
    if action is not WorkerAction.REFRESHED:
        recovery = Secret(tx.ids.token(32))
        worker.recovery_hash = enrolment.digest(recovery.reveal())
        tell(tx, worker, "worker-enrolled" if action is WorkerAction.ENROLLED else "worker-recovered")
    access, until = tokens.issue(tx, worker)
    note(tx, worker, action, **detail)
    return Admitted(worker, access, until, recovery)


def _by_uid(tx: Tx, uid: str) -> Worker | None:
    return tx.first(select(Worker).where(Worker.uid == uid))


def _machine_id(given: str | None) -> str | None:
    if given is None:
        return None
    if not MACHINE.fullmatch(given.lower()):
        raise Invalid("machineId is no UUID.", hint="Draw one, and keep it.", field="machineId")
    return given.lower()


def _decommissioned() -> Problem:
    return Forbidden(
        "This machine was decommissioned.", code="worker_decommissioned", hint="Enrol it again with a new token."
    )
