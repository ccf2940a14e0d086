"""Policies of removing what is old on servers: kept, changed, listed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select

from quarterdeck.fleet.capacity.model import PrunePolicy
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid

EVERYWHERE = "*"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
LONGEST_DAYS = 36_500


class PolicyAction(audit.Action):
    CONFIGURED = "server.prune-policy-configured"


@dataclass(frozen=True, slots=True)
class Wish:
    """`server` is a wire id or `*`."""

    version: str
    scope: str
    server: str
    retention_days: int
    destructive: bool
    categories: list[str]
    retry_on_failure: bool
    enabled: bool


def configure(tx: Tx, ref: str | None, wish: Wish) -> PrunePolicy:
    """Make a policy, or replace the one of that id. Raises `NotFound` for a server that is not there."""
    if ref is not None and not ID.fullmatch(ref):
        raise Invalid(
            f"{ref[:40]!r} cannot be the id of a policy.", hint="Use letters, digits, dot, dash, _.", field="policyId"
        )
    if wish.retention_days > LONGEST_DAYS:
        raise Invalid(f"Keep things at most {LONGEST_DAYS} days.", hint="Give fewer days.", field="retentionDays")
    if wish.server != EVERYWHERE:
        servers.find(tx, wish.server)
    organization_id = tx.principal.organization_id
    if organization_id is None:
        raise Forbidden("This credential acts in no organization.", hint="Sign in as a member of one.")
    tx.lock(f"prune-policies:{organization_id}")
    row = find(tx, ref) if ref is not None else None
    if row is None:
        row = tx.add(
            PrunePolicy(
                uid=tx.ids.uid(),
                ref=ref or tx.ids.ref("rpp"),
                organization_id=organization_id,
                created_at=tx.now,
                updated_at=tx.now,
                **asdict(wish),
            )
        )
    else:
        for name, value in asdict(wish).items():
            setattr(row, name, value)
        row.updated_at = tx.now
    tx.flush()
    detail = asdict(wish)
    audit.record(tx, PolicyAction.CONFIGURED, resource_type="prune-policy", resource_id=row.ref, detail=detail)
    events.append(
        tx,
        f"prune-policy:{row.ref}",
        "server-prune-policy-configured",
        {"policyId": row.ref, "enabled": wish.enabled, "destructive": wish.destructive},
        organization_id=organization_id,
    )
    return row


def find(tx: Tx, ref: str) -> PrunePolicy | None:
    """One of the organization's policies."""
    mine = (PrunePolicy.ref == ref, PrunePolicy.organization_id == tx.principal.organization_id)
    return tx.first(select(PrunePolicy).where(*mine))


def listed(tx: Tx, *, server: str | None, scope: str | None, enabled_only: bool) -> list[PrunePolicy]:
    """Newest first. Those for all servers belong to each."""
    query = select(PrunePolicy).where(PrunePolicy.organization_id == tx.principal.organization_id)
    if server is not None:
        query = query.where(PrunePolicy.server.in_((server, EVERYWHERE)))
    if scope is not None:
        query = query.where(PrunePolicy.scope == scope)
    if enabled_only:
        query = query.where(PrunePolicy.enabled.is_(True))
    return list(tx.scalars(query.order_by(PrunePolicy.id.desc())))


def due(tx: Tx) -> list[tuple[PrunePolicy, list[str]]]:
    """Every policy that is in force, of any organization, with the wire ids of its active servers."""
    enabled = select(PrunePolicy).where(PrunePolicy.enabled.is_(True)).order_by(PrunePolicy.id)
    return [(policy, list(_places(tx, policy))) for policy in tx.scalars(enabled)]


def _places(tx: Tx, policy: PrunePolicy) -> Sequence[str]:
    query = select(Server.ref).where(Server.organization_id == policy.organization_id, Server.lifecycle == "active")
    if policy.server != EVERYWHERE:
        query = query.where(Server.ref == policy.server)
    return list(tx.scalars(query.order_by(Server.id)))
