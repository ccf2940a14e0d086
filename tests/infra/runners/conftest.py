"""A yard of infrastructure jobs on each database of the run, with its clock held still."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault
from support.infra_work_yard import WorkYard


@pytest.fixture
def yard(database_address, tmp_path):
    clock, vault = HeldClock(), Vault(LocalBackend(tmp_path / "master.key"))
    database = open_database(database_address, clock=clock, vault=vault)
    vault.unlock(database)
    made = WorkYard(database, clock, tmp_path)
    yield made
    made.close()
    database.close_sync()
