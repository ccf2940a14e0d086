"""Lists of specs, and the search among them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import load_only

from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.brief import BRIEF, HAS_DRIFTED
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.zones import zones
from quarterdeck.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Filter:
    """`zone` is a uid; `words` stand in the name, the region or the provider."""

    zone: str | None = None
    status: str | None = None
    environment_stage: str | None = None
    words: str | None = None


def page(tx: Tx, asked: Filter, limit: int, before: str | None = None) -> tuple[list[Spec], bool]:
    """Specs of the current organization, newest first, behind that of the uid `before`; and whether there are more.
    Raises `NotFound` for a zone or a spec that there is not.
    """
    query = select(Spec).options(BRIEF).where(*_where(tx, asked))
    if before:
        query = query.where(Spec.id < specs.find(tx, before).id)
    found = list(tx.scalars(query.order_by(Spec.id.desc()).limit(limit + 1)))
    return found[:limit], len(found) > limit


def search(tx: Tx, words: str, limit: int) -> list[Spec]:
    """Those whose name, region or provider has the words, newest first; every sign stands for itself."""
    return page(tx, Filter(words=words), limit)[0]


def left_behind(tx: Tx, most: int) -> list[Spec]:
    """Those of the caller's organization that may have left resources which no state knows, changed last first."""
    here = (Spec.organization_id == tx.principal.acts_in, Spec.orphan_risk.is_not(None))
    query = select(Spec).options(BRIEF, load_only(Spec.orphan_risk)).where(*here)
    return list(tx.scalars(query.order_by(Spec.updated_at.desc()).limit(most)))


def drifted(tx: Tx, most: int) -> list[Spec]:
    """Those of the caller's organization that somebody else has changed, by the last look; looked at last first."""
    here = (Spec.organization_id == tx.principal.acts_in, HAS_DRIFTED.is_(True))
    query = select(Spec).options(BRIEF, load_only(Spec.drift, Spec.drift_checked_at)).where(*here)
    return list(tx.scalars(query.order_by(Spec.drift_checked_at.desc()).limit(most)))


def of_identity(tx: Tx, identity_id: int, most: int) -> list[Spec]:
    """The newest that a cloud identity is chosen for."""
    theirs = select(Spec).where(Spec.cloud_identity_id == identity_id)
    return list(tx.scalars(theirs.order_by(Spec.id.desc()).limit(most)))


def _where(tx: Tx, asked: Filter) -> list[ColumnElement[bool]]:
    here: list[ColumnElement[bool]] = [Spec.organization_id == tx.principal.acts_in]
    if asked.zone:
        here.append(Spec.zone_id == zones.find(tx, asked.zone).id)
    if asked.status:
        here.append(Spec.status == asked.status)
    if asked.environment_stage:
        here.append(Spec.environment_stage == asked.environment_stage)
    if asked.words and asked.words.strip():
        said = (Spec.project_name, Spec.region, Spec.provider)
        here.append(or_(*(column.icontains(asked.words.strip(), autoescape=True) for column in said)))
    return here
