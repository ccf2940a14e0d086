"""What agents deliver: values that they have read, under a data key (contract: broker §3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import select

from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.sealing import agreement, envelopes
from quarterdeck.broker.sealing.agreement import Sealed, Unsealable
from quarterdeck.broker.sealing.envelopes import Envelope
from quarterdeck.broker.sealing.keys import content_hash
from quarterdeck.broker.work import holding
from quarterdeck.broker.work.claiming import require_approved
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.transitions import CLAIMED
from quarterdeck.broker.work.types import READ
from quarterdeck.broker.wraps import data_keys, refreshing
from quarterdeck.broker.wraps.keeping import put
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.kernel.vault import Secret


@dataclass(frozen=True, slots=True)
class Delivered:
    wrap: Wrap
    request: Request
    content_hash: str


def held_reads(tx: Tx, worker: Worker, owner: str) -> list[BrokerJob]:
    """The jobs that read which a foreign agent holds."""
    mine = (BrokerJob.worker_id == worker.id, BrokerJob.status == CLAIMED, BrokerJob.job_type == READ)
    found = tx.scalars(select(BrokerJob).where(*mine).order_by(BrokerJob.id).limit(100))
    return [job for job in found if holding.runs_for(_carried(tx, job), owner)]


def by_agent(tx: Tx, worker: Worker, owner: str, request_uid: str, key_name: str, envelope: Envelope) -> Delivered:
    """Keep what a foreign agent delivers for a request whose job it holds.

    Raises `NotFound` (`request_not_found`) for a request whose job is not this agent's, `Conflict`
    (`request_not_approved`, `broker_job_not_held`), and as `for_attempt`.
    """
    mine = select(Request).where(Request.uid == request_uid, Request.organization_id == worker.organization_id)
    request = tx.first(mine)
    job, carried = holding.of_request(tx, request) if request is not None else (None, None)
    if request is None or (job is not None and job.worker_id != worker.id):
        raise _missing()
    _require_read(request)
    if job is None or not holding.runs_for(carried, owner):
        require_approved(tx, request)
        raise Conflict(
            "The job of this request is not held by this agent.",
            code="broker_job_not_held",
            hint="Drop the value, and claim a job first.",
        )
    return _keep(tx, worker.id, job, key_name, envelope)


def for_attempt(tx: Tx, job: BrokerJob, worker: Worker | None, key_name: str, envelope: Envelope) -> Delivered:
    """Keep what an attempt delivers whose job the caller holds.

    Raises `Invalid` (`request_not_read`, `wrap_key_not_asked`, `data_key_invalid`, `envelope_invalid`,
    `recipient_key_ignored`), `Conflict` (`request_not_approved`, `wrap_exists`), and what the vault raises.
    """
    return _keep(tx, worker.id if worker is not None else None, job, key_name, envelope)


def _keep(tx: Tx, worker_id: int | None, job: BrokerJob, key_name: str, envelope: Envelope) -> Delivered:
    request = holding.request_of(tx, job)
    if request is None:
        raise _missing()
    _require_read(request)
    require_approved(tx, request)
    if job.status != CLAIMED:
        raise Conflict("The job of this request has ended.", code="broker_job_not_held", hint="Drop the value.")
    if request.keys and key_name not in request.keys:
        raise Invalid(
            "key_name is not a key that was asked for.",
            code="wrap_key_not_asked",
            hint="Deliver the keys of the job, and no other.",
            field="key_name",
        )
    value = _opened(data_keys.spend(tx, worker_id, job, envelope.dek_ciphertext, envelope.dek_kms_key_id), envelope)
    recipient = request.recipient_key is not None
    if recipient:
        _require_sealed(value)
    wrap = put(tx, request, "out", key_name, Secret(value), refreshing.delivered(tx, request), recipient=recipient)
    tx.flush()
    committing(tx, "broker.deliver")
    return Delivered(wrap, request, content_hash(value))


def _opened(key: Secret[bytes], envelope: Envelope) -> bytes:
    try:
        return envelopes.open_envelope(key.reveal(), envelope)
    except Unsealable:
        raise Invalid(
            "envelope: it does not open.",
            code="envelope_invalid",
            hint="Seal with AES-256-GCM under the key that was given, with a fresh nonce of 12 bytes.",
            field="envelope",
        ) from None


def _require_sealed(value: bytes) -> None:
    """The requester wants nobody else to read it, this server included."""
    try:
        sealed = msgspec.json.decode(value, type=Sealed)
        fits = len(sealed.ephemeral_public_key) == agreement.KEY and len(sealed.nonce) == agreement.NONCE
        fits = fits and sealed.algorithm == agreement.ALGORITHM and len(sealed.ciphertext) > agreement.TAG
    except (msgspec.MsgspecError, UnicodeDecodeError):
        fits = False
    if not fits:
        raise Invalid(
            "envelope: the value is not sealed to the requester's key.",
            code="recipient_key_ignored",
            hint="Seal it to recipient_key before it goes into the envelope.",
            field="envelope",
        )


def _require_read(request: Request) -> None:
    if request.kind != READ:
        raise Invalid(
            "Values are delivered for requests of type read alone.",
            code="request_not_read",
            hint="Complete the job; nothing else is wanted.",
            field="request_id",
        )


def _carried(tx: Tx, job: BrokerJob) -> Job | None:

    return look(tx, job.ledger_id) if job.ledger_id is not None else None


def _missing() -> NotFound:
    return NotFound("There is no such request.", code="request_not_found", hint="Claim a job first.")
