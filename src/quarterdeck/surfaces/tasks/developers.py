"""People, for the administrators of the tasks surface."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.access import Access
from quarterdeck.identity import signing_in
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.tasks.shapes import cut, developer, listed_developer, number, position, told
from quarterdeck.surfaces.tasks.wire import developers as wire
from quarterdeck.tasks import developers

MANAGE = "tasks:developers.manage"
REFUSALS = (
    (403, "account_outranks"), (403, "permission_not_held"), (400, "own_account"), (409, "last_administrator"),
)  # fmt: skip


@route("GET", "/api/admin/developers", permission=MANAGE)
async def listed(call: Call, query: wire.DevelopersQuery) -> wire.Developers:
    """The members of the organization, newest first, with their roles on this surface."""

    def verb(tx: Tx) -> wire.Developers:
        found, total = developers.page(tx, query.q, position(query), query.limit + 1)
        shown, cursor = cut(found, lambda one: one.user.id, query)
        return wire.Developers(items=[listed_developer(one) for one in shown], next_cursor=cursor, total=total)

    return await call.read(verb)


@route(
    "POST",
    "/api/admin/developers",
    permission=MANAGE,
    status=201,
    errors=((400, "validation_error"), (409, "username_taken")),
)
async def create(call: Call, body: wire.DeveloperCreate, access: Access) -> wire.Developer:
    """Create somebody who signs in by this name and password, with a role."""
    password_hash = await signing_in.hashed(Secret(body.password))
    kept = told(gitName=body.git_name, gitEmail=body.git_email)

    def verb(tx: Tx) -> wire.Developer:
        return developer(tx, developers.create(tx, access, body.name, password_hash, body.role, **kept))

    return await call.write(verb)


@route(
    "PUT",
    "/api/admin/developers/{id}",
    permission=MANAGE,
    errors=((400, "validation_error"), (404, "developer_not_found"), *REFUSALS),
)
async def change(call: Call, body: wire.DeveloperChange, access: Access) -> wire.Developer:
    """Change somebody's role, what their commits are signed with, their password, or whether they may come in."""
    password_hash = None
    if body.password is not UNSET:
        password_hash = await signing_in.hashed(Secret(body.password))
    platform = body.platform_uid if body.platform_uid is not UNSET else body.platform_uid_too
    kept = told(gitName=body.git_name, gitEmail=body.git_email, platformUid=platform)
    changes = told(role=body.role, active=body.is_active)

    def verb(tx: Tx) -> wire.Developer:
        changed = developers.change(tx, access, number(call.path["id"]), password_hash=password_hash, **changes, **kept)
        return developer(tx, changed)

    return await call.write(verb)


@route(
    "PUT",
    "/api/admin/developers/{id}/reset-totp",
    permission=MANAGE,
    errors=((404, "developer_not_found"), (403, "account_outranks"), (400, "own_account")),
)
async def reset_totp(call: Call) -> wire.Developer:
    """Switch off somebody's second factor, for when it is lost."""
    return await call.write(lambda tx: developer(tx, developers.reset_second_factor(tx, number(call.path["id"]))))
