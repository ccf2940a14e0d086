"""Default access domain policies: how a deployment without a domain of its own gets one."""

from __future__ import annotations

import re

from sqlalchemy import select

from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.servers.model import AccessPolicy, Server
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.workspace.projects import organization_of

PROVIDERS = ("sslip", "localhost")
TEMPLATE = re.compile(r"(?:[a-z0-9-]|\{slug\}|\{id\}|\.){1,200}")


class AccessPolicyAction(audit.Action):
    CONFIGURED = "access-policy.configured"


def configure(tx: Tx, *, server_ref: str | None, mode: str, provider: str | None, template: str | None) -> AccessPolicy:
    """Set the policy of the system, or of one server. Only plans made afterwards follow it."""
    organization_id = organization_of(tx)
    server = servers.locked(tx, server_ref, shared=True) if server_ref else None
    if mode == "provider" and (provider or "sslip") not in PROVIDERS:
        raise Invalid(
            f"No provider {provider!r} makes access domains.",
            hint=f"Use one of: {', '.join(PROVIDERS)}.",
            field="providerKey",
        )
    if mode == "custom-template" and not _makes_names(template):
        raise Invalid(
            "The template does not make a host name.",
            hint="Write it like {slug}.apps.example.com, with {slug} or {id} in it.",
            field="templateRef",
        )
    tx.lock(f"access-policy:{organization_id}")
    row = _row(tx, organization_id, server.id if server else 0)
    if row is None:
        row = AccessPolicy(
            uid=tx.ids.uid(),
            ref=tx.ids.ref("dap"),
            organization_id=organization_id,
            server_id=server.id if server else 0,
        )
    row.mode, row.updated_at = mode, tx.now
    row.provider = (provider or "sslip") if mode == "provider" else provider
    row.template = template
    tx.add(row)
    audit.record(
        tx,
        AccessPolicyAction.CONFIGURED,
        resource_type="access-policy",
        resource_id=row.ref,
        organization_id=organization_id,
        detail={"mode": mode, "serverId": server_ref},
    )
    events.append(
        tx,
        f"access-policy:{row.ref}",
        "default-access-domain-policy-configured",
        {"mode": mode},
        organization_id=organization_id,
    )
    return row


def _makes_names(template: str | None) -> bool:
    return bool(template and TEMPLATE.fullmatch(template) and ("{slug}" in template or "{id}" in template))


def _row(tx: Tx, organization_id: int, server_id: int) -> AccessPolicy | None:
    return tx.first(
        select(AccessPolicy).where(AccessPolicy.organization_id == organization_id, AccessPolicy.server_id == server_id)
    )


def show(tx: Tx, server_ref: str | None) -> AccessPolicy | None:
    """The policy set at exactly this scope, or None."""
    server = servers.find(tx, server_ref) if server_ref else None
    return _row(tx, organization_of(tx), server.id if server else 0)


def all_of(tx: Tx) -> list[tuple[AccessPolicy, str | None]]:
    """Every policy with the `srv_…` of its server (None for the system)."""
    rows = tx.session.execute(
        select(AccessPolicy, Server.ref)
        .outerjoin(Server, Server.id == AccessPolicy.server_id)
        .where(AccessPolicy.organization_id == organization_of(tx))
        .order_by(AccessPolicy.id)
    )
    return [(policy, ref) for policy, ref in rows]


def in_force(tx: Tx, organization_id: int, server_id: int) -> AccessPolicy | None:
    """The server's own policy, else the system's."""
    return _row(tx, organization_id, server_id) or _row(tx, organization_id, 0)
