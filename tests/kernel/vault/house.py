"""Vaults of one installation under whichever key backend is configured, with Transit imitated beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.transit_server import OPERATOR, Transit
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.settings import Settings
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.backend import KeyBackend
from quarterdeck.kernel.vault.choosing import vault_of
from quarterdeck.kernel.vault.rows import DataKeyRow, data_keys
from quarterdeck.kernel.vault.vault import Vault

PLACE = ("workspace_variables", "uid-1", "value")
Others = Mapping[str, Callable[[], KeyBackend]]


@dataclass
class House:
    database: Database
    master_key: Path
    server: Transit

    def settings(self, backend: str, **given: Any) -> Settings:
        token = Secret(OPERATOR)
        return Settings(key_backend=backend, transit_address=self.server.url, transit_token=token, **given)

    def vault(self, backend: str, **given: Any) -> Vault:
        """Locked still, with both backends configured."""
        return vault_of(self.settings(backend, **given), self.master_key)

    def unlocked(self, backend: str, **given: Any) -> Vault:
        made = self.vault(backend, **given)
        made.unlock(self.database)
        return made

    def rows(self) -> list[DataKeyRow]:
        return self.database.read_sync(data_keys)

    def under(self) -> list[str]:
        return [row.master_key_id for row in self.rows()]

    def audited(self) -> list[tuple[str, str]]:
        """Action and detail of what was done to keys, in its order."""
        wanted = "SELECT action, CAST(detail AS TEXT) FROM audit_events WHERE action LIKE 'vault.%' ORDER BY id"
        return self.database.read_sync(lambda tx: [(str(row[0]), str(row[1])) for row in tx.execute(_text(wanted))])


def _text(statement: str) -> Any:
    from sqlalchemy import text

    return text(statement)
