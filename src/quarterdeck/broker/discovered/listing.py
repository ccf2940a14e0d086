"""Lists of discovered secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, exists, func, select

from quarterdeck.broker.discovered.model import DiscoveredSecret, SecretLabel
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound

DEFAULT, MOST = 100, 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Every filter is exact, `ref_prefix` a plain beginning; all labels have to fit."""

    cluster: str | None = None
    provider: str | None = None
    ref_prefix: str | None = None
    status: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    limit: int = DEFAULT
    offset: int = 0


def page(tx: Tx, wanted: Wanted) -> tuple[Sequence[DiscoveredSecret], int]:
    """A part of the list, by cluster and reference, and how many there are in all."""
    total = int(tx.execute(_filtered(select(func.count()).select_from(DiscoveredSecret), tx, wanted)).scalar() or 0)
    limit = min(wanted.limit, MOST) if wanted.limit > 0 else DEFAULT
    query = _filtered(select(DiscoveredSecret), tx, wanted)
    ordered = query.order_by(
        DiscoveredSecret.cluster_name, DiscoveredSecret.provider_type, DiscoveredSecret.secret_ref
    )
    return list(tx.scalars(ordered.limit(limit).offset(max(0, wanted.offset)))), total


def find(tx: Tx, uid: str) -> DiscoveredSecret:
    """One of the caller's organization. Raises `NotFound` (`secret_not_found`)."""
    here = (DiscoveredSecret.organization_id == tx.principal.acts_in, DiscoveredSecret.uid == uid)
    found = tx.first(select(DiscoveredSecret).where(*here))
    if found is None:
        raise NotFound("There is no such secret.", code="secret_not_found", hint="List the secrets.")
    return found


def _filtered(query: Select[tuple[int]] | Select[DiscoveredSecret], tx: Tx, wanted: Wanted) -> Select[tuple[int]]:
    query = query.where(DiscoveredSecret.organization_id == tx.principal.acts_in)
    if wanted.cluster is not None:
        query = query.where(DiscoveredSecret.cluster_name == wanted.cluster)
    if wanted.provider is not None:
        query = query.where(DiscoveredSecret.provider_type == wanted.provider)
    if wanted.status is not None:
        query = query.where(DiscoveredSecret.status == wanted.status)
    if wanted.ref_prefix:
        # Not LIKE, where `%` and `_` mean something, and which does not tell capitals apart on SQLite.
        query = query.where(func.substr(DiscoveredSecret.secret_ref, 1, len(wanted.ref_prefix)) == wanted.ref_prefix)
    for key, value in wanted.labels.items():
        label = (SecretLabel.secret_id == DiscoveredSecret.id, SecretLabel.key == key, SecretLabel.value == value)
        query = query.where(exists().where(*label))
    return query  # type: ignore[return-value]
