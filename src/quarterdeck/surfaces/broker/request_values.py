"""Values that were read, given once to whoever asked."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.broker.requests import finding
from quarterdeck.broker.sealing.encoding import encoded
from quarterdeck.broker.wraps import keeping, taking
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, Problem
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.callers import require_self
from quarterdeck.surfaces.broker.requests import MEMBER, MISSING
from quarterdeck.surfaces.broker.wire import request_values as wire

RETRIEVALS = Rate(20, 60)
"""Values that one person fetches in a minute (contract: broker §1.7)."""


@route("GET", "/api/v1/requests/{id}/wraps", permission=MEMBER, narrowed="broker",
       errors=(*MISSING, (403, "identity_mismatch"), (403, "wrap_not_yours")))  # fmt: skip
async def index(call: Call, id: str, query: wire.WrapsQuery, access: Access) -> list[wire.WrapSummary]:  # noqa: A002
    """The values that were delivered for one's own request, oldest first, and which were fetched."""
    require_self(call, query.user_id, "user_id")
    uid = shapes.uid(id)

    def verb(tx: Tx) -> list[wire.WrapSummary]:
        request = finding.find(tx, access, uid)
        if request.requester_id != tx.principal.id or tx.principal.kind != "user":
            raise Forbidden(
                "Only whoever asked sees what was delivered.", code="wrap_not_yours", hint="Make a request of your own."
            )
        return [
            wire.WrapSummary(
                id=one.uid,
                key_name=one.key_name,
                consumed=one.consumed_at is not None,
                expires_at=shapes.seconds(one.expires_at),
                sealed=one.recipient,
            )
            for one in keeping.of(tx, request, "out")
        ]

    return await call.read(verb)


@route("GET", "/api/v1/requests/{id}/wraps/{wrap_id}", permission=MEMBER, narrowed="broker", each=RETRIEVALS,
       errors=(*MISSING, (403, "identity_mismatch"), (403, "wrap_not_yours"), (404, "wrap_not_found"),
               (409, "request_not_retrievable"), (410, "wrap_consumed"), (410, "wrap_expired")))  # fmt: skip
async def show(
    call: Call,
    id: str,  # noqa: A002
    wrap_id: str,
    query: wire.WrapsQuery,
    db: Database,
) -> Answer[wire.Value]:
    """A value, once. It is gone from here when this is answered."""
    require_self(call, query.user_id, "user_id")
    uid, wrap_uid = shapes.uid(id), shapes.uid(wrap_id, "wrap id")
    try:
        given = await call.write(lambda tx: taking.for_requester(tx, uid, wrap_uid))
    except Problem as problem:
        await db.write(taking.note_refusal, wrap_uid, problem)
        raise
    assert given.value is not None  # noqa: S101 - a requester is given values
    value = given.value.reveal()
    return Answer(
        wire.Value(
            wrap_id=given.wrap.uid,
            request_id=given.request.uid,
            key_name=given.wrap.key_name,
            value=encoded(value),
            byte_length=len(value),
            content_hash=given.content_hash,
            sealed_to_recipient=given.wrap.recipient,
        ),
        headers={"cache-control": "no-store"},
    )
