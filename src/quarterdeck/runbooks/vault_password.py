"""The password of an organization's `ansible-vault` files: kept sealed, never shown, for the worker that runs them."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import Secret
from quarterdeck.runbooks.model import RunbookSettings

FIELD = "vault_password"


def keep(tx: Tx, organization_id: int, password: Secret[str]) -> None:
    """Keep it in the place of the one before. Whoever calls writes the audit event."""
    assert tx.vault is not None, "this database was opened without a vault"  # noqa: S101
    row = _settings(tx, organization_id)
    if row is None:
        row = tx.add(RunbookSettings(uid=tx.ids.uid(), organization_id=organization_id, updated_at=tx.now))
    row.vault_password = tx.vault.seal(RunbookSettings.__tablename__, row.uid, FIELD, password.reveal())
    row.updated_at = tx.now


def opened(tx: Tx, organization_id: int) -> Secret[str] | None:
    """The password in the clear, None where there is none."""
    assert tx.vault is not None, "this database was opened without a vault"  # noqa: S101
    row = _settings(tx, organization_id)
    if row is None or row.vault_password is None:
        return None
    return tx.vault.open(RunbookSettings.__tablename__, row.uid, FIELD, row.vault_password)


def _settings(tx: Tx, organization_id: int) -> RunbookSettings | None:
    return tx.first(select(RunbookSettings).where(RunbookSettings.organization_id == organization_id))
