"""Jobs that administrators ask for (contract: broker §1.10)."""

from __future__ import annotations

from quarterdeck.broker.work import by_hand
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.wire import jobs as wire
from quarterdeck.surfaces.shared.values import given


@route(
    "POST",
    "/api/v1/jobs",
    permission="broker:integration.edit",
    status=201,
    errors=(
        (400, "id_malformed"),
        (400, "job_type_unknown"),
        (400, "job_type_reserved"),
        (400, "agent_scope_invalid"),
        (400, "provider_config_refused"),
        (400, "payload_with_credentials"),
        (404, "request_not_found"),
        (404, "connection_not_found"),
        (409, "broker_too_many_jobs"),
    ),
)
async def create(call: Call, body: wire.NewJob) -> wire.QueuedJob:
    """Ask for a job. What requests are carried out by is made by their approval alone."""
    named = {
        name: shapes.uid(text, name)
        for name, text in (("request_id", given(body.request_id)), ("correlation_id", given(body.correlation_id)))
        if text is not None
    }
    job = await call.write(
        by_hand.ask,
        body.job_type.strip(),
        given(body.agent_scope),
        given(body.payload),
        named.get("request_id"),
        named.get("correlation_id"),
    )
    return wire.QueuedJob(id=job.uid, correlation_id=job.correlation_uid, status=job.status)
