"""Every document that a spec had, numbered from 1."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.infra.specs.model import Spec, SpecVersion
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound


def keep(tx: Tx, spec: Spec, comment: str | None = None) -> SpecVersion:
    """Keep the document that the spec has now as its newest version."""
    return tx.add(
        SpecVersion(
            uid=tx.ids.uid(),
            spec_id=spec.id,
            number=spec.version,
            document=spec.document,
            configuration_hash=spec.configuration_hash,
            author_id=tx.principal.id,
            comment=comment or None,
            created_at=tx.now,
        )
    )


def page(tx: Tx, spec: Spec, limit: int, before: int | None = None) -> tuple[list[SpecVersion], bool]:
    """Newest first, below the number `before`; and whether there are more."""
    query = select(SpecVersion).where(SpecVersion.spec_id == spec.id)
    if before is not None:
        query = query.where(SpecVersion.number < before)
    found = list(tx.scalars(query.order_by(SpecVersion.number.desc()).limit(limit + 1)))
    return found[:limit], len(found) > limit


def show(tx: Tx, spec: Spec, number: int) -> SpecVersion:
    """Raises `NotFound` (`spec_version_not_found`)."""
    query = select(SpecVersion).where(SpecVersion.spec_id == spec.id, SpecVersion.number == number)
    found = tx.first(query) if 0 < number < 2**31 else None
    if found is None:
        raise NotFound(
            f"{spec.project_name} has no version {number}, or none any more.",
            code="spec_version_not_found",
            hint=f"The newest is {spec.version}; list the versions that are kept.",
        )
    return found


def ever_of_repository(tx: Tx, spec: Spec) -> bool:
    """Whether the Terraform of any version that is kept came out of a repository."""
    query = select(SpecVersion.id).where(
        SpecVersion.spec_id == spec.id, SpecVersion.document["module"]["kind"].as_string() == "git"
    )
    return tx.first(query.limit(1)) is not None
