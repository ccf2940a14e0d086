"""Keeping what an agent has found: names and labels of secrets, never their values (contract: broker §8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from quarterdeck.broker.connections.configuration import CREDENTIALS
from quarterdeck.broker.discovered.actions import DiscoveryAction
from quarterdeck.broker.discovered.model import DiscoveredSecret, SecretLabel
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid
from quarterdeck.kernel.text import one_line, shown

PRESENT, MISSING = "present", "missing"
MOST_ITEMS, MOST_LABELS = 1000, 64
LONGEST_REF, LONGEST_LABEL, LONGEST_LABEL_VALUE, LONGEST_WORD = 1000, 200, 500, 200
VALUES = re.compile(r"^(values?|data|string_?data|secret_?string|secret_?binary|plaintext|payload)$", re.IGNORECASE)
"""Words of an item that would hold a value: such an item is refused, so that no agent's mistake is kept."""


@dataclass(frozen=True, slots=True)
class Found:
    """One secret as an agent tells it. Times are those of where it is kept."""

    secret_ref: str
    labels: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    checksum: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


def check_words(position: int, words: Sequence[str]) -> None:
    """Raises `Invalid` (`value_refused`) for an item that has a word for values, or one that nobody knows."""
    known = {"secret_ref", "labels", "version", "checksum", "created_at_source", "updated_at_source"}
    for word in words:
        if VALUES.match(word):
            raise Invalid(
                f"items[{position}] has a field {word[:40]!r}, which looks like a value. Nothing was kept.",
                code="value_refused",
                hint="Send names and labels alone.",
                field=f"items[{position}].{word[:40]}",
            )
        if word not in known:
            raise Invalid(
                f"items[{position}] has an unknown field {word[:40]!r}.",
                code="validation_error",
                hint=f"Known are {', '.join(sorted(known))}.",
                field=f"items[{position}].{word[:40]}",
            )


def upsert(
    tx: Tx,
    organization_id: int,
    cluster: str,
    provider_type: str,
    config: Mapping[str, Any],
    items: Sequence[Found],
    *,
    cluster_of_agent: str | None = None,
) -> list[str]:
    """Keep all of them, or none. Answers their uids in the order of `items`.

    Raises `Invalid` (`items_too_many`, `secret_ref_missing`, …) and `Forbidden` (`cluster_foreign`) for an agent whose
    scope names another cluster.
    """
    named = one_line(cluster, "cluster_name", LONGEST_WORD)
    kind = one_line(provider_type, "provider_type", 40)
    if cluster_of_agent is not None and cluster_of_agent != named:
        raise Forbidden(
            f"This agent tells of the cluster {cluster_of_agent[:60]!r} alone.",
            code="cluster_foreign",
            hint="Give it the cluster that is in its scope.",
        )
    if len(items) > MOST_ITEMS:
        raise Invalid(f"More than {MOST_ITEMS} secrets at once.", code="items_too_many", hint="Send them in parts.")
    kept = {word: value for word, value in config.items() if not CREDENTIALS.search(word)}
    checked = [_checked(position, one) for position, one in enumerate(items)]
    there = _there(tx, organization_id, named, kind, [one.secret_ref for one in checked])
    uids = []
    for one in checked:
        row = there.get(one.secret_ref)
        if row is None:
            row = there[one.secret_ref] = DiscoveredSecret(
                uid=tx.ids.uid(),
                organization_id=organization_id,
                cluster_name=named,
                provider_type=kind,
                secret_ref=one.secret_ref,
                first_seen_at=tx.now,
            )
            tx.session.add(row)
        _renew(row, one, kept, tx.now)
        uids.append(row.uid)
    tx.flush()
    _label(tx, list(there.values()))
    if checked:
        _told(tx, organization_id, named, kind, len(checked))
    return uids


def _checked(position: int, one: Found) -> Found:
    if not one.secret_ref.strip():
        raise Invalid(
            f"items[{position}] names no secret.", code="secret_ref_missing", field=f"items[{position}].secret_ref"
        )
    one_line(one.secret_ref, f"items[{position}].secret_ref", LONGEST_REF)
    if len(one.labels) > MOST_LABELS:
        raise Invalid(f"items[{position}] has more than {MOST_LABELS} labels.", code="labels_too_many")
    for key, value in one.labels.items():
        one_line(key, f"items[{position}].labels", LONGEST_LABEL)
        one_line(value, f"items[{position}].labels", LONGEST_LABEL_VALUE, empty=True)
    return one


def _there(
    tx: Tx, organization_id: int, cluster: str, provider_type: str, refs: Sequence[str]
) -> dict[str, DiscoveredSecret]:
    tx.lock(f"broker-secrets:{organization_id}:{cluster}:{provider_type}")
    query = select(DiscoveredSecret).where(
        DiscoveredSecret.organization_id == organization_id,
        DiscoveredSecret.cluster_name == cluster,
        DiscoveredSecret.provider_type == provider_type,
        DiscoveredSecret.secret_ref.in_(refs),
    )
    return {one.secret_ref: one for one in tx.scalars(query)}


def _renew(row: DiscoveredSecret, one: Found, config: Mapping[str, Any], now: datetime) -> None:
    row.provider_config = dict(config)
    row.labels = dict(one.labels)
    row.version = shown(one.version, LONGEST_WORD) if one.version else None
    row.checksum = shown(one.checksum, LONGEST_WORD) if one.checksum else None
    row.created_at_source = one.created_at or row.created_at_source
    row.updated_at_source = one.updated_at or row.updated_at_source
    row.status = PRESENT
    row.last_seen_at = now


def _label(tx: Tx, rows: Sequence[DiscoveredSecret]) -> None:
    if not rows:
        return
    tx.execute(delete(SecretLabel).where(SecretLabel.secret_id.in_([row.id for row in rows])))
    pairs = [
        {"secret_id": row.id, "key": key, "value": str(value)} for row in rows for key, value in row.labels.items()
    ]
    if pairs:
        tx.execute(insert(SecretLabel).values(pairs) if len(pairs) == 1 else insert(SecretLabel), pairs)


def _told(tx: Tx, organization_id: int, cluster: str, provider_type: str, count: int) -> None:
    detail = {"provider_type": provider_type, "count": count}
    audit.record(
        tx,
        DiscoveryAction.UPSERT,
        resource_type="cluster",
        resource_id=cluster,
        organization_id=organization_id,
        detail=detail,
    )
    events.append(
        tx, f"secret-cluster:{organization_id}:{cluster}", "secrets-discovered", detail, organization_id=organization_id
    )
