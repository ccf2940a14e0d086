"""Requests for secrets: asked for, decided, taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from quarterdeck.access import Access
from quarterdeck.broker.policies.happenings import PolicyAction
from quarterdeck.broker.requests import asking, cancelling, editing, finding, reading, reviewing, voting
from quarterdeck.broker.requests.asking import Wish
from quarterdeck.broker.requests.model import Request
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.broker import request_shapes, shapes
from quarterdeck.surfaces.broker.callers import require_self
from quarterdeck.surfaces.broker.wire import requests as wire
from quarterdeck.surfaces.shared.values import given

MALFORMED = ((400, "validation_error"), (400, "keys_missing"), (400, "provider_unknown"), (400, "secret_ref_malformed"),
             (400, "value_empty"), (400, "environment_unknown"), (400, "provider_config_refused"),
             (400, "connection_ambiguous"), (400, "connection_unknown"), (400, "justification_required"))  # fmt: skip
ASKED = (
    *MALFORMED, (403, "identity_mismatch"), (403, "emergency_not_allowed"), (403, "session_not_fresh"),
    (404, "project_not_found"), (409, "project_archived"),
)  # fmt: skip
MISSING = ((400, "id_malformed"), (404, "request_not_found"))
DECIDED = (
    *MISSING, (403, "approval_own"), (403, "approval_not_yours"), (403, "identity_mismatch"), (409, "already_voted"),
    (409, "request_not_pending"), (409, "request_expired"),
)  # fmt: skip
MEMBER = "authenticated"
"""Grants may be narrowed: the rule decides, which knows the place."""


def wish(call: Call, kind: str, body: wire.Asked) -> Wish:
    require_self(call, body.requester_id, "requester_id")
    for field in ("target_provider_type", "target_secret_ref"):
        if not given(getattr(body, field)):
            raise Invalid(f"{field} is missing.", code="validation_error", hint="Send it.", field=field)
    return Wish(
        kind=kind,
        provider_type=given(body.target_provider_type) or "",
        secret_ref=given(body.target_secret_ref) or "",
        justification=given(body.justification) or "",
        project_uid=shapes.uid(text, "project_id") if (text := given(body.project_id)) else None,
        environment=given(body.environment) or None,
        provider_config=given(body.target_provider_config) or {},
        emergency=body.emergency,
    )


async def _ask(call: Call, db: Database, access: Access, made: Wish) -> wire.Request:
    def verb(tx: Tx) -> wire.Request:
        return request_shapes.whole(tx, access, asking.ask(tx, access, made))

    try:
        return await call.write(verb)
    except Forbidden as problem:
        if problem.code == "production_needs_approval":
            await audit.record_refusal(
                db, PolicyAction.INVARIANT_VIOLATED, resource_type="secret", resource_id=made.secret_ref[:200]
            )
        raise


@route(
    "POST",
    "/api/v1/requests",
    permission=MEMBER,
    narrowed="broker",
    status=201,
    errors=ASKED,
)
async def create(call: Call, body: wire.NewChange, db: Database, access: Access) -> wire.Request:
    """Ask for some keys of a secret to be set. The others stay."""
    return await _ask(call, db, access, _valued(wish(call, "patch", body), body))


@route(
    "POST",
    "/api/v1/requests/update",
    permission=MEMBER,
    narrowed="broker",
    status=201,
    errors=ASKED,
)
async def create_update(call: Call, body: wire.NewChange, db: Database, access: Access) -> wire.Request:
    """Ask for a whole secret to be replaced by these keys."""
    return await _ask(call, db, access, _valued(wish(call, "update", body), body))


@route(
    "POST",
    "/api/v1/requests/read",
    status=201,
    errors=(*ASKED, (400, "public_key_malformed"), (403, "production_needs_approval"), (403, "direct_not_allowed")),
    permission=MEMBER,
    narrowed="broker",
)
async def create_read(call: Call, body: wire.NewRead, db: Database, access: Access) -> wire.Request:
    """Ask to read a secret, or some of its keys."""
    made = wish(call, "read", body)
    keys, recipient = tuple(given(body.target_keys) or ()), given(body.recipient_key) or None
    return await _ask(call, db, access, replace(made, keys=keys, recipient_key=recipient, direct=body.direct))


@route(
    "POST",
    "/api/v1/requests/rotate",
    status=201,
    errors=(*ASKED, (400, "rotation_malformed")),
    permission=MEMBER,
    narrowed="broker",
)
async def create_rotation(call: Call, body: wire.NewRotation, db: Database, access: Access) -> wire.Request:
    """Ask for some keys to get new values, made where they are kept and given to nobody."""
    made = wish(call, "rotate", body)
    rotation = {"length": body.length, "alphabet": body.alphabet}
    keys = tuple(given(body.target_keys) or ())
    return await _ask(call, db, access, replace(made, keys=keys, rotation=rotation))


@route(
    "GET",
    "/api/v1/requests",
    permission=MEMBER,
    narrowed="broker",
    errors=((400, "validation_error"),),
)
async def index(call: Call, query: wire.RequestsQuery, access: Access) -> list[wire.Request]:
    """One's own, and those that one may decide, newest first, a hundred at most."""

    def verb(tx: Tx) -> list[wire.Request]:
        found = reading.listed(
            tx,
            access,
            requester_uid=given(query.requester_id),
            status=given(query.status),
            unreviewed=query.unreviewed,
        )
        return request_shapes.shown(tx, found)

    return await call.read(verb)


@route(
    "GET",
    "/api/v1/requests/{id}",
    permission=MEMBER,
    narrowed="broker",
    errors=MISSING,
)
async def show(call: Call, id: str, access: Access) -> wire.Request:  # noqa: A002 - as documented
    """A request, what was said of it, and which rule sent it to its workflow."""
    uid = shapes.uid(id)
    return await call.read(lambda tx: request_shapes.whole(tx, access, finding.find(tx, access, uid)))


@route(
    "PATCH",
    "/api/v1/requests/{id}",
    errors=(*MISSING, *MALFORMED, (403, "edit_not_yours"), (409, "request_not_pending")),
    permission=MEMBER,
    narrowed="broker",
)
async def edit(call: Call, id: str, body: wire.Edit, access: Access) -> wire.Request:  # noqa: A002
    """Change one's own request while it waits. What was said of it counts no more."""
    values = given(body.key_values)
    keys = given(body.target_keys)
    return await _changed(
        call,
        access,
        lambda tx: editing.edit(
            tx,
            access,
            shapes.uid(id),
            justification=given(body.justification),
            keys=tuple(keys) if keys is not None else None,
            values=_secret(values) if values is not None else None,
        ),
    )


@route(
    "POST",
    "/api/v1/requests/{id}/approve",
    permission=MEMBER,
    narrowed="broker",
    errors=DECIDED,
)
async def approve(call: Call, id: str, body: wire.Approve, access: Access) -> wire.Request:  # noqa: A002
    """Agree to a request. The last one who has to agree sets it off."""
    require_self(call, body.approver_id, "approver_id")
    comment = given(body.comment) or None
    return await _changed(call, access, lambda tx: voting.approve(tx, access, shapes.uid(id), comment))


@route(
    "POST",
    "/api/v1/requests/{id}/reject",
    errors=(*DECIDED, (400, "reason_required")),
    permission=MEMBER,
    narrowed="broker",
)
async def reject(call: Call, id: str, body: wire.Reject, access: Access) -> wire.Request:  # noqa: A002
    """Refuse a request, which ends it."""
    require_self(call, body.approver_id, "approver_id")
    return await _changed(call, access, lambda tx: voting.reject(tx, access, shapes.uid(id), given(body.reason) or ""))


@route(
    "POST",
    "/api/v1/requests/{id}/cancel",
    errors=(*MISSING, (403, "cancel_not_yours"), (403, "identity_mismatch"), (409, "request_not_pending"),
            (409, "request_in_progress")),
    permission=MEMBER, narrowed="broker",
)  # fmt: skip
async def cancel(call: Call, id: str, body: wire.Cancel, access: Access) -> wire.Request:  # noqa: A002
    """Take one's own request back."""
    require_self(call, body.actor_id, "actor_id")
    return await _changed(call, access, lambda tx: cancelling.cancel(tx, access, shapes.uid(id)))


@route(
    "POST",
    "/api/v1/requests/{id}/review",
    errors=(*MISSING, (400, "reason_required"), (403, "approval_own"), (409, "review_not_asked")),
    permission=MEMBER,
    narrowed="broker",
)
async def review(call: Call, id: str, body: wire.Review, access: Access) -> wire.Request:  # noqa: A002
    """Say what one thinks of what somebody did without approval."""
    return await _changed(call, access, lambda tx: reviewing.review(tx, access, shapes.uid(id), body.comment))


async def _changed(call: Call, access: Access, verb: Callable[[Tx], Request]) -> wire.Request:
    return await call.write(lambda tx: request_shapes.whole(tx, access, verb(tx)))


def _valued(made: Wish, body: wire.NewChange) -> Wish:
    return replace(made, values=_secret(given(body.key_values) or {}))


def _secret(values: Mapping[str, str]) -> dict[str, Secret[str]]:
    return {key: Secret(value) for key, value in values.items()}
