"""Specifications by their names."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound


def find(tx: Tx, uid: str) -> Spec:
    """A specification of the caller's current organization. Raises `NotFound`."""
    here = (Spec.organization_id == tx.principal.acts_in, Spec.uid == uid.lower())
    spec = tx.first(select(Spec).where(*here))
    if spec is None:
        raise NotFound("Configuration not found", code="spec_not_found", hint="List those that you may see.")
    return spec


def locked(tx: Tx, spec_id: int) -> Spec | None:
    """The specification alone, read again, and held until the unit ends."""
    return tx.session.get(Spec, spec_id, with_for_update=tx.dialect == "postgresql" or None, populate_existing=True)
