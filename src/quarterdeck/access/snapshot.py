"""All grants and rules as they are decided by, read once and kept until a change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, select

from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.access.model import Grant, ObjectRule, Role, RolePermission
from quarterdeck.access.places import Part, part
from quarterdeck.kernel.db import Tx

User = tuple[int, int]
"""Ids of a user and an organization."""


@dataclass(frozen=True, slots=True)
class Rule:
    """That those who have a role may use a permission on one object, or may not."""

    role: str
    permission: str
    allows: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What everybody has been given, what each role permits, and the rules of objects.

    `held` are the roles in a whole organization, `parts` those in parts of it; `granting` maps a permission to the keys
    of the roles that carry it; `names` a role's key to what people call it, and to the organization whose own it is;
    `places` a user to the organizations that they belong to, by a narrowed grant too; `rules` an object (organization
    id, kind, name) to its rules.
    """

    held: Mapping[User, frozenset[str]] = field(default_factory=dict)
    parts: Mapping[User, tuple[Part, ...]] = field(default_factory=dict)
    granting: Mapping[str, frozenset[str]] = field(default_factory=dict)
    names: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    places: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    rules: Mapping[tuple[int, str, str], tuple[Rule, ...]] = field(default_factory=dict)


def compiled(tx: Tx) -> Snapshot:
    granting, names = carried(tx)
    return replace(_given(tx), granting=granting, names=names, rules=_rules(tx))


def carried(tx: Tx) -> tuple[dict[str, frozenset[str]], dict[str, tuple[str, int | None]]]:
    """What every role permits, and how it is called: `Snapshot.granting` and `Snapshot.names`."""
    changed: dict[str, set[str]] = {}
    names: dict[str, tuple[str, int | None]] = {}
    for row in tx.execute(select(Role.key, Role.name, Role.organization_id, Role.edited_at)):
        names[row.key] = row.name, row.organization_id
        if row.organization_id is not None or row.edited_at is not None:
            changed[row.key] = set()
    added = select(Role.key, RolePermission.permission).join(Role, Role.id == RolePermission.role_id)
    for row in tx.execute(added):
        if row.key in changed:
            changed[row.key].add(row.permission)
    granting = {
        key: frozenset((permission.roles - changed.keys()) | {role for role, own in changed.items() if key in own})
        for key, permission in CATALOGUE.items()
    }
    return granting, names


def renewed(tx: Tx, known: Snapshot, users: frozenset[int]) -> Snapshot:
    """A snapshot that was right but for the grants of some users."""
    now = _given(tx, Grant.user_id.in_(users))
    return replace(
        known,
        held={**{key: roles for key, roles in known.held.items() if key[0] not in users}, **now.held},
        parts={**{key: parts for key, parts in known.parts.items() if key[0] not in users}, **now.parts},
        places={**{user_id: found for user_id, found in known.places.items() if user_id not in users}, **now.places},
    )


def _given(tx: Tx, *where: ColumnElement[bool]) -> Snapshot:
    held: defaultdict[User, set[str]] = defaultdict(set)
    parts: defaultdict[User, list[Part]] = defaultdict(list)
    places: defaultdict[int, set[int]] = defaultdict(set)
    columns = (Grant.user_id, Grant.organization_id, Grant.role, Grant.project_id, Grant.scope)
    for user_id, organization_id, role, project_id, scope in tx.execute(select(*columns).where(*where)).all():
        places[user_id].add(organization_id)
        if project_id == 0 and not scope:
            held[user_id, organization_id].add(role)
        else:
            parts[user_id, organization_id].append(part(role, project_id, scope))
    return Snapshot(
        held={key: frozenset(roles) for key, roles in held.items()},
        parts={key: tuple(some) for key, some in parts.items()},
        places={user_id: tuple(sorted(found)) for user_id, found in places.items()},
    )


def _rules(tx: Tx) -> dict[tuple[int, str, str], tuple[Rule, ...]]:
    found: defaultdict[tuple[int, str, str], list[Rule]] = defaultdict(list)
    of = ObjectRule
    columns = (of.organization_id, of.kind, of.ref, of.role, of.permission, of.allows)
    for organization_id, kind, ref, role, permission, allows in tx.execute(select(*columns)).all():
        found[organization_id, kind, ref].append(Rule(role, permission, allows))
    return {key: tuple(some) for key, some in found.items()}
