"""What foreign agents ask and tell (contract: broker §1.6, §2, §3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from msgspec import UNSET

from quarterdeck.broker.agents import beating, keys
from quarterdeck.broker.agents.authenticating import caller
from quarterdeck.broker.agents.standing import owner
from quarterdeck.broker.sealing.encoding import decoded, encoded
from quarterdeck.broker.sealing.envelopes import ALGORITHM, Envelope
from quarterdeck.broker.work import claiming, completing, reading
from quarterdeck.broker.wraps import data_keys, delivering, taking
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.wire import agent_calls as wire
from quarterdeck.surfaces.shared.values import given

R = TypeVar("R")
AGENT = ("agent",)
UNKNOWN = ((400, "id_malformed"), (401, "agent_secret_missing"), (401, "agent_auth_rejected"))
BEATS, CLAIMS, CALLS = Rate(6, 60), Rate(120, 60), Rate(1200, 60)
"""Calls of one agent in a minute: two signs of life and twelve claims are usual."""
FRESH = timedelta(seconds=15)
"""Who asks in vain is noted as alive no more often than this."""
WRAP_LIMIT = 640 << 10
"""Bytes of a value in its envelope as JSON."""
STORED = "AES-256-GCM"
"""How the protocol calls what values are kept under."""


@route(
    "PUT",
    "/api/v1/agents/{id}/public-key",
    permission="authenticated",
    callers=AGENT,
    each=CLAIMS,
    status=204,
    errors=(*UNKNOWN, (400, "base64_invalid"), (400, "public_key_invalid")),
)
async def public_key(call: Call, body: wire.PublicKey) -> None:
    """Keep the agent's key. What waits for it is sealed when it is fetched, to the key on file then."""
    algorithm = given(body.public_key_algorithm)
    await call.write(lambda tx: keys.register(tx, *caller(tx), body.public_key, algorithm))


@route(
    "POST",
    "/api/v1/agents/{id}/heartbeat",
    permission="authenticated",
    callers=AGENT,
    each=BEATS,
    also={204: "Heard, of an agent that says nothing of itself."},
    errors=UNKNOWN,
)
async def heartbeat(call: Call, body: wire.Heartbeat) -> Answer[wire.Alive | None]:
    """An agent lives."""

    def verb(tx: Tx) -> str:
        worker, agent = caller(tx)
        beating.beat(
            tx,
            worker,
            agent,
            version=given(body.agent_version),
            cluster_name=given(body.cluster_name),
            status=given(body.status),
            capabilities=given(body.capabilities),
        )
        return shapes.at(tx.now)

    now = await call.write(verb)
    if not (await call.request.body()).strip():
        return Answer(None, status=204)
    return Answer(wire.Alive(status="ok", server_time=now, next_heartbeat_seconds=beating.NEXT))


@route(
    "POST",
    "/api/v1/agents/{id}/jobs/claim",
    permission="authenticated",
    callers=AGENT,
    each=CLAIMS,
    also={204: "There is none."},
    errors=UNKNOWN,
)
async def claim(call: Call) -> Answer[wire.ClaimedJob | None]:
    """Take the oldest job that the agent may have; it counts as a sign of life."""

    def look(tx: Tx) -> bool:
        worker, agent = caller(tx)
        known = worker.last_seen_at is not None and tx.now - worker.last_seen_at < FRESH
        return not known or claiming.waits(tx, worker, agent)

    claimed = await call.write(_claimed) if await call.read(look) else None
    return Answer(None, status=204) if claimed is None else Answer(claimed)


def _claimed(tx: Tx) -> wire.ClaimedJob | None:
    worker, agent = caller(tx)
    beating.seen(tx, worker)
    job = claiming.claim(tx, worker, agent)
    if job is None:
        return None
    return wire.ClaimedJob(
        id=job.uid,
        job_type=job.job_type,
        payload=job.payload,
        correlation_id=job.correlation_uid,
        claim_expires_at=shapes.nanoseconds(reading.held_until(tx, job)),
    )


@route(
    "POST",
    "/api/v1/agents/{id}/jobs/{job_id}/complete",
    permission="authenticated",
    callers=AGENT,
    each=CALLS,
    status=204,
    errors=(*UNKNOWN, (400, "job_status_unknown"), (404, "broker_job_not_found"), (409, "broker_job_not_held")),
)
async def complete(call: Call, job_id: str, body: wire.Completion) -> None:
    """Say how a job ended that the agent holds. Again is a success, and changes nothing."""
    uid = shapes.uid(job_id, "job id")

    def verb(tx: Tx) -> None:
        completing.complete(tx, caller(tx)[0], uid, body.status, given(body.error))

    def refusal(tx: Tx, problem: Problem) -> None:
        completing.note_refusal(tx, caller(tx)[0], uid, problem)

    await _telling(call, verb, refusal)


@route(
    "POST",
    "/api/v1/agents/{id}/dek",
    permission="authenticated",
    callers=AGENT,
    each=CALLS,
    status=201,
    errors=(*UNKNOWN, (409, "no_read_job_held"), (409, "too_many_data_keys")),
)
async def data_key(call: Call) -> wire.DataKey:
    """A key for one value of a job that the agent holds."""

    def verb(tx: Tx) -> wire.DataKey:
        worker, _ = caller(tx)
        made = data_keys.issue(tx, worker.id, delivering.held_reads(tx, worker, owner(worker)))
        return wire.DataKey(
            algorithm=ALGORITHM,
            plaintext=encoded(made.plaintext.reveal()),
            ciphertext=encoded(made.ciphertext),
            kms_key_id=made.key_id,
        )

    return await call.write(verb)


@route(
    "POST",
    "/api/v1/agents/{id}/wraps",
    permission="authenticated",
    callers=AGENT,
    each=CALLS,
    status=201,
    body_limit=WRAP_LIMIT,
    errors=(
        *UNKNOWN,
        (400, "wrap_envelope_required"),
        (400, "base64_invalid"),
        (400, "envelope_invalid"),
        (400, "data_key_invalid"),
        (400, "wrap_key_not_asked"),
        (400, "request_not_read"),
        (400, "recipient_key_ignored"),
        (404, "request_not_found"),
        (409, "request_not_approved"),
        (409, "broker_job_not_held"),
        (409, "wrap_exists"),
    ),
)
async def deliver(call: Call, body: wire.NewWrap) -> wire.KeptWrap:
    """Deliver one value that was asked for, in an envelope."""
    uid, envelope = shapes.uid(body.request_id, "request_id"), _envelope(body)

    def verb(tx: Tx) -> wire.KeptWrap:
        worker, _ = caller(tx)
        kept = delivering.by_agent(tx, worker, owner(worker), uid, body.key_name, envelope)
        return wire.KeptWrap(
            wrap_id=kept.wrap.uid,
            request_id=kept.request.uid,
            key_name=kept.wrap.key_name,
            byte_length=kept.wrap.byte_length,
            content_hash=kept.content_hash,
            expires_at=shapes.at(kept.wrap.expires_at),
        )

    return await call.write(verb)


@route(
    "GET",
    "/api/v1/agents/{id}/wraps/{wrap_id}",
    permission="authenticated",
    callers=AGENT,
    each=CALLS,
    errors=(
        *UNKNOWN,
        (404, "wrap_not_found"),
        (409, "request_not_approved"),
        (410, "wrap_consumed"),
        (410, "wrap_expired"),
        (412, "agent_key_missing"),
    ),
)
async def take(call: Call, wrap_id: str) -> wire.TakenWrap:
    """Fetch one value of a job that the agent holds, this once, sealed to its key on file."""
    uid = shapes.uid(wrap_id, "wrap id")

    def verb(tx: Tx) -> wire.TakenWrap:
        worker, agent = caller(tx)
        found = taking.for_agent(tx, worker, agent, owner(worker), uid)
        assert found.sealed is not None  # noqa: S101 - for an agent it always is
        return wire.TakenWrap(
            wrap_id=found.wrap.uid,
            request_id=found.request.uid,
            key_name=found.wrap.key_name,
            byte_length=found.wrap.byte_length,
            content_hash=found.content_hash,
            algorithm=STORED,
            sealed=wire.Sealed(
                algorithm=found.sealed.algorithm,
                ciphertext=encoded(found.sealed.ciphertext),
                nonce=encoded(found.sealed.nonce),
                ephemeral_public_key=encoded(found.sealed.ephemeral_public_key),
            ),
        )

    def refusal(tx: Tx, problem: Problem) -> None:
        taking.note_refusal(tx, uid, problem)

    return await _telling(call, verb, refusal)


def _envelope(body: wire.NewWrap) -> Envelope:
    sent = body.envelope
    if sent is UNSET or sent is None or given(body.value) is not None:
        raise Invalid(
            "A value comes in an envelope, and in nothing else.",
            code="wrap_envelope_required",
            hint="Ask for a data key, seal the value with it, and send envelope without value.",
            field="envelope",
        )
    return Envelope(
        algorithm=sent.algorithm,
        ciphertext=decoded(sent.ciphertext, "envelope.ciphertext"),
        nonce=decoded(sent.nonce, "envelope.nonce"),
        dek_ciphertext=decoded(sent.dek_ciphertext, "envelope.dek_ciphertext"),
        dek_kms_key_id=given(sent.dek_kms_key_id),
    )


async def _telling(call: Call, verb: Callable[[Tx], R], refusal: Callable[[Tx, Problem], None]) -> R:
    """Do something, and have a refusal written down in a unit of its own, since that of the act is rolled back."""
    try:
        return await call.write(verb)
    except Problem as problem:
        await call.write(refusal, problem)
        raise
