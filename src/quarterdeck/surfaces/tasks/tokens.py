"""The caller's personal access tokens. They act on every surface, so looking after them needs no role of this one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from quarterdeck.identity import personal_tokens, proving, sessions
from quarterdeck.identity.model import PersonalToken
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.http.failures import Issue, Malformed
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.shapes import at, number, page
from quarterdeck.surfaces.tasks.wire import profile as wire
from quarterdeck.surfaces.tasks.wire.lists import Paging

FAMILY = "tasks"


def _fields(row: PersonalToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "label": row.label,
        "prefix": row.prefix,
        "scopes": list(row.scopes),
        "expires_at": at(row.expires_at),
        "last_used_at": at(row.last_used_at),
        "revoked_at": at(row.revoked_at),
        "created_at": wire_time(row.created_at),
    }


def expiry(text: str | None) -> datetime | None:
    """An ISO date (its beginning) or time; one without a zone is in UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed(
            Issue("invalid_format", ("expiresAt",), "Give a date or a time, such as 2027-01-31.", expected="date-time")
        ) from None


@route("GET", "/api/web/profile/tokens", permission="authenticated", narrowed=FAMILY)
async def listed(call: Call, query: Paging) -> wire.Tokens:
    """The caller's tokens, newest first, without their secrets."""

    def verb(tx: Tx) -> wire.Tokens:
        mine = personal_tokens.own(tx, tx.principal.id)
        shown, cursor = page(mine, lambda row: row.id, query)
        return wire.Tokens(items=[wire.Token(**_fields(row)) for row in shown], next_cursor=cursor, total=len(mine))

    return await call.read(verb)


@route(
    "POST",
    "/api/web/profile/tokens",
    permission="authenticated",
    status=201,
    errors=((400, "validation_error"), (403, "session_required"), (409, "too_many_tokens")),
)
async def create(call: Call, body: wire.TokenCreate) -> wire.NewToken:
    """Make a token that acts as the caller; its text is shown this once."""
    sessions.require_in_person(call.principal)
    until = expiry(given(body.expires_at))

    def verb(tx: Tx) -> wire.NewToken:
        row, secret = personal_tokens.create(tx, proving.me(tx), body.label, given(body.scopes) or (), until)
        return wire.NewToken(**_fields(row), token=secret.reveal())

    return await call.write(verb)


@route(
    "POST",
    "/api/web/profile/tokens/{id}/revoke",
    permission="authenticated",
    errors=((403, "token_narrowed"), (404, "token_not_found")),
)
async def revoke(call: Call) -> wire.Token:
    """End one of the caller's tokens; ending it again is a success."""

    def verb(tx: Tx) -> wire.Token:
        row_id = number(call.path["id"])
        return wire.Token(**_fields(personal_tokens.revoke(tx, tx.principal.id, -1 if row_id is None else row_id)))

    return await call.write(verb)
