"""Rules of one object: who may, or may not, do something with it, whatever their roles carry elsewhere.

The rooms that keep such objects (services, inventory) call this; each says what its own words stand for.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select

from quarterdeck.access import roles
from quarterdeck.access.actions import AccessAction
from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.access.decide import Access
from quarterdeck.access.model import ObjectRule
from quarterdeck.access.places import Thing
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound

LONGEST = 200


def listed(tx: Tx, thing: Thing) -> list[ObjectRule]:
    """Rules of an object of the caller's organization, in the order in which they were made."""
    return list(tx.scalars(select(ObjectRule).where(*_of(tx, thing)).order_by(ObjectRule.id)))


def add(tx: Tx, access: Access, thing: Thing, role: str, permission: str, *, allows: bool) -> ObjectRule:
    """Add one; the same again changes nothing. Whoever calls has asked whether the caller looks after the object.

    Raises `NotFound` (`role_not_found`), `Invalid` (`permission_unknown`), and `Forbidden` (`permission_not_held`) for
    a rule that allows what the caller has not got.
    """
    tx.lock("access:rules")
    if permission not in CATALOGUE:
        raise Invalid(
            f"There is no permission {permission[:LONGEST]}.",
            code="permission_unknown",
            hint="Look at the list of permissions.",
            field="permission",
        )
    assert tx.principal.organization_id is not None  # noqa: S101 - objects belong to one
    if role not in roles.living(tx, [role], tx.principal.organization_id):
        raise NotFound(f"There is no role {role[:80]}.", code="role_not_found", hint="Look at the list of roles.")
    if allows and permission not in roles.givable(tx):
        roles.refuse_lacking({permission})
    found = (ObjectRule.role == role, ObjectRule.permission == permission, ObjectRule.allows.is_(allows))
    there = tx.first(select(ObjectRule).where(*_of(tx, thing), *found))
    if there is not None:
        return there
    made = tx.add(
        ObjectRule(
            uid=tx.ids.uid(),
            organization_id=tx.principal.organization_id,
            kind=thing.kind,
            ref=thing.ref,
            role=role,
            permission=permission,
            allows=allows,
            created_by=tx.principal.id if tx.principal.kind == "user" else None,
            created_at=tx.now,
        )
    )
    tx.flush()
    _note(tx, access, AccessAction.RULE_ADDED, made)
    return made


def remove(tx: Tx, access: Access, thing: Thing, uid: str) -> None:
    """Take one away. Raises `NotFound` (`rule_not_found`)."""
    tx.lock("access:rules")
    found = tx.first(select(ObjectRule).where(*_of(tx, thing), ObjectRule.uid == uid))
    if found is None:
        raise NotFound(
            f"{thing} has no rule {uid[:80]}.", code="rule_not_found", hint="Look at the rules that it has now."
        )
    _note(tx, access, AccessAction.RULE_REMOVED, found)
    tx.session.delete(found)


def forget(tx: Tx, access: Access, thing: Thing) -> None:
    """Drop all rules of an object that is deleted: its deletion is what is audited."""
    tx.execute(delete(ObjectRule).where(*_of(tx, thing)))
    access.note(tx)


def _of(tx: Tx, thing: Thing) -> tuple[ColumnElement[bool], ...]:
    here = ObjectRule.organization_id == tx.principal.organization_id
    return here, ObjectRule.kind == thing.kind, ObjectRule.ref == thing.ref


def _note(tx: Tx, access: Access, action: AccessAction, rule: ObjectRule) -> None:
    effect = "allow" if rule.allows else "deny"
    detail = {"object": f"{rule.kind}/{rule.ref}", "role": rule.role, "permission": rule.permission, "effect": effect}
    audit.record(tx, action, resource_type="access-rule", resource_id=rule.uid, detail=detail)
    access.note(tx)
