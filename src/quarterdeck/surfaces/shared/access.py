"""Roles and grants of every family, and why somebody may do something: routes of ours beside the contracts."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.access import CATALOGUE, Access, grants, roles
from quarterdeck.access.model import Role
from quarterdeck.deploy import subjects
from quarterdeck.identity import accounts, granting, members
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.shared.values import given

READ, MANAGE = "access:read", granting.MANAGE
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Text = Annotated[str, Meta(max_length=1000)]
Keys = Annotated[list[Annotated[str, Meta(min_length=1, max_length=120)]], Meta(max_length=1000)]
TAGS = ("access",)


class PermissionItem(Struct, kw_only=True, rename="camel"):
    """`roles` are keys of the roles that carry it."""

    key: str
    group: str
    description: str
    roles: list[str]


class Permissions(Struct, kw_only=True, rename="camel"):
    items: list[PermissionItem]


class RoleItem(Struct, kw_only=True, rename="camel"):
    """`key` is what a grant names; `holders` is how many people of the organization have it."""

    id: str
    key: str
    name: str
    description: str | None
    built_in: bool
    holders: int
    permissions: list[str]


class Roles(Struct, kw_only=True, rename="camel"):
    items: list[RoleItem]


class NewRole(Struct, kw_only=True, rename="camel"):
    name: Name
    permissions: Keys
    description: Text | UnsetType = UNSET


class ChangedRole(Struct, kw_only=True, rename="camel"):
    """What is left out stays; an empty description takes it away."""

    name: Name | UnsetType = UNSET
    permissions: Keys | UnsetType = UNSET
    description: Text | UnsetType = UNSET


class Deleted(Struct, kw_only=True, rename="camel"):
    id: str


class GrantItem(Struct, kw_only=True, rename="camel"):
    """`roles` are keys of the roles that hold in the whole organization; who is `invited` gets them with coming."""

    user_id: str
    username: str
    email: str | None
    active: bool
    invited: bool
    roles: list[str]


class Grants(Struct, kw_only=True, rename="camel"):
    items: list[GrantItem]


class Granting(Struct, kw_only=True, rename="camel"):
    """`user` by username, e-mail address or id; `role` by its key, id or name."""

    user: Annotated[str, Meta(min_length=1, max_length=320)]
    role: Name
    take: bool = False


class Granted(Struct, kw_only=True, rename="camel"):
    """`roleName` is how people call the role; who is `invited` gets it with coming."""

    user_id: str
    username: str
    role: str
    role_name: str
    changed: bool
    invited: bool


class Asked(Struct, kw_only=True, rename="camel"):
    """`resource`: where, if not everywhere in the organization: the id of a project, environment, server, resource or
    deployment, `KIND/NAME` of an object with rules of its own, or facts as `environment=prod,project_id=pay`.
    """

    user: Annotated[str, Meta(min_length=1, max_length=320)]
    permission: Annotated[str, Meta(min_length=1, max_length=120)]
    resource: Annotated[str, Meta(max_length=300)] | UnsetType = UNSET


class Why(Struct, kw_only=True, rename="camel"):
    """`by` are the roles that permit it, `carrying` those that would, `couldGive` people who could change a no."""

    user_id: str
    username: str
    permission: str
    description: str
    resource: str | None
    allowed: bool
    reason: str
    remedy: str
    held: list[str]
    by: list[str]
    carrying: list[str]
    could_give: list[str]


def item(tx: Tx, role: Role) -> RoleItem:
    return RoleItem(
        id=role.uid,
        key=role.key,
        name=role.name,
        description=role.description,
        built_in=role.organization_id is None,
        holders=roles.holders(tx, role),
        permissions=roles.permissions_of(tx, role),
    )


@route("GET", "/api/access/permissions", permission=READ, tags=TAGS)
async def permissions(call: Call) -> Permissions:
    """Every permission there is, and which roles of the organization carry it."""

    def verb(tx: Tx) -> Permissions:
        carried = {role.key: set(roles.permissions_of(tx, role)) for role in granting.all_roles(tx)}
        return Permissions(
            items=[
                PermissionItem(
                    key=key,
                    group=one.group,
                    description=one.description,
                    roles=[role for role, keys in carried.items() if key in keys],
                )
                for key, one in sorted(CATALOGUE.items())
            ]
        )

    return await call.read(verb)


@route("GET", "/api/access/roles", permission=READ, tags=TAGS)
async def listed(call: Call) -> Roles:
    """The built-in roles of every family, and the organization's own."""
    return await call.read(lambda tx: Roles(items=[item(tx, role) for role in granting.all_roles(tx)]))


@route(
    "POST",
    "/api/access/roles",
    permission=MANAGE,
    status=201,
    errors=((400, "permission_unknown"), (403, "permission_not_held"), (409, "role_name_taken")),
    body_required=True,
    tags=TAGS,
)
async def create(call: Call, body: NewRole, access: Access) -> RoleItem:
    """Make a role of the organization's own."""

    def verb(tx: Tx) -> RoleItem:
        made = roles.create(tx, access, body.name, given(body.description), body.permissions, None)
        tx.flush()
        return item(tx, made)

    return await call.write(verb)


@route(
    "PATCH",
    "/api/access/roles/{roleId}",
    permission=MANAGE,
    errors=(
        (400, "permission_unknown"), (403, "permission_not_held"), (404, "role_not_found"), (409, "role_is_built_in"),
    ),
    body_required=True,
    tags=TAGS,
)  # fmt: skip
async def change(call: Call, role_id: str, body: ChangedRole, access: Access) -> RoleItem:
    """Change a role of the organization's own."""

    def verb(tx: Tx) -> RoleItem:
        row = granting.role(tx, role_id)
        roles.change(
            tx, access, row, None,
            name=given(body.name), description=given(body.description), permissions=given(body.permissions),
        )  # fmt: skip
        tx.flush()
        return item(tx, row)

    return await call.write(verb)


@route(
    "DELETE",
    "/api/access/roles/{roleId}",
    permission=MANAGE,
    errors=((403, "permission_not_held"), (404, "role_not_found"), (409, "role_in_use")),
    tags=TAGS,
)
async def remove(call: Call, role_id: str, access: Access) -> Deleted:
    """Delete a role of the organization's own that nobody has."""

    def verb(tx: Tx) -> Deleted:
        row = granting.role(tx, role_id)
        uid = row.uid
        roles.remove(tx, access, row)
        return Deleted(id=uid)

    return await call.write(verb)


@route("GET", "/api/access/grants", permission=READ, tags=TAGS)
async def granted(call: Call) -> Grants:
    """Who has which roles in the whole organization, and who gets which with coming."""

    def verb(tx: Tx) -> Grants:
        inside = {one.user.id: (one.user, one.roles) for one in members.listed(tx, tx.principal.acts_in)}
        waiting = [one for one in accounts.listed(tx) if one.id not in inside and one.joined_at is None]
        asked = accounts.roles_by_user(tx, waiting)
        everybody = [*inside.values(), *((user, asked.get(user.id, [])) for user in waiting)]
        reached = accounts.addresses_of(tx, [user for user, _ in everybody])
        return Grants(
            items=[
                GrantItem(
                    user_id=user.uid,
                    username=user.username,
                    email=reached[user.id],
                    active=user.active,
                    invited=user.joined_at is None,
                    roles=[role for role in keys if role != grants.MEMBER],
                )
                for user, keys in everybody
            ]
        )

    return await call.read(verb)


@route(
    "POST",
    "/api/access/grants",
    permission=MANAGE,
    errors=(
        (400, "invariant_violation"), (400, "own_account"), (403, "account_outranks"), (403, "permission_not_held"),
        (404, "user_not_found"), (404, "role_not_found"), (409, "last_administrator"),
    ),
    body_required=True,
    tags=TAGS,
)  # fmt: skip
async def grant(call: Call, body: Granting, access: Access) -> Granted:
    """Give somebody a role in the whole organization, or take it. One of the family `organization` takes the place of
    the one before.
    """

    def verb(tx: Tx) -> Granted:
        user, role = granting.member(tx, body.user), granting.role(tx, body.role)
        deed = granting.take if body.take else granting.give
        changed = deed(tx, access, user, role)
        return Granted(
            user_id=user.uid,
            username=user.username,
            role=role.key,
            role_name=granting.label(role),
            changed=changed,
            invited=user.joined_at is None,
        )

    return await call.write(verb)


@route(
    "POST",
    "/api/access/why",
    permission=READ,
    errors=(
        (400, "place_malformed"),
        (404, "user_not_found"),
        (404, "permission_unknown"),
        (404, "not_found"),
    ),
    body_required=True,
    tags=TAGS,
)
async def why(call: Call, body: Asked, access: Access) -> Why:
    """Why somebody may do something here, or not, and who could change that."""

    def verb(tx: Tx) -> Why:
        where = given(body.resource) or ""
        user = granting.member(tx, body.user)
        found = granting.explain(tx, access, user, body.permission, subjects.place(tx, where))
        return Why(
            user_id=found.user.uid,
            username=found.user.username,
            permission=found.permission,
            description=CATALOGUE[found.permission].description,
            resource=where or None,
            allowed=found.allowed,
            reason=found.reason,
            remedy=found.remedy,
            held=list(found.held),
            by=list(found.by),
            carrying=list(found.carrying),
            could_give=list(found.could_give),
        )

    return await call.read(verb)
