"""Credentials of pipelines: scoped, shown once, good for the routes that their contract names alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select

from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import DeployToken, Organization
from quarterdeck.identity.sessions import require_in_person, token_hash
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.text import one_line
from quarterdeck.kernel.vault import Secret

PREFIX = "aplt_dt_"
MOST = 200
"""How many entries a list of a scope has at most."""
COMMANDS = {"preview-cleanup": "deploy:deployments.cleanup-preview"}
"""The permission that each workflow command stands for, as far as its routes are there."""
THINGS = ("deploymentTargetIds", "environmentIds", "projectIds", "repositoryFullNames", "resourceIds")


def create(tx: Tx, name: str, scope: dict[str, Any], expires_at: datetime | None) -> tuple[DeployToken, Secret[str]]:
    """A token of the caller's organization. Raises `Invalid`, and `Forbidden` where a token asks for one."""
    require_in_person(tx.principal)
    if expires_at is not None and expires_at <= tx.now:
        raise Invalid("A token cannot have expired already.", hint="Give a time to come.", field="expiresAt")
    for thing in THINGS:
        if len(scope.get(thing, ())) > MOST:
            raise Invalid(f"A scope names at most {MOST} of each.", hint="Make several tokens.", field=f"scope.{thing}")
    text = PREFIX + tx.ids.token(32)
    row = tx.add(
        DeployToken(
            uid=tx.ids.uid(),
            ref=tx.ids.ref("dpt"),
            organization_id=tx.principal.organization_id,
            name=one_line(name, "displayName"),
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


def listed(
    tx: Tx,
    *,
    status: Literal["active", "revoked"] | None = None,
    naming: Mapping[str, str | None] | None = None,
    limit: int | None = None,
) -> list[DeployToken]:
    """The organization's tokens, newest first; only those whose scope names what `naming` gives for a list of it."""
    query = select(DeployToken).where(DeployToken.organization_id == tx.principal.organization_id)
    if status is not None:
        query = query.where(
            DeployToken.revoked_at.is_(None) if status == "active" else DeployToken.revoked_at.is_not(None)
        )
    wanted = [(name, value) for name, value in (naming or {}).items() if value is not None]
    found = tx.scalars(query.order_by(DeployToken.id.desc()))
    chosen = [row for row in found if all(value in row.scope.get(name, ()) for name, value in wanted)]
    return chosen[:limit]


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
    """A new secret; the old one ends at once. Raises `Conflict` (`deploy_token_rotation_blocked`) for a revoked one,
    and `Forbidden` where a token asks for it.
    """
    require_in_person(tx.principal)
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


def revoke(tx: Tx, ref: str, reason: str | None = None) -> DeployToken:
    """End a token; ending it again is a success."""
    row = find(tx, ref)
    if row.revoked_at is None:
        row.revoked_at = tx.now
        _note(tx, row, IdentityAction.DEPLOY_TOKEN_REVOKED, "deploy-token-revoked", reason=reason)
    return row


def authenticate(tx: Tx, token: str) -> Principal | None:
    """Who presents a token, narrowed to the permissions of its workflow commands, and notes its use (in a unit that
    writes); None for anything unknown, expired or revoked, or of an organization that is gone.
    """
    row = tx.first(
        select(DeployToken)
        .join(Organization, Organization.id == DeployToken.organization_id)
        .where(DeployToken.hash == token_hash(token), Organization.deleted_at.is_(None))
    )
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= tx.now):
        return None
    row.last_used_at = tx.now
    return Principal(
        kind="deploy-token",
        id=row.id,
        uid=row.uid,
        label=row.name,
        organization_id=row.organization_id,
        credential=row.uid,
        scopes=frozenset(COMMANDS[name] for name in row.scope.get("workflowCommands", ()) if name in COMMANDS),
        by_token=True,
    )


def require_reach(tx: Tx, **things: str | None) -> None:
    """Hold the things of a request (`projectIds="prj_…"`) against the scope of the deploy token that made it; anybody
    else passes. Raises `Forbidden` (`action_auth_forbidden`); a thing that is not known is outside of every list.
    """
    if tx.principal.kind != "deploy-token":
        return
    row = tx.get(DeployToken, tx.principal.id)
    scope: Mapping[str, Any] = row.scope if row is not None and row.revoked_at is None else dict.fromkeys(THINGS, ("",))
    beyond = [name for name, thing in things.items() if scope.get(name) and thing not in scope[name]]
    if beyond:
        raise Forbidden(
            f"The scope of the deploy token ({', '.join(beyond)}) does not cover this request.",
            code="action_auth_forbidden",
            hint="Name what is meant in the request's context, or use a token whose scope covers it.",
        )


def _note(tx: Tx, row: DeployToken, action: IdentityAction, event: str, **detail: object) -> None:
    said = {key: value for key, value in detail.items() if value is not None}
    audit.record(tx, action, resource_type="deploy-token", resource_id=row.ref, detail={"name": row.name, **said})
    events.append(tx, f"deploy-token:{row.ref}", event, {"tokenId": row.ref}, organization_id=row.organization_id)
