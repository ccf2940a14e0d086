"""What was used, and how extensions were decided: said once, kept as it was said, without any effect of its own.

No provider of overlays or of route surfaces is built in, so that every decision is `skipped` and stops nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, select

from quarterdeck.access.model import Fact
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.retention import Category, register

Kind = Literal["usage-intent", "deployment-overlay", "route-surface"]
PREFIXES: Mapping[Kind, str] = {"usage-intent": "usg", "deployment-overlay": "ovl", "route-surface": "rsf"}
FILTERS = {
    "tenantId": "tenant",
    "accountId": "account",
    "capabilityKey": "capability",
    "operationKey": "operation",
    "source": "source",
    "surfaceKind": "surface",
}
"""What lists are narrowed by: the wire's name of it, and the column."""
TENANT = "tenant_instance"
LONGEST = 200
LARGEST = 16_384


class FactAction(audit.Action):
    USAGE_RECORDED = "usage-intent.recorded"
    OVERLAY_RECORDED = "deployment-overlay.recorded"
    ROUTE_SURFACE_RECORDED = "route-surface.recorded"


ACTIONS: Mapping[Kind, FactAction] = {
    "usage-intent": FactAction.USAGE_RECORDED,
    "deployment-overlay": FactAction.OVERLAY_RECORDED,
    "route-surface": FactAction.ROUTE_SURFACE_RECORDED,
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """`again`: it had been said under its key before, and nothing was written."""

    fact: Fact
    again: bool


def record(
    tx: Tx, kind: Kind, said: Mapping[str, Any], added: Mapping[str, Any] | None = None, *, key: str | None = None
) -> Recorded:
    """Keep a fact of the caller's organization, in the spelling of the wire; under a key only once. `added` is what we
    put to what was `said`, and makes no other fact of it. Raises `Conflict` for another fact under the same key, and
    `Invalid` for what is too long or too large.
    """
    body = {"tenantId": TENANT, **(added or {}), **said}
    _check(body)
    organization_id = tx.principal.organization_id
    assert organization_id is not None  # noqa: S101 - the surface has found it
    payload = _hash(said)
    if key is not None:
        tx.lock(f"idempotency:{kind}:{organization_id}:{_hash(key)}")
        known = tx.first(
            select(Fact).where(Fact.organization_id == organization_id, Fact.kind == kind, Fact.key_hash == _hash(key))
        )
        if known is not None:
            if known.payload_hash != payload:
                raise Conflict("Something else was recorded under this key.", hint="Use a new key for a new fact.")
            return Recorded(known, again=True)
    fact = tx.add(
        Fact(
            uid=tx.ids.uid(),
            ref=tx.ids.ref(PREFIXES[kind]),
            organization_id=organization_id,
            kind=kind,
            key_hash=None if key is None else _hash(key),
            payload_hash=payload,
            body=body,
            at=tx.now,
            **{column: body.get(name) for name, column in FILTERS.items()},
        )
    )
    audit.record(
        tx,
        ACTIONS[kind],
        resource_type=kind,
        resource_id=fact.ref,
        detail={name: body[name] for name in ("capabilityKey", "operationKey", "source") if name in body},
    )
    events.append(tx, f"{kind}:{fact.ref}", f"{kind}-recorded", {"id": fact.ref}, organization_id=organization_id)
    return Recorded(fact, again=False)


def newest(tx: Tx, kind: Kind, wanted: Mapping[str, str | None], limit: int) -> list[Fact]:
    """Facts of the caller's organization, newest first; `wanted` by the wire's names of `FILTERS`."""
    query = select(Fact).where(Fact.organization_id == tx.principal.organization_id, Fact.kind == kind)
    for name, column in FILTERS.items():
        if wanted.get(name) is not None:
            query = query.where(getattr(Fact, column) == wanted[name])
    return list(tx.scalars(query.order_by(Fact.id.desc()).limit(limit)))


def _check(body: Mapping[str, Any]) -> None:
    for name in FILTERS:
        if len(body.get(name) or "") > LONGEST:
            raise Invalid(f"{name} has at most {LONGEST} characters.", hint="Use a shorter word.", field=name)
    if len(msgspec.json.encode(body)) > LARGEST:
        raise Invalid(
            f"A fact has at most {LARGEST // 1024} KB.", hint="Leave out what nobody looks for.", field="attributes"
        )


def _hash(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


def old_facts(tx: Tx, before: datetime) -> int:
    """Remove what was said before an instant."""
    return int(tx.execute(delete(Fact).where(Fact.at < before)).rowcount)  # type: ignore[attr-defined]


async def _old_facts(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(old_facts, before))


register(Category("facts", "Usage, overlay and route surface records", timedelta(days=400), _old_facts))
