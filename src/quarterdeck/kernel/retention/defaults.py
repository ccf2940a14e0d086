"""Defaults that administrators set: how long things of a category stay, and what follows from that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.retention.categories import Category, Share, Sweep
from quarterdeck.kernel.retention.model import RetentionDefault

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
LONGEST_DAYS = 36_500
SYSTEM = 0
Scope = Literal["organization", "system"]


class RetentionAction(audit.Action):
    CONFIGURED = "retention-default.configured"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to hold for a category. `owner` is an organization, or `SYSTEM` for wherever nothing else is said."""

    category: str
    owner: int
    retention_days: int
    dry_run: bool
    destructive: bool
    enabled: bool


def configure(tx: Tx, ref: str | None, wish: Wish, *, organization_id: int) -> RetentionDefault:
    """Set a default, or replace the one of that category and owner. It keeps the id that it got first."""
    if ref is not None and not ID.fullmatch(ref):
        raise Invalid(
            f"{ref[:40]!r} cannot be the id of a default.", hint="Use letters, digits, dot, dash, _.", field="policyId"
        )
    if not 1 <= wish.retention_days <= LONGEST_DAYS:
        raise Invalid(f"Keep things 1 to {LONGEST_DAYS} days.", hint="Give other days.", field="retentionDays")
    tx.lock(f"retention-defaults:{wish.owner}")
    row = find(tx, wish.category, wish.owner)
    named = None if ref is None else _named(tx, ref, wish.owner)
    if named is not None and named is not row:
        raise Invalid(
            f"{ref} is the default for {named.category}.", hint="Leave the id out, or give another.", field="policyId"
        )
    by = {"updated_by_kind": tx.principal.kind, "updated_by": tx.principal.uid[:64], "updated_at": tx.now}
    if row is None:
        row = tx.add(
            RetentionDefault(
                uid=tx.ids.uid(),
                ref=ref or tx.ids.ref("rdf"),
                scope="system" if wish.owner == SYSTEM else "organization",
                created_at=tx.now,
                **asdict(wish),
                **by,
            )
        )
    else:
        for name, value in {**asdict(wish), **by}.items():
            setattr(row, name, value)
    tx.flush()
    audit.record(
        tx,
        RetentionAction.CONFIGURED,
        resource_type="retention-default",
        resource_id=row.ref,
        organization_id=organization_id,
        detail={"scope": row.scope, **asdict(wish)},
    )
    events.append(
        tx,
        f"retention-default:{row.ref}",
        "retention-default-configured",
        {"policyId": row.ref, "category": row.category, "retentionDays": row.retention_days},
        organization_id=organization_id,
    )
    return row


def find(tx: Tx, category: str, owner: int) -> RetentionDefault | None:
    """The default of a category that an owner has set."""
    where = (RetentionDefault.category == category, RetentionDefault.owner == owner)
    return tx.first(select(RetentionDefault).where(*where))


def _named(tx: Tx, ref: str, owner: int) -> RetentionDefault | None:
    where = (RetentionDefault.ref == ref, RetentionDefault.owner == owner)
    return tx.first(select(RetentionDefault).where(*where))


def listed(
    tx: Tx, owners: Sequence[int], *, category: str | None = None, enabled_only: bool = False
) -> list[RetentionDefault]:
    """The defaults of some owners, newest first."""
    query = select(RetentionDefault).where(RetentionDefault.owner.in_(owners))
    if category is not None:
        query = query.where(RetentionDefault.category == category)
    if enabled_only:
        query = query.where(RetentionDefault.enabled.is_(True))
    return list(tx.scalars(query.order_by(RetentionDefault.id.desc())))


def in_force(tx: Tx, category: str) -> list[RetentionDefault]:
    """Every enabled default of a category, of all owners."""
    where = (RetentionDefault.category == category, RetentionDefault.enabled.is_(True))
    return list(tx.scalars(select(RetentionDefault).where(*where).order_by(RetentionDefault.owner)))


def sweeps(
    category: Category, said: Sequence[RetentionDefault], now: datetime, organization_id: int | None = None
) -> list[Sweep]:
    """What the defaults in force make of a category's housekeeping, for all or for one organization alone.

    A default always lengthens: nothing that it keeps goes sooner by the program's own choice. It shortens, and reaches
    what the program spares by itself, only when it is destructive; one that is not says, where dry runs are scheduled,
    how much would go. An organization's own default goes before the system's.
    """
    own = {one.owner: one for one in said if one.owner != SYSTEM}
    system = next((one for one in said if one.owner == SYSTEM), None)
    shares: list[tuple[Share, RetentionDefault | None]]
    if organization_id is None:
        shares = [(Share(owner), one) for owner, one in sorted(own.items())]
        shares.append((Share(None, tuple(sorted(own))), system))
    else:
        shares = [(Share(organization_id), own.get(organization_id, system))]
    found: list[Sweep] = []
    for share, policy in shares:
        if policy is not None and policy.destructive:
            found.append(Sweep(share, now - timedelta(days=policy.retention_days), told=True))
            continue
        if category.keep is not None:
            told = timedelta(days=policy.retention_days) if policy is not None else category.keep
            found.append(Sweep(share, now - max(category.keep, told)))
        if policy is not None and policy.dry_run:
            before = now - timedelta(days=policy.retention_days)
            found.append(Sweep(share, before, told=True, dry_run=True))
    return found
