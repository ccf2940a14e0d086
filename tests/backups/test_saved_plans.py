"""Saved plans come back with the installation, and say nothing to whoever has a backup without the key."""

from __future__ import annotations

import asyncio
import gzip
import stat

import pytest

from backups.house import House
from quarterdeck.backups.restoring import restore
from quarterdeck.backups.taking import take

PLAN = b"every variable and the whole state, " * 100
JOB = "01890a5d-ac96-774b-bcce-b302099a8057"


async def pieces():
    yield PLAN


def test_a_saved_plan_comes_back_and_is_nowhere_in_the_clear(house: House, tmp_path):
    with house.opened() as instance:
        kept = asyncio.run(instance.artefacts.take(instance.db.ids, JOB, pieces()))
        (house.directory / "artefacts" / ".incoming" / "draft-of-an-upload").write_bytes(b"half")
    file, manifest = take(house.data, house.address, tmp_path)
    assert {entry.path for entry in manifest.entries if entry.path.startswith("artefacts")} == {
        "artefacts", f"artefacts/{JOB}", f"artefacts/{kept.key}",
    }  # fmt: skip
    assert PLAN[:30] not in gzip.decompress(file.read_bytes())
    key = house.wipe()
    restore(file, house.directory, house.wanted(key=key))
    lying = house.directory / "artefacts" / kept.key
    assert (stat.S_IMODE(lying.stat().st_mode), stat.S_IMODE(lying.parent.stat().st_mode)) == (0o600, 0o700)
    with house.opened(restored=True) as instance:

        async def given() -> bytes:
            return b"".join([piece async for piece in await instance.artefacts.give(kept)])

        assert asyncio.run(given()) == PLAN


@pytest.mark.parametrize("gone", ["file", "directory"])
def test_a_plan_that_goes_while_a_backup_is_taken_is_left_out(house: House, tmp_path, gone, monkeypatch):
    from quarterdeck.backups import contents

    with house.opened() as instance:
        kept = asyncio.run(instance.artefacts.take(instance.db.ids, JOB, pieces()))
    lying = house.directory / "artefacts" / kept.key
    found = list(contents.artefacts(house.directory))
    lying.unlink()
    if gone == "directory":
        lying.parent.rmdir()
    monkeypatch.setattr(contents, "artefacts", lambda _data: iter(found))
    _, manifest = take(house.data, house.address, tmp_path)
    assert f"artefacts/{kept.key}" not in {entry.path for entry in manifest.entries}
