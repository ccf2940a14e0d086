"""SSH credentials: create, find, list, show where they are used, rotate, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.fleet.credentials.keys import check_username, key_pair
from quarterdeck.fleet.credentials.model import ServerCredential, SshCredential
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.kernel.text import several
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace.names import check_name
from quarterdeck.workspace.projects import organization_of

TABLE = SshCredential.__tablename__


class SshCredentialAction(audit.Action):
    CREATED = "ssh-credential.created"
    ROTATED = "ssh-credential.rotated"
    DELETED = "ssh-credential.deleted"


@dataclass(frozen=True, slots=True)
class Use:
    """A server that is signed in to with a credential, and under which name."""

    server: Server
    username: str | None


def find(tx: Tx, ref: str) -> SshCredential:
    """A credential of the caller's organization by its `sshcred_…`; `NotFound` otherwise."""
    return tx.one(
        select(SshCredential).where(SshCredential.ref == ref, SshCredential.organization_id == organization_of(tx)),
        what=f"SSH credential {ref[:60]}",
    )


def locked(tx: Tx, ref: str, *, shared: bool = False) -> SshCredential:
    """`find` for a command that changes it: nobody else changes it until the unit ends, and it is read as it is now.
    `shared` for one that refers to it.
    """
    credential = find(tx, ref)
    tx.lock(f"ssh-credential:{credential.id}", shared=shared)
    tx.session.expire(credential)
    return find(tx, ref)


def newest(tx: Tx, limit: int) -> list[SshCredential]:
    return list(
        tx.scalars(
            select(SshCredential)
            .where(SshCredential.organization_id == organization_of(tx))
            .order_by(SshCredential.id.desc())
            .limit(limit)
        )
    )


def usage(tx: Tx, credential: SshCredential) -> list[Use]:
    """Every server that refers to it, active or not."""
    rows = tx.session.execute(
        select(Server, ServerCredential.username)
        .join(ServerCredential, ServerCredential.server_id == Server.id)
        .where(ServerCredential.credential_id == credential.id)
        .order_by(Server.id)
    )
    return [Use(server, username or credential.username) for server, username in rows]


def create(
    tx: Tx, *, name: str, private_key: Secret[str], public_key: str | None = None, username: str | None = None
) -> SshCredential:
    organization_id = organization_of(tx)
    pair = key_pair(private_key, public_key)
    uid = tx.ids.uid()
    credential = tx.add(
        SshCredential(
            uid=uid,
            ref=tx.ids.ref("sshcred"),
            organization_id=organization_id,
            name=check_name(name, "name of the credential"),
            username=check_username(username),
            public_key=pair.public,
            private_key=tx.vault.seal(TABLE, uid, "private_key", pair.private),
            created_at=tx.now,
            rotated_at=None,
        )
    )
    _note(tx, credential, SshCredentialAction.CREATED, "ssh-credential-created", {"name": credential.name})
    return credential


def rotate(
    tx: Tx,
    ref: str,
    *,
    confirmation: str,
    acknowledged: bool,
    private_key: Secret[str],
    public_key: str | None = None,
    username: str | None = None,
    keep_username: bool = True,
) -> tuple[SshCredential, list[Use]]:
    """Replace the key for every server that refers to it; nothing is contacted. Answers where it is used."""
    credential = locked(tx, ref)
    _check_confirmation(credential, confirmation)
    used = usage(tx, credential)
    if used and not acknowledged:
        raise Conflict(
            f"{credential.name} is used by {counted('server', len(used))}: {_names(used)}.",
            code="credential_rotation_requires_usage_acknowledgement",
            hint="Install the new public key there first, then send confirmation.acknowledgeServerUsage = true.",
            relatedEntityId=credential.ref,
        )
    pair = key_pair(private_key, public_key)
    credential.private_key = tx.vault.seal(TABLE, credential.uid, "private_key", pair.private)
    credential.public_key, credential.rotated_at = pair.public, tx.now
    if not keep_username:
        credential.username = check_username(username)
    tx.flush()
    _note(tx, credential, SshCredentialAction.ROTATED, "ssh-credential-rotated", {"affectedServers": len(used)})
    return credential, used


def delete(tx: Tx, ref: str, confirmation: str, registry: Sequence[DeletionBlocker]) -> None:
    """Remove a credential that neither a server nor, as the `registry` says, anything else refers to."""
    credential = locked(tx, ref)
    _check_confirmation(credential, confirmation)
    used = usage(tx, credential)
    if used:
        raise Conflict(
            f"{credential.name} is still used by {_names(used)}.",
            code="credential_in_use",
            hint="Give those servers another credential, or delete them, then try again.",
            relatedEntityId=credential.ref,
        )
    others = [found for blocker in registry for found in blocker.blockers(tx, "ssh-credential", credential.id)]
    if others:
        raise Conflict(
            f"{credential.name} is still used by {', '.join(counted(*found) for found in others)}.",
            code="credential_in_use",
            hint="Give them another key, or delete them, then try again.",
            relatedEntityId=credential.ref,
        )
    _note(tx, credential, SshCredentialAction.DELETED, "ssh-credential-deleted", {"name": credential.name})
    tx.session.delete(credential)
    tx.flush()


def private_key(tx: Tx, credential: SshCredential) -> Secret[str]:
    return tx.vault.open(TABLE, credential.uid, "private_key", credential.private_key)


def _check_confirmation(credential: SshCredential, confirmation: str) -> None:
    if confirmation != credential.ref:
        raise Invalid(
            "The confirmation does not name this credential.",
            hint=f"Send confirmation.credentialId = {credential.ref}.",
            field="confirmation",
        )


def counted(word: str, number: int) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}"


def _note(tx: Tx, credential: SshCredential, action: SshCredentialAction, event: str, data: dict[str, object]) -> None:
    audit.record(
        tx,
        action,
        resource_type="ssh-credential",
        resource_id=credential.ref,
        organization_id=credential.organization_id,
        detail=data,
    )
    events.append(
        tx,
        f"ssh-credential:{credential.ref}",
        event,
        {"credentialId": credential.ref, **data},
        organization_id=credential.organization_id,
    )


def _names(used: list[Use]) -> str:
    return several([use.server.name for use in used])
