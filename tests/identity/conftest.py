from __future__ import annotations

import pytest

from identity.house import House
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault


@pytest.fixture
def house(database_address, tmp_path):
    vault = Vault(LocalBackend(tmp_path / "master.key"))
    opened = open_database(database_address, vault=vault)
    vault.unlock(opened)
    yield House(opened)
    opened.close_sync()
