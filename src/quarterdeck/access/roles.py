"""Roles: the built-in ones of each family, and those that people make of any permissions of the catalogue."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, func, or_, select

from quarterdeck.access import grants
from quarterdeck.access.actions import AccessAction
from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.access.decide import HIGHEST, Access
from quarterdeck.access.model import Grant, KnownPermission, ObjectRule, Role, RolePermission
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from quarterdeck.kernel.text import lines, one_line, several

CUSTOM = "custom"
KEPT = {"broker:admin": frozenset({"broker:role.edit", "broker:user_role.edit"})}
"""What a built-in role that may be changed keeps: without it nobody could change anything back."""


def visible(tx: Tx, family: str | None) -> list[Role]:
    """The built-in roles of a family, or of none, and the organization's own, by name."""
    here = or_(Role.organization_id == tx.principal.organization_id, Role.organization_id.is_(None))
    return list(
        tx.scalars(
            select(Role)
            .where(here, Role.family.in_((family or CUSTOM, CUSTOM)))
            .order_by(func.lower(Role.name), Role.id)
        )
    )


def find(tx: Tx, family: str, *, row_id: int | None = None, uid: str | None = None, name: str | None = None) -> Role:
    """One of `visible`, by its number, uid or name. Raises `NotFound` (`role_not_found`)."""
    for role in visible(tx, family):
        if row_id == role.id or uid == role.uid or (name is not None and name.lower() == role.name.lower()):
            return role
    raise NotFound(
        f"There is no role {row_id or uid or name}.", code="role_not_found", hint="Look at the list of roles."
    )


def permissions_of(tx: Tx, role: Role) -> list[str]:
    """Keys of the permissions that a role carries, sorted."""
    if role.organization_id is None and role.edited_at is None:
        return sorted(key for key, one in CATALOGUE.items() if role.key in one.roles)
    found = tx.scalars(select(RolePermission.permission).where(RolePermission.role_id == role.id))
    return sorted(set(found) & CATALOGUE.keys())


def carried(tx: Tx, keys: Collection[str]) -> frozenset[str]:
    """Keys of the permissions that some roles (their keys) carry together."""
    found = tx.scalars(select(Role).where(Role.key.in_(keys))) if keys else ()
    return frozenset(permission for role in found for permission in permissions_of(tx, role))


def holders(tx: Tx, role: Role) -> int:
    """How many people of the organization have a role."""
    mine = Grant.organization_id == tx.principal.organization_id
    held = select(func.count(func.distinct(Grant.user_id))).where(Grant.role == role.key, mine)
    return int(tx.execute(held).scalar() or 0)


def numbered(tx: Tx) -> dict[str, int]:
    """The number of each permission of the catalogue."""
    return {row.key: row.id for row in tx.execute(select(KnownPermission.key, KnownPermission.id))}


def create(
    tx: Tx, access: Access, name: str, description: str | None, permissions: Collection[str], family: str | None
) -> Role:
    """A role of the organization's own. `family` is the surface that asks; None acts for no surface: then everything is
    replaced, and nothing given that the caller has not got. Raises `Conflict` (`role_name_taken`) and `Invalid`
    (`permission_unknown`).
    """
    tx.lock("access:roles")
    name, description = one_line(name, "name", 100), description and lines(description, "description")
    _free(tx, name, family)
    wanted = _known(permissions)
    uid = tx.ids.uid()
    role = tx.add(
        Role(
            uid=uid,
            key=f"{CUSTOM}:{uid}",
            family=CUSTOM,
            organization_id=tx.principal.organization_id,
            name=name,
            description=description,
            created_at=tx.now,
            updated_at=tx.now,
            edited_at=None,
        )
    )
    tx.flush()
    _require_held(tx, wanted)
    for key in sorted(wanted):
        tx.add(RolePermission(role_id=role.id, permission=key))
    _note(tx, access, AccessAction.ROLE_CREATED, role, permissions=sorted(wanted))
    return role


def change(
    tx: Tx,
    access: Access,
    role: Role,
    family: str | None,
    *,
    name: str | None = None,
    description: str | None = None,
    permissions: Collection[str] | None = None,
) -> Role:
    """Change a role of one's own: None leaves as it is, an empty description takes it away. Raises `Conflict`
    (`role_is_built_in`, `role_name_taken`), and as `set_permissions` does.
    """
    _own(role)
    tx.lock("access:roles")
    before = (role.name, role.description)
    name = name if name is None else one_line(name, "name", 100)
    description = description and lines(description, "description")
    if name is not None and name.lower() != role.name.lower():
        _free(tx, name, family)
    role.name = role.name if name is None else name
    role.description = role.description if description is None else description or None
    moved = None if permissions is None else _replaced(tx, role, permissions, family)
    if moved or (role.name, role.description) != before:
        role.updated_at = tx.now
        _note(tx, access, AccessAction.ROLE_CHANGED, role, **(moved or {}))
    return role


def set_permissions(
    tx: Tx, access: Access, role: Role, permissions: Collection[str], family: str, *, built_in: bool = False
) -> Role:
    """Replace what a role carries of a surface's permissions; those of other surfaces stay.

    A built-in role may be changed where its surface documents it (`built_in`). Raises `Conflict`
    (`role_keeps_permission`), `Invalid`, and `Forbidden` (`permission_not_held`) for permissions that the caller
    has not got.
    """
    if not built_in:
        _own(role)
    tx.lock("access:roles")
    moved = _replaced(tx, role, permissions, family)
    if moved is not None:
        role.updated_at = tx.now
        _note(tx, access, AccessAction.ROLE_CHANGED, role, **moved)
    return role


def _replaced(tx: Tx, role: Role, permissions: Collection[str], family: str | None) -> dict[str, list[str]] | None:
    """What came and went; None where all was so already."""
    wanted = _known(permissions)
    _require_held(tx, wanted)
    if lost := sorted(KEPT.get(role.key, frozenset()) - wanted):
        raise Conflict(
            f"The role {role.name} keeps {', '.join(lost)}: without it nobody could change roles back.",
            code="role_keeps_permission",
            hint="Leave it in, or give people another role.",
        )
    before = set(permissions_of(tx, role))
    after = wanted | {key for key in before if family is not None and not key.startswith(f"{family}:")}
    if family is None:
        _require_held(tx, before - after)
    if after == before and (role.organization_id is not None or role.edited_at is not None):
        return None
    tx.execute(delete(RolePermission).where(RolePermission.role_id == role.id))
    for key in sorted(after):
        tx.add(RolePermission(role_id=role.id, permission=key))
    if role.organization_id is None:
        role.edited_at = tx.now
    return {"added": sorted(after - before), "removed": sorted(before - after)}


def remove(tx: Tx, access: Access, role: Role) -> None:
    """Delete a role of one's own, which needs all that it carries (`permission_not_held`). While somebody has it that
    is refused (`role_in_use`).
    """
    require_removable(tx, role)
    tx.lock("access:membership", "access:roles", "access:rules")
    held = holders(tx, role)
    if held:
        raise Conflict(
            f"The role {role.name} is held by {held} {'person' if held == 1 else 'people'}.",
            code="role_in_use",
            hint="Give them another role first.",
        )
    tx.execute(delete(RolePermission).where(RolePermission.role_id == role.id))
    tx.execute(delete(ObjectRule).where(ObjectRule.role == role.key))
    _note(tx, access, AccessAction.ROLE_DELETED, role)
    tx.session.delete(role)


def require_removable(tx: Tx, role: Role) -> None:
    """Raise as `remove` does where a role stays, whoever has it."""
    _own(role)
    _require_held(tx, permissions_of(tx, role))


def living(tx: Tx, keys: Collection[str], organization_id: int) -> set[str]:
    """Those of some keys that still name a role of the organization."""
    here = or_(Role.organization_id == organization_id, Role.organization_id.is_(None))
    found = tx.execute(select(Role.key).where(Role.key.in_(keys), here)).scalars()
    return {*found, *({grants.MEMBER} & set(keys))}


def _free(tx: Tx, name: str, family: str | None) -> None:
    if any(name.lower() == role.name.lower() for role in visible(tx, family)):
        raise Conflict(f"There is a role {name} already.", code="role_name_taken", hint="Choose another name.")


def _own(role: Role) -> None:
    if role.organization_id is None:
        raise Conflict(
            f"The role {role.name} is built in.",
            code="role_is_built_in",
            hint="Make a role of your own and change that.",
        )


def _known(permissions: Collection[str]) -> set[str]:
    unknown = sorted(set(permissions) - CATALOGUE.keys())
    if unknown:
        raise Invalid(
            f"There is no permission {several(unknown)}.",
            code="permission_unknown",
            hint="Look at the list of permissions.",
        )
    return set(permissions)


def _require_held(tx: Tx, wanted: Collection[str]) -> None:
    """Nobody makes a role out of permissions, or gives one that carries some, which they have not got themselves: who
    may look after roles would else be whatever roles can be. What a built-in role of theirs carried before it was
    changed they may give back, and who has the highest role of a family may give all of its surface: duties are kept
    apart there, so the highest role does not carry everything.
    """
    if wanted and tx.principal.kind != "system":
        refuse_lacking(set(wanted) - givable(tx))


def givable(tx: Tx) -> frozenset[str]:
    """Keys of the permissions that the caller may put into a role."""
    return frozenset(CATALOGUE) if tx.principal.kind == "system" else mine(tx) | _by_nature(tx)


def _by_nature(tx: Tx) -> set[str]:
    if tx.principal.scopes or tx.principal.organization_id is None:
        return set()
    held = set(grants.roles_of(tx, tx.principal.id, tx.principal.organization_id))
    families = {family for family, role in HIGHEST.items() if role in held}
    return {key for key, one in CATALOGUE.items() if held & one.roles or key.split(":")[0] in families}


def mine(tx: Tx, organization_id: int | None = None) -> frozenset[str]:
    """Keys of the permissions that the caller's credential has in the whole of an organization (default: the current
    one), as they are in this unit.
    """
    where = tx.principal.organization_id if organization_id is None else organization_id
    held = carried(tx, grants.roles_of(tx, tx.principal.id, where)) if where is not None else frozenset()
    return held & tx.principal.scopes if tx.principal.scopes else held


def require_given(tx: Tx, keys: Collection[str]) -> None:
    """Nobody gives or takes a role (its key) that carries permissions which they have not got, and no token of a
    program the highest role of a family: whoever finds one could else keep the place for good.
    Raises `Forbidden` (`permission_not_held`, `session_required`).
    """
    if tx.principal.by_token and set(keys) & set(HIGHEST.values()):
        raise Forbidden(
            "A token of a program gives and takes no highest role.",
            code="session_required",
            hint="Sign in, and do it with your session.",
        )
    _require_held(tx, carried(tx, keys))


def refuse_lacking(lacking: Collection[str]) -> None:
    if lacking:
        raise Forbidden(
            f"You cannot give or take {several(sorted(lacking))}, which you have not got.",
            code="permission_not_held",
            hint="Ask somebody who has these permissions.",
        )


def _note(tx: Tx, access: Access, action: audit.Action, role: Role, **detail: object) -> None:
    audit.record(tx, action, resource_type="role", resource_id=role.uid, detail={"name": role.name, **detail})
    events.append(
        tx,
        f"role:{role.uid}",
        str(action).replace(".", "-"),
        {"roleId": role.uid, "name": role.name},
        organization_id=tx.principal.organization_id,
    )
    access.note(tx)
