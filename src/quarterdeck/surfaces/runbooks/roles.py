"""Roles, and the permissions that they can carry."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.access import CATALOGUE, Access, roles
from quarterdeck.access.catalogue import runbooks as catalogue
from quarterdeck.access.model import Role
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.text import several
from quarterdeck.surfaces.runbooks import shapes
from quarterdeck.surfaces.runbooks.wire import roles as wire
from quarterdeck.surfaces.runbooks.wire.account import Done
from quarterdeck.surfaces.shared.values import given

CHANGES = ((400, "permission_unknown"), (400, "role_name_taken"), (409, "conflict"))


@route("GET", "/api/roles", permission="runbooks:roles.view")
async def index(call: Call) -> wire.Roles:
    """The built-in role and those of the organization."""

    def verb(tx: Tx) -> wire.Roles:
        numbers = roles.numbered(tx)
        return wire.Roles(roles=[shown(tx, role, numbers) for role in roles.visible(tx, shapes.FAMILY)])

    return await call.read(verb)


@route("GET", "/api/roles/permissions", permission="runbooks:roles.view")
async def permissions(call: Call) -> wire.Permissions:
    """Every permission that a role can carry, by category."""
    numbers = await call.read(roles.numbered)
    return wire.Permissions(
        permissions={
            category: [
                wire.ListedPermission(
                    id=numbers[shapes.PREFIX + codename],
                    codename=codename,
                    label=catalogue.label(codename),
                    description=CATALOGUE[shapes.PREFIX + codename].description,
                )
                for codename in codenames
            ]
            for category, codenames in catalogue.CATEGORIES.items()
            if category not in catalogue.HIDDEN
        }
    )


@route("GET", "/api/roles/{role_id}", permission="runbooks:roles.view")
async def show(call: Call, role_id: str) -> wire.Role:
    """A role and what it permits."""
    return await call.read(lambda tx: shown(tx, role_of(tx, role_id), roles.numbered(tx)))


@route("POST", "/api/roles", permission="runbooks:roles.create", errors=CHANGES)
async def create(call: Call, body: wire.NewRole, access: Access) -> wire.Role:
    """Make a role."""

    def verb(tx: Tx) -> wire.Role:
        numbers = roles.numbered(tx)
        keys = keys_of(numbers, given(body.permission_ids) or [])
        role = roles.create(tx, access, body.name.strip(), given(body.description) or None, keys, shapes.FAMILY)
        tx.flush()
        return shown(tx, role, numbers)

    return await call.write(verb)


@route("PUT", "/api/roles/{role_id}", permission="runbooks:roles.edit", errors=(*CHANGES, (400, "role_is_built_in")))
async def change(call: Call, role_id: str, body: wire.RoleChange, access: Access) -> wire.Role:
    """Change how a role is called and replace what it permits."""

    def verb(tx: Tx) -> wire.Role:
        role, numbers = role_of(tx, role_id), roles.numbered(tx)
        ids = given(body.permission_ids)
        name = given(body.name)
        roles.change(
            tx,
            access,
            role,
            shapes.FAMILY,
            name=name and name.strip(),
            description=given(body.description),
            permissions=None if ids is None else keys_of(numbers, ids),
        )
        tx.flush()
        return shown(tx, role, numbers)

    return await call.write(verb)


@route(
    "DELETE",
    "/api/roles/{role_id}",
    permission="runbooks:roles.delete",
    errors=((400, "role_in_use"), (400, "role_is_built_in"), (403, "permission_not_held")),
)
async def delete(call: Call, role_id: str, access: Access) -> Done:
    """Delete a role that nobody has."""
    await call.write(lambda tx: roles.remove(tx, access, role_of(tx, role_id)))
    return Done(status="deleted")


def role_of(tx: Tx, text: str) -> Role:
    """Raises `NotFound` for an id of another form and of no role of this surface, alike."""
    try:
        return roles.find(tx, shapes.FAMILY, row_id=shapes.number(text))
    except NotFound as missing:
        raise NotFound(f"There is no role {text[:40]}.", code=missing.code, hint=missing.hint) from None


def keys_of(numbers: Mapping[str, int], ids: list[int]) -> list[str]:
    """Keys of the permissions with these numbers. Raises `Invalid` (`permission_unknown`)."""
    known = {number: key for key, number in numbers.items() if key.startswith(shapes.PREFIX)}
    unknown = sorted(set(ids) - known.keys())
    if unknown:
        raise Invalid(
            f"There is no permission {several([str(one) for one in unknown])}.",
            code="permission_unknown",
            hint="Look at the list of permissions.",
        )
    return [known[one] for one in ids]


def shown(tx: Tx, role: Role, numbers: Mapping[str, int]) -> wire.Role:
    carried = [key for key in roles.permissions_of(tx, role) if key.startswith(shapes.PREFIX)]
    return wire.Role(
        id=role.id,
        name=role.name,
        description=role.description,
        is_system=role.organization_id is None,
        created_at=role.created_at.isoformat(),
        permissions=[
            wire.RolePermission(
                id=numbers[key],
                codename=key.removeprefix(shapes.PREFIX),
                category=CATALOGUE[key].group,
                label=CATALOGUE[key].description,
            )
            for key in carried
        ],
        user_count=roles.holders(tx, role),
    )
