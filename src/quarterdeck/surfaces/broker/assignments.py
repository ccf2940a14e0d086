"""Who has which role, in the whole organization or within a scope."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.access import Access
from quarterdeck.identity import accounts, assignments
from quarterdeck.identity.assignments import Assignment
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.roles import FAMILY
from quarterdeck.surfaces.broker.wire import roles as wire
from quarterdeck.surfaces.shared.values import given


@route(
    "POST",
    "/api/v1/user-roles",
    permission="broker:user_role.edit",
    status=201,
    errors=(
        (400, "id_malformed"), (400, "role_unknown"), (400, "scope_malformed"), (400, "user_unknown"),
        (403, "identity_mismatch"), (403, "permission_not_held"), (409, "conflict"),
    ),
)  # fmt: skip
async def give(call: Call, body: wire.NewAssignment, access: Access) -> wire.Assignment:
    """Give somebody a role. The same again answers what is there."""
    made = await call.write(
        assignments.give,
        access,
        FAMILY,
        shapes.uid(body.user_id, "user_id"),
        shapes.uid(body.role_id, "role_id"),
        given(body.scope),
        given(body.granted_by),
    )
    return shown(made)


@route("GET", "/api/v1/user-roles", permission="authenticated", narrowed=FAMILY)
async def index(call: Call) -> list[wire.Assignment]:
    """Every assignment, by person and then by time."""
    return [shown(one) for one in await call.read(assignments.listed, FAMILY)]


@route(
    "GET",
    "/api/v1/users/{user_id}/roles",
    permission="authenticated",
    narrowed=FAMILY,
    errors=((400, "id_malformed"), (404, "user_not_found")),
)
async def of_user(call: Call, user_id: str) -> list[wire.Assignment]:
    """What somebody has."""
    uid = shapes.uid(user_id, "user id")

    def verb(tx: Tx) -> list[Assignment]:
        return assignments.listed(tx, FAMILY, accounts.find(tx, uid=uid))

    return [shown(one) for one in await call.read(verb)]


@route(
    "DELETE",
    "/api/v1/user-roles/{assignment_id}",
    permission="broker:user_role.edit",
    status=204,
    errors=(
        (400, "id_malformed"), (403, "permission_not_held"), (404, "assignment_not_found"),
        (409, "last_administrator"),
    ),
)  # fmt: skip
async def take(call: Call, assignment_id: str, access: Access) -> None:
    """Take a role."""
    await call.write(assignments.take, access, FAMILY, shapes.uid(assignment_id, "assignment id"))


def shown(one: Assignment) -> wire.Assignment:
    return wire.Assignment(
        id=one.id,
        user_id=one.user_id,
        role_id=one.role_id,
        scope=dict(one.scope) if one.scope else UNSET,
        granted_by=one.granted_by or UNSET,
        granted_at=shapes.at(one.granted_at),
    )
