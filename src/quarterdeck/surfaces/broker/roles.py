"""Roles and the permissions that they can carry."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.access import Access, roles
from quarterdeck.access.catalogue import broker as catalogue
from quarterdeck.access.model import Role
from quarterdeck.identity import assignments
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.wire import roles as wire
from quarterdeck.surfaces.shared.values import given

FAMILY = "broker"
PREFIX = f"{FAMILY}:"
UNKNOWN = ((400, "id_malformed"), (404, "role_not_found"))


@route("GET", "/api/v1/permissions", permission="authenticated", narrowed=FAMILY)
async def permissions() -> Answer[list[wire.Permission]]:
    """Every permission of this surface, in a stable order."""
    listed = [wire.Permission(key=key, group=group, description=said) for key, group, said, _ in catalogue.PERMISSIONS]
    return Answer(listed, headers={"cache-control": "public, max-age=300"})


@route("GET", "/api/v1/roles", permission="authenticated", narrowed=FAMILY)
async def index(call: Call) -> list[wire.Role]:
    """The built-in roles and those of the organization, by name."""
    return await call.read(lambda tx: [shown(tx, role) for role in roles.visible(tx, FAMILY)])


@route("GET", "/api/v1/roles/{role_id}", permission="authenticated", narrowed=FAMILY, errors=UNKNOWN)
async def show(call: Call, role_id: str) -> wire.Role:
    """A role and what it permits."""
    uid = shapes.uid(role_id, "role id")
    return await call.read(lambda tx: shown(tx, roles.find(tx, FAMILY, uid=uid)))


@route(
    "POST",
    "/api/v1/roles",
    permission="broker:role.edit",
    status=201,
    errors=((400, "permission_unknown"), (409, "role_name_taken")),
)
async def create(call: Call, body: wire.NewRole, access: Access) -> wire.Role:
    """Make a role."""

    def verb(tx: Tx) -> wire.Role:
        keys = [PREFIX + key for key in given(body.permissions) or []]
        role = roles.create(tx, access, body.name.strip(), given(body.description) or None, keys, FAMILY)
        tx.flush()
        return shown(tx, role)

    return await call.write(verb)


@route(
    "PUT",
    "/api/v1/roles/{role_id}/permissions",
    permission="broker:role.edit",
    status=204,
    errors=(*UNKNOWN, (400, "permission_unknown"), (409, "role_keeps_permission")),
)
async def replace_permissions(call: Call, role_id: str, body: wire.RolePermissions, access: Access) -> None:
    """Replace what a role permits, of a built-in one too."""
    uid = shapes.uid(role_id, "role id")

    def verb(tx: Tx) -> None:
        role = roles.find(tx, FAMILY, uid=uid)
        roles.set_permissions(tx, access, role, [PREFIX + key for key in body.permissions], FAMILY, built_in=True)

    await call.write(verb)


@route(
    "DELETE",
    "/api/v1/roles/{role_id}",
    permission="broker:role.edit",
    status=204,
    errors=(*UNKNOWN, (403, "permission_not_held"), (409, "role_is_built_in")),
)
async def delete(call: Call, role_id: str, access: Access) -> None:
    """Delete a role, and take it from those who have it."""
    uid = shapes.uid(role_id, "role id")
    await call.write(lambda tx: assignments.remove_role(tx, access, roles.find(tx, FAMILY, uid=uid), FAMILY))


def shown(tx: Tx, role: Role) -> wire.Role:
    return wire.Role(
        id=role.uid,
        name=role.name,
        description=role.description or UNSET,
        permissions=[key.removeprefix(PREFIX) for key in roles.permissions_of(tx, role) if key.startswith(PREFIX)],
        is_system=True if role.organization_id is None else UNSET,
        created_at=shapes.at(role.created_at),
        updated_at=shapes.at(role.updated_at),
    )
