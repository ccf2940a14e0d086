"""A yard of the broker on each database of the run, with its clock held still."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault
from support.broker_yard import BrokerYard


@pytest.fixture
def yard(database_address, tmp_path):
    clock, vault = HeldClock(), Vault(LocalBackend(tmp_path / "master.key"))
    database = open_database(database_address, clock=clock, vault=vault)
    vault.unlock(database)
    yield BrokerYard(database, clock)
    database.close_sync()
