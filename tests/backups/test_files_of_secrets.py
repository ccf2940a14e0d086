"""Encrypted files in which secrets are kept go into a backup as they lie, and come back."""

from __future__ import annotations

import asyncio
import gzip
import stat

import pytest

from backups.house import House
from quarterdeck.backups.restoring import restore
from quarterdeck.backups.taking import take
from quarterdeck.broker.execution.providers import file as files
from quarterdeck.broker.execution.providers.file import FileProvider
from quarterdeck.kernel.vault import Secret

VALUE = "canary of the file of secrets"


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch):
    monkeypatch.setattr(files, "MEMORY_KIB", 64)
    monkeypatch.setattr(files, "ROUNDS", 1)


def opened(house: House) -> FileProvider:
    return FileProvider(house.directory / "secrets", "shop", Secret("kept apart"))


def test_a_file_of_secrets_comes_back_and_is_nowhere_in_the_clear(house: House, tmp_path):
    asyncio.run(opened(house).write("apps/db", {"PASSWORD": VALUE}, None))
    file, manifest = take(house.data, house.address, tmp_path)
    found = {entry.path for entry in manifest.entries if entry.path.startswith("secrets")}
    assert found == {"secrets", "secrets/shop.secrets"}
    assert VALUE.encode() not in gzip.decompress(file.read_bytes())
    key = house.wipe()
    restore(file, house.directory, house.wanted(key=key))
    lying = house.directory / "secrets" / "shop.secrets"
    assert (stat.S_IMODE(lying.stat().st_mode), stat.S_IMODE(lying.parent.stat().st_mode)) == (0o600, 0o700)
    seen = asyncio.run(opened(house).read("apps/db"))
    assert seen is not None
    assert seen.values == {"PASSWORD": VALUE}
