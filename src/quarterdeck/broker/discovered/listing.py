"""Lists of discovered secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, exists, func, select

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
    fitting = list(_fitting(tx, wanted))
    total = int(tx.execute(select(func.count()).select_from(DiscoveredSecret).where(*fitting)).scalar() or 0)
    limit = min(wanted.limit, MOST) if wanted.limit > 0 else DEFAULT
    order = (DiscoveredSecret.cluster_name, DiscoveredSecret.secret_ref, DiscoveredSecret.id)
    query = select(DiscoveredSecret).where(*fitting).order_by(*order).limit(limit).offset(max(0, wanted.offset))
    return list(tx.scalars(query)), total


def find(tx: Tx, uid: str) -> DiscoveredSecret:
    """One of the caller's organization. Raises `NotFound` (`secret_not_found`)."""
    here = (DiscoveredSecret.organization_id == tx.principal.acts_in, DiscoveredSecret.uid == uid)
    found = tx.first(select(DiscoveredSecret).where(*here))
    if found is None:
        raise NotFound("There is no such secret.", code="secret_not_found", hint="List the secrets.")
    return found


def _fitting(tx: Tx, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield DiscoveredSecret.organization_id == tx.principal.acts_in
    if wanted.cluster is not None:
        yield DiscoveredSecret.cluster_name == wanted.cluster
    if wanted.provider is not None:
        yield DiscoveredSecret.provider_type == wanted.provider
    if wanted.status is not None:
        yield DiscoveredSecret.status == wanted.status
    if wanted.ref_prefix:
        # Not LIKE, where `%` and `_` mean something, and which does not tell capitals apart on SQLite.
        yield func.substr(DiscoveredSecret.secret_ref, 1, len(wanted.ref_prefix)) == wanted.ref_prefix
    for key, value in wanted.labels.items():
        label = (SecretLabel.secret_id == DiscoveredSecret.id, SecretLabel.key == key, SecretLabel.value == value)
        yield exists().where(*label)
