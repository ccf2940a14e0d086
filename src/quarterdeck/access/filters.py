"""The decision as a condition of SQL, so that a list holds what somebody may see and its pages are full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, true

from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.access.decide import EXCLUSIVE, Access, highest
from quarterdeck.access.model import ObjectRule
from quarterdeck.access.places import NARROWING, PREFIXES, Part, Place
from quarterdeck.kernel.principal import Principal

Column = Any  # what SQLAlchemy takes as one: a mapped attribute or an expression


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a table says what `Place` says of one row: `about` maps facts to columns; `kind` and `ref` name the object
    that the row is, whose rules count.
    """

    organization_id: Column
    project_id: Column | None = None
    about: Mapping[str, Column] = field(default_factory=dict)
    kind: str | None = None
    ref: Column | None = None


def visible(
    access: Access, principal: Principal, permission: str, columns: Columns, organization_id: int | None = None
) -> ColumnElement[bool]:
    """Rows of the organization (default: the caller's current one) for whose place `access.decide` says yes.
    The snapshot has to be there (`access.ready`, `access.load`).
    """
    where = organization_id if organization_id is not None else principal.organization_id
    here: ColumnElement[bool] = columns.organization_id == where if where is not None else true()
    if principal.kind != "user":
        return here if access.decide(principal, permission, Place(where)).allowed else false()
    if permission not in CATALOGUE or where is None or (principal.scopes and permission not in principal.scopes):
        return false()
    whole = access.roles(principal.id, where)
    parts = [(part, _covers(part, columns)) for part in access.parts(principal.id, where)]
    carrying = access.carrying(permission)
    by_roles = or_(true() if whole & carrying else false(), *(fits for part, fits in parts if part.role in carrying))
    kind, ref = columns.kind, columns.ref
    if kind is None or ref is None:
        return and_(here, by_roles)

    def ruled(*, allows: bool) -> ColumnElement[bool]:
        def named(roles: frozenset[str]) -> ColumnElement[bool]:
            rule = ObjectRule
            fitting = (rule.organization_id == where, rule.kind == kind, rule.allows.is_(allows))
            about = (rule.permission == permission, rule.role.in_(sorted(roles)))
            among: ColumnElement[bool] = ref.in_(select(rule.ref).where(*fitting, *about))
            return among

        return or_(named(whole), *(and_(fits, named(frozenset({part.role}))) for part, fits in parts))

    first = highest(permission)
    unbound = or_(true() if first in whole else false(), *(fits for part, fits in parts if part.role == first))
    left: ColumnElement[bool] = by_roles
    if kind in EXCLUSIVE:
        opened = (ObjectRule.organization_id == where, ObjectRule.kind == kind, ObjectRule.allows.is_(True))
        left = and_(by_roles, ref.not_in(select(ObjectRule.ref).where(*opened)))
    bound = and_(not_(ruled(allows=False)), or_(ruled(allows=True), left))
    return and_(here, or_(and_(unbound, by_roles), and_(not_(unbound), bound)))


def _covers(part: Part, columns: Columns) -> ColumnElement[bool]:
    return and_(true(), *_fitting(part, columns))


def _fitting(part: Part, columns: Columns) -> Iterator[ColumnElement[bool]]:
    """As `Part.covers`: a word for which the table has no column covers nothing."""
    if part.project_id:
        yield columns.project_id == part.project_id if columns.project_id is not None else false()
    for word, value in part.scope:
        column = columns.about.get(NARROWING.get(word, ""))
        if column is None:
            yield false()
        elif word in PREFIXES:
            # Not LIKE, which does not tell capitals apart on SQLite.
            yield func.substr(column, 1, len(value)) == value
        else:
            yield column == value
