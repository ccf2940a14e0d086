"""Roles of people one by one, each in the whole organization or narrowed by a scope (contract: broker §6.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import aliased

from quarterdeck.access import Access, grants, roles
from quarterdeck.access.actions import AccessAction
from quarterdeck.access.model import Grant, Role
from quarterdeck.access.places import NARROWING
from quarterdeck.identity import accounts, members
from quarterdeck.identity.model import User
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid, NotFound

LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Assignment:
    """All ids are uids. An empty `scope` is the whole organization; `granted_by` is None where nobody did."""

    id: str
    user_id: str
    role_id: str
    scope: Mapping[str, str]
    granted_by: str | None
    granted_at: datetime


def listed(tx: Tx, family: str, user: User | None = None) -> list[Assignment]:
    """Assignments of a family's roles and of custom ones in the organization, by person and then by time."""
    asked = _visible(tx, family)
    if user is not None:
        asked = asked.where(Grant.user_id == user.id)
    found = [_assignment(row) for row in tx.execute(asked)]
    return sorted(found, key=lambda one: (one.user_id, one.granted_at, one.id))


def give(
    tx: Tx,
    access: Access,
    family: str,
    user_id: str,
    role_id: str,
    scope: Mapping[str, Any] | None = None,
    granted_by: str | None = None,
) -> Assignment:
    """Give somebody a role; the same again is a success and changes nothing.

    Raises `Invalid` for a user or role that there is not (`user_unknown`, `role_unknown`) and for a scope that is none
    (`scope_malformed`: a word that nobody knows would otherwise grant everything), `Forbidden` for another giver than
    the caller (`identity_mismatch`) and as `roles.require_given` does.
    """
    narrowed = _narrowed(scope or {})
    tx.lock("access:membership")  # before the role is looked for: it may be on its way out
    if granted_by is not None and granted_by.lower() != tx.principal.uid:
        raise Forbidden(
            "Roles are given in one's own name: granted_by is somebody else.",
            code="identity_mismatch",
            hint="Leave granted_by out.",
        )
    try:
        user = accounts.find(tx, uid=user_id)
    except NotFound as missing:
        raise Invalid(missing.message, code="user_unknown", hint=missing.hint, field="user_id") from None
    organization_id = tx.principal.acts_in
    if not grants.belongs(tx, user.id, organization_id):
        raise Invalid(
            f"{user.username} has not accepted the invitation yet.",
            code="user_unknown",
            hint="Give the role when they have come.",
            field="user_id",
        )
    try:
        role = roles.find(tx, family, uid=role_id)
    except NotFound as missing:
        raise Invalid(missing.message, code="role_unknown", hint=missing.hint, field="role_id") from None
    roles.require_given(tx, [role.key])
    held = (Grant.role == role.key, Grant.user_id == user.id, Grant.scope == narrowed, Grant.project_id == 0)
    row = tx.execute(_visible(tx, family).where(*held)).first()
    if row is None:
        grant = grants.give(tx, access, user.id, organization_id, role.key, scope=narrowed)
        tx.flush()
        _note(tx, AccessAction.GRANTED, grant.uid, role=role.name, userId=user.uid, scope=narrowed)
        row = tx.execute(_visible(tx, family).where(Grant.id == grant.id)).one()
    return _assignment(row)


def take(tx: Tx, access: Access, family: str, uid: str) -> None:
    """Take what was given. Raises `NotFound` (`assignment_not_found`), `Conflict` (`last_administrator`) and as
    `roles.require_given` does.
    """
    tx.lock("access:membership")
    row = tx.execute(_visible(tx, family).where(Grant.uid == uid)).first()
    if row is None:
        raise NotFound(
            f"There is no assignment {uid}.", code="assignment_not_found", hint="Look at the list of assignments."
        )
    roles.require_given(tx, [row.role])
    user, organization_id = tx.get(User, row.user_id), tx.principal.acts_in
    assert user is not None  # noqa: S101 - joined above
    if not row.scope:
        members.keep_one(tx, user, organization_id, row.role)
    _take(tx, access, row, user, organization_id)


def remove_role(tx: Tx, access: Access, role: Role, family: str) -> None:
    """Delete a role of one's own, and take it from everybody who has it; they stay members. Raises as `roles.remove`
    does.
    """
    roles.require_removable(tx, role)
    tx.lock("access:membership", "access:roles")
    organization_id = tx.principal.acts_in
    for row in tx.execute(_visible(tx, family).where(Grant.role == role.key).order_by(Grant.id)).all():
        user = tx.get(User, row.user_id)
        assert user is not None  # noqa: S101 - joined above
        _take(tx, access, row, user, organization_id)
    roles.remove(tx, access, role)


def _take(tx: Tx, access: Access, row: Any, user: User, organization_id: int) -> None:
    joined = members.since(tx, user, organization_id)
    tx.execute(delete(Grant).where(Grant.id == row.id))
    grants.keep_member(tx, access, user.id, organization_id, since=joined)
    _note(tx, AccessAction.TAKEN, row.uid, role=row.role_name, userId=row.user_uid, scope=row.scope)
    access.note(tx)


def _visible(tx: Tx, family: str) -> Select[int, str, int, str, str, datetime, str, str, str, str]:
    giver = aliased(User)
    return (
        select(
            Grant.id,
            Grant.uid,
            Grant.user_id,
            Grant.role,
            Grant.scope,
            Grant.created_at,
            User.uid.label("user_uid"),
            Role.uid.label("role_uid"),
            Role.name.label("role_name"),
            giver.uid.label("giver_uid"),
        )
        .join(User, User.id == Grant.user_id)
        .join(Role, Role.key == Grant.role)
        .outerjoin(giver, giver.id == Grant.granted_by)
        .where(
            Grant.organization_id == tx.principal.organization_id,
            Grant.project_id == 0,
            Role.family.in_((family, roles.CUSTOM)),
        )
    )


def _assignment(row: Any) -> Assignment:
    scope = json.loads(row.scope) if row.scope else {}
    return Assignment(row.uid, row.user_uid, row.role_uid, scope, row.giver_uid, row.created_at)


def _narrowed(scope: Mapping[str, Any]) -> str:
    for name, value in scope.items():
        if name not in NARROWING or not isinstance(value, str) or not value:
            raise Invalid(
                f"A scope cannot have {name[:40]!r} with that value.",
                code="scope_malformed",
                hint=f"A scope has texts under {', '.join(NARROWING)}; without any it is the whole organization.",
                field="scope",
            )
    text = json.dumps(scope, sort_keys=True, separators=(",", ":")) if scope else ""
    if len(text) > LONGEST:
        raise Invalid(
            f"A scope has at most {LONGEST} characters.",
            code="scope_malformed",
            hint="Use shorter ones.",
            field="scope",
        )
    return text


def _note(tx: Tx, action: AccessAction, uid: str, **detail: object) -> None:
    audit.record(tx, action, resource_type="grant", resource_id=uid, detail=detail)
    events.append(
        tx, f"grant:{uid}", str(action).replace(".", "-"), {"grantId": uid},
        organization_id=tx.principal.organization_id,
    )  # fmt: skip
