"""Roles and what they permit, who has which, and why: read for their pages, and changed by their forms."""

from __future__ import annotations

from typing import Any

from quarterdeck.access import CATALOGUE, roles
from quarterdeck.access.catalogue import FAMILIES
from quarterdeck.access.model import Role
from quarterdeck.console.domain.people import confirmed, label, member, number, place, ref_of
from quarterdeck.console.views.people import (
    PEOPLE,
    Grid,
    GridGroup,
    GridRow,
    HolderRow,
    Permitted,
    PermittedGroup,
    Refusal,
    RoleForm,
    RoleRow,
    RoleView,
    WhyView,
)
from quarterdeck.deploy import subjects
from quarterdeck.identity import granting, organizations, ranks
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.principal import Principal

UNFOLDED = 90
"""So many permissions are shown one by one; where there are more, group by group."""
COLUMNS = 6
"""So many of the organization's own roles stand in the grid beside those of the family."""


class Roles:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def roles(self, who: Principal) -> tuple[RoleRow, ...]:
        found: tuple[RoleRow, ...] = await self.instance.db.read(listed)
        return found

    async def grid(self, who: Principal, family: str, *, group: str, words: str) -> Grid:
        found: Grid = await self.instance.db.read(grid, family, group, words)
        return found

    async def role(self, who: Principal, ref: str, *, after: str, limit: int) -> RoleView:
        found: RoleView = await self.instance.db.read(view, ref, number(after), limit)
        return found

    async def permitted(self, who: Principal, chosen: frozenset[str]) -> tuple[PermittedGroup, ...]:
        found: tuple[PermittedGroup, ...] = await self.instance.db.read(permitted, chosen)
        return found

    async def create_role(self, who: Principal, form: RoleForm) -> str:
        def create(tx: Tx) -> str:
            made = roles.create(tx, self.instance.access, form.name, form.text or None, form.permissions, None)
            return made.uid

        made: str = await self.instance.db.write(create)
        return made

    async def change_role(self, who: Principal, ref: str, form: RoleForm) -> None:
        def change(tx: Tx) -> None:
            found = granting.role(tx, ref)
            if form.version != version(found):
                raise Conflict(
                    f"Somebody changed the role {found.name} while this form was open.",
                    code="role_changed",
                    hint="Look at what stands now. Saving again keeps yours.",
                )
            roles.change(
                tx, self.instance.access, found, None,
                name=form.name, description=form.text, permissions=form.permissions,
            )  # fmt: skip

        await self.instance.db.write(change)

    async def delete_role(self, who: Principal, ref: str, confirmation: str) -> None:
        def delete(tx: Tx) -> None:
            found = granting.role(tx, ref)
            confirmed(confirmation, found.name, "the name of this role")
            roles.remove(tx, self.instance.access, found)

        await self.instance.db.write(delete)

    async def give_role(self, who: Principal, ref: str, *, role: str, narrowed_by: str, value: str) -> None:
        def give(tx: Tx) -> None:
            user, wanted = member(tx, ref).user, granting.role(tx, role)
            if bool(narrowed_by) != bool(value):
                raise Invalid("A place has a kind and a name.", hint="Give both, or neither.", field="value")
            if value:
                granting.narrow(tx, self.instance.access, user, wanted, {narrowed_by: value})
            else:
                granting.give(tx, self.instance.access, user, wanted)

        await self.instance.db.write(give)

    async def take_role(self, who: Principal, ref: str, grant: str) -> None:
        await self.instance.db.write(
            lambda tx: granting.take_one(tx, self.instance.access, member(tx, ref).user, grant)
        )

    async def why(self, who: Principal, person: str, permission: str, where: str) -> WhyView:
        def read(tx: Tx) -> WhyView:
            user, place = granting.member(tx, person), subjects.place(tx, where)
            found = granting.explain(tx, self.instance.access, user, permission, place)
            return WhyView(
                name=found.user.display_name or found.user.username,
                href=f"{PEOPLE}/{ref_of(found.user)}",
                permission=permission,
                text=CATALOGUE[permission].description,
                allowed=found.allowed,
                reason=found.reason,
                remedy=found.remedy,
                held=found.held,
                by=found.by,
                carrying=found.carrying,
                could_give=found.could_give,
            )

        view_: WhyView = await self.instance.db.read(read)
        return view_

    async def refusal(self, who: Principal, permission: str) -> Refusal:
        access = self.instance.access
        await access.ready(self.instance.db)
        sees_people = access.decide(who, "deploy:organizations.list-members").allowed
        asks = access.decide(who, "access:read").allowed

        def read(tx: Tx) -> Refusal:
            known = CATALOGUE.get(permission)
            return Refusal(
                permission=permission,
                text=known.description if known else "",
                place=organizations.here(tx).name,
                carrying=tuple(label(one) for one in granting.all_roles(tx) if permission in access.carried(one.key)),
                could_give=granting.could_give(tx, access, permission) if sees_people else (),
                may_ask_why=asks,
            )

        found: Refusal = await self.instance.db.read(read)
        return found


def listed(tx: Tx) -> tuple[RoleRow, ...]:
    """Family by family, the highest role first; the organization's own at the end."""
    held = granting.holders(tx)
    return tuple(_row(tx, one, held) for one in sorted(granting.all_roles(tx), key=_order))


def _order(role: Role) -> tuple[int, int, str]:
    """Of the organization's roles by rank, else by what the catalogue gives them."""
    family = FAMILIES.index(role.family) if role.family in FAMILIES else len(FAMILIES)
    if role.family == ranks.FAMILY and role.name in organizations.RANK:
        return family, organizations.RANK.index(role.name), role.name
    given = sum(role.key in one.roles for one in CATALOGUE.values()) if role.organization_id is None else 0
    return family, -given, role.name.lower()


def _row(tx: Tx, role: Role, held: dict[str, tuple[int, int]]) -> RoleRow:
    people, narrowed = held.get(role.key, (0, 0))
    return RoleRow(
        ref=role.uid,
        key=role.key,
        name=role.name,
        family=role.family,
        text=role.description or "",
        people=people,
        narrowed=narrowed,
        permissions=len(roles.permissions_of(tx, role)),
        own=role.organization_id is not None,
    )


def family_of(permission: str) -> str:
    """The family whose roles a permission is of."""
    surface = permission.split(":", maxsplit=1)[0]
    return surface if surface in FAMILIES else ranks.FAMILY


def grid(tx: Tx, family: str, group: str, words: str) -> Grid:
    """Permissions of a family by its roles and the organization's own. Many are folded to their groups until a group or
    words are asked for.
    """
    held = granting.holders(tx)
    known = sorted(granting.all_roles(tx), key=_order)
    own = [one for one in known if one.organization_id is not None]
    shown = [*(one for one in known if one.family == family), *own[:COLUMNS]]
    carried = [frozenset(roles.permissions_of(tx, one)) for one in shown]
    of_family = [key for key in sorted(CATALOGUE) if family_of(key) == family]
    groups = sorted({CATALOGUE[key].group for key in of_family})
    wanted = [key for key in of_family if group in {"", CATALOGUE[key].group} and _said(key, words)]
    folded = not group and not words and len(wanted) > UNFOLDED
    return Grid(
        columns=tuple(_row(tx, one, held) for one in shown),
        parts=_folded(wanted, carried, family) if folded else _unfolded(wanted, carried),
        groups=tuple(groups),
        folded=folded,
        more=max(0, len(own) - COLUMNS),
    )


def _said(key: str, words: str) -> bool:
    told = f"{key} {CATALOGUE[key].description}".lower()
    return all(word in told for word in words.lower().split())


def _by_group(keys: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(CATALOGUE[key].group, []).append(key)
    return dict(sorted(found.items()))


def _unfolded(keys: list[str], carried: list[frozenset[str]]) -> tuple[GridGroup, ...]:
    return tuple(
        GridGroup(
            name,
            tuple(
                GridRow(CATALOGUE[key].description, key, tuple("yes" if key in has else "no" for has in carried))
                for key in inside
            ),
        )
        for name, inside in _by_group(keys).items()
    )


def _folded(keys: list[str], carried: list[frozenset[str]], family: str) -> tuple[GridGroup, ...]:
    rows = []
    for name, inside in _by_group(keys).items():
        counts = [len(has.intersection(inside)) for has in carried]
        cells = ("yes" if one == len(inside) else f"{one} of {len(inside)}" if one else "no" for one in counts)
        rows.append(GridRow(name, "", tuple(cells), f"/console/access/roles?family={family}&group={name}#grid"))
    return (GridGroup("", tuple(rows)),)


def view(tx: Tx, ref: str, after: int, limit: int) -> RoleView:
    found = granting.role(tx, ref)
    held = granting.held(tx, role=found, after=after, limit=limit + 1)
    chosen = frozenset(roles.permissions_of(tx, found))
    groups = permitted(tx, chosen)
    if found.organization_id is None:
        groups = tuple(
            PermittedGroup(one.name, tuple(each for each in one.permissions if each.on)) for one in groups if one.on
        )
    return RoleView(
        row=_row(tx, found, granting.holders(tx)),
        groups=groups,
        holders=tuple(
            HolderRow(one.user.display_name or one.user.username, f"{PEOPLE}/{ref_of(one.user)}", place(one), one.since)
            for one in held[:limit]
        ),
        following=str(held[limit - 1].number) if len(held) > limit else None,
        version=version(found),
    )


def version(role: Role) -> str:
    return role.updated_at.isoformat()


def permitted(tx: Tx, chosen: frozenset[str]) -> tuple[PermittedGroup, ...]:
    may = roles.givable(tx)
    order = sorted(CATALOGUE, key=lambda key: (FAMILIES.index(family_of(key)), CATALOGUE[key].group, key))
    found: dict[str, list[Permitted]] = {}
    for key in order:
        one = CATALOGUE[key]
        name = one.group if family_of(key) == ranks.FAMILY else f"{family_of(key)}: {one.group}"
        found.setdefault(name, []).append(Permitted(key, one.description, key in chosen, key in may))
    return tuple(PermittedGroup(name, tuple(inside)) for name, inside in found.items())
