"""The clusters that specs declare, or have made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel.db import Tx

BATCH, BATCHES = 200, 25
"""Specs that are looked at for one page: 5,000."""
BEFORE = {"PROVISIONING": "CREATING", "DESTROYING": "DESTROYING", "DESTROYED": "DESTROYED", "FAILED": "FAILED"}
"""The status of a cluster that no apply has told of yet, by that of its spec."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """`declared` is the section of the document, `told` what the last apply said of it."""

    spec: Spec
    declared: dict[str, Any]
    told: dict[str, Any]

    @property
    def status(self) -> str:
        if self.spec.status in {"DESTROYING", "DESTROYED"} or not self.told:
            return BEFORE.get(self.spec.status, "PENDING")
        return str(self.told.get("status") or "ACTIVE")


def page(tx: Tx, limit: int, before: str | None = None) -> tuple[list[Cluster], bool]:
    """Clusters of the organization, those of the newest specs first, behind that of the spec's uid `before`; and
    whether there are more. Raises `NotFound` (`spec_not_found`).
    """
    found: list[Cluster] = []
    for spec in _specs(tx, specs.find(tx, before).id if before else None):
        cluster = _cluster(spec)
        if cluster is not None:
            found.append(cluster)
            if len(found) > limit:
                break
    return found[:limit], len(found) > limit


def _specs(tx: Tx, before: int | None) -> Iterator[Spec]:
    for _ in range(BATCHES):
        query = select(Spec).where(Spec.organization_id == tx.principal.acts_in)
        query = query.where(Spec.id < before) if before else query
        rows = list(tx.scalars(query.order_by(Spec.id.desc()).limit(BATCH)))
        yield from rows
        if len(rows) < BATCH:
            return
        before = rows[-1].id


def _cluster(spec: Spec) -> Cluster | None:
    """A template of a cloud makes one; what a module of a repository makes is known once it has told of it."""
    said, told = spec.document.get("cluster"), spec.components.get("cluster")
    declares = spec.module.get("kind") == "bundled" and spec.provider != "local" and bool(said)
    if not declares and not told:
        return None
    return Cluster(spec, said if isinstance(said, dict) else {}, told if isinstance(told, dict) else {})
