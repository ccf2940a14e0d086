"""Credentials of pipelines: scoped, shown once, good for the routes that their contract names alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import DeployToken
from quarterdeck.identity.sessions import token_hash
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret

PREFIX = "aplt_dt_"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who presents a deploy token: the principal, and what the token is narrowed to (an empty list: nothing is)."""

    principal: Principal
    scope: Mapping[str, Any]
    organization_id: int

    def may(self, command: str, **things: str | None) -> bool:
        """Whether the token runs a workflow command on these things (`projectIds="prj_…"`). A thing that is not known
        is outside of every list.
        """
        if command not in self.scope.get("workflowCommands", ()):
            return False
        return all(not self.scope.get(name) or thing in self.scope[name] for name, thing in things.items())


def create(tx: Tx, name: str, scope: dict[str, Any], expires_at: datetime | None) -> tuple[DeployToken, Secret[str]]:
    """A token of the caller's organization."""
    text = PREFIX + tx.ids.token(32)
    row = tx.add(
        DeployToken(
            uid=tx.ids.uid(),
            ref=tx.ids.ref("dpt"),
            organization_id=tx.principal.organization_id,
            name=name,
            hash=token_hash(text),
            suffix=text[-8:],
            scope=scope,
            created_by=tx.principal.id if tx.principal.kind == "user" else None,
            created_at=tx.now,
            expires_at=expires_at,
            rotated_at=None,
            last_used_at=None,
            revoked_at=None,
        )
    )
    _note(tx, row, IdentityAction.DEPLOY_TOKEN_CREATED, "deploy-token-created")
    return row, Secret(text)


def listed(tx: Tx) -> list[DeployToken]:
    """The organization's tokens, newest first."""
    mine = DeployToken.organization_id == tx.principal.organization_id
    return list(tx.scalars(select(DeployToken).where(mine).order_by(DeployToken.id.desc())))


def find(tx: Tx, ref: str) -> DeployToken:
    """Raises `NotFound` (`deploy_token_not_found`), for another organization's too."""
    mine = DeployToken.organization_id == tx.principal.organization_id
    row = tx.first(select(DeployToken).where(DeployToken.ref == ref, mine))
    if row is None:
        raise NotFound(
            f"There is no deploy token {ref[:60]}.", code="deploy_token_not_found", hint="Look at the list of tokens."
        )
    return row


def rotate(tx: Tx, ref: str) -> tuple[DeployToken, Secret[str]]:
    """A new secret; the old one ends at once. Raises `Conflict` (`deploy_token_rotation_blocked`) for a revoked one."""
    row = find(tx, ref)
    if row.revoked_at is not None:
        raise Conflict(
            f"The deploy token {ref} is revoked.",
            code="deploy_token_rotation_blocked",
            hint="Make a new one.",
        )
    text = PREFIX + tx.ids.token(32)
    row.hash, row.suffix, row.rotated_at = token_hash(text), text[-8:], tx.now
    _note(tx, row, IdentityAction.DEPLOY_TOKEN_ROTATED, "deploy-token-rotated")
    return row, Secret(text)


def revoke(tx: Tx, ref: str) -> DeployToken:
    """End a token; ending it again is a success."""
    row = find(tx, ref)
    if row.revoked_at is None:
        row.revoked_at = tx.now
        _note(tx, row, IdentityAction.DEPLOY_TOKEN_REVOKED, "deploy-token-revoked")
    return row


def authenticate(tx: Tx, token: str) -> Bearer | None:
    """Who presents a token, and notes its use (in a unit that writes); None for anything unknown or revoked."""
    row = tx.first(select(DeployToken).where(DeployToken.hash == token_hash(token)))
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= tx.now):
        return None
    row.last_used_at = tx.now
    principal = Principal(
        kind="deploy-token",
        id=row.id,
        uid=row.uid,
        label=row.name,
        organization_id=row.organization_id,
        credential=row.uid,
        by_token=True,
    )
    return Bearer(principal, row.scope, row.organization_id)


def _note(tx: Tx, row: DeployToken, action: IdentityAction, event: str) -> None:
    audit.record(tx, action, resource_type="deploy-token", resource_id=row.ref, detail={"name": row.name})
    events.append(tx, f"deploy-token:{row.ref}", event, {"tokenId": row.ref}, organization_id=row.organization_id)
