"""Deploy keys: a stored SSH credential that a repository is fetched with. A source of the kind `git-deploy-key` names
it as `metadata.sshCredentialId`; the key itself stays where it is, so that a rotated one is used at once.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import func, select

from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.credentials import credentials
from quarterdeck.fleet.credentials.model import SshCredential
from quarterdeck.kernel.db import Tx

FIELD = "sshCredentialId"


def reference(source: dict[str, Any]) -> str | None:
    """The `sshcred_…` that a source names."""
    named = (source.get("metadata") or {}).get(FIELD)
    return str(named) if named and source.get("kind") == "git-deploy-key" else None


def admit(tx: Tx, source: dict[str, Any]) -> None:
    """Raise `NotFound` unless the caller's organization has the key. Whoever may say where a source is may use any."""
    ref = reference(source)
    if ref is not None:
        credentials.locked(tx, ref, shared=True)


def opened(tx: Tx, organization_id: int, source: dict[str, Any]) -> str | None:
    """The key as `sources.documents` takes credentials; None where the source names none, or it is gone."""
    ref = reference(source)
    if ref is None:
        return None
    found = tx.first(
        select(SshCredential).where(SshCredential.ref == ref, SshCredential.organization_id == organization_id)
    )
    return None if found is None else msgspec.json.encode({"key": credentials.private_key(tx, found).reveal()}).decode()


def users(tx: Tx, credential_id: int) -> int:
    """How many resources are fetched with it. Asked before one is deleted, so it may look at all of them."""
    found = select(func.count()).select_from(Resource).join(SshCredential, SshCredential.id == credential_id)
    named = Resource.source["metadata"][FIELD].as_string()
    same = Resource.organization_id == SshCredential.organization_id
    return int(tx.execute(found.where(same, Resource.deleted_at.is_(None), named == SshCredential.ref)).scalar_one())
