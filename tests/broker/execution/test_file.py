"""Secrets in one encrypted file."""

from __future__ import annotations

import asyncio
import stat

import pytest

from quarterdeck.broker.execution.providers import file as files
from quarterdeck.broker.execution.providers.file import FileProvider
from quarterdeck.kernel.errors import Conflict, ProviderFailure
from quarterdeck.kernel.vault import Secret

CANARY = "canary-of-the-file"


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch):
    monkeypatch.setattr(files, "MEMORY_KIB", 64)
    monkeypatch.setattr(files, "ROUNDS", 1)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "secrets"


PASSPHRASE = "kept apart"


def opened(place, passphrase=PASSPHRASE) -> FileProvider:
    return FileProvider(place, "shop", Secret(passphrase))


async def test_what_is_written_is_read_by_the_passphrase_alone_and_lies_encrypted(place):
    await opened(place).write("apps/db", {"A": CANARY, "Ü": ""}, None)
    await opened(place).write("apps/other", {"B": "2"}, None)
    seen = await opened(place).read("apps/db")
    assert (seen.values, seen.version) == ({"A": CANARY, "Ü": ""}, "1")
    assert await opened(place).read("apps/none") is None
    assert [one.secret_ref async for one in opened(place).find({})] == ["apps/db", "apps/other"]
    assert [one async for one in opened(place).find({"team": "shop"})] == []
    lying = place / "shop.secrets"
    assert CANARY.encode() not in lying.read_bytes()
    assert b"apps/db" not in lying.read_bytes()
    assert (stat.S_IMODE(lying.stat().st_mode), stat.S_IMODE(place.stat().st_mode)) == (0o600, 0o700)
    for passphrase in ("another", "kept apart "):
        with pytest.raises(ProviderFailure) as refused:
            await opened(place, passphrase).read("apps/db")
        assert passphrase not in refused.value.message
        with pytest.raises(ProviderFailure):
            await opened(place, passphrase).write("apps/db", {"A": "theirs"}, seen)
    assert (await opened(place).read("apps/db")).values["A"] == CANARY


async def test_of_many_writers_at_once_none_is_lost(place):
    await asyncio.gather(*(opened(place).write(f"apps/{number}", {"A": str(number)}, None) for number in range(8)))
    assert len([one async for one in opened(place).find({})]) == 8
    seen = await opened(place).read("apps/0")
    ended = await asyncio.gather(
        *(opened(place).write("apps/0", {"A": f"ours-{number}"}, seen) for number in range(4)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["Conflict", "Conflict", "Conflict", "NoneType"]
    with pytest.raises(Conflict):
        await opened(place).write("apps/0", {"A": "new"}, None)


async def test_no_nonce_is_used_twice(place):
    seen, nonces = None, set()
    for number in range(5):
        await opened(place).write("apps/db", {"A": str(number)}, seen)
        seen = await opened(place).read("apps/db")
        raw = (place / "shop.secrets").read_bytes()
        nonces.add(raw[len(files.MAGIC) + files.SALT :][: files.NONCE])
    assert len(nonces) == 5


@pytest.mark.parametrize("change", ["cut", "flipped", "foreign", "empty", "long"])
async def test_a_file_that_is_not_whole_is_refused_and_stays(place, change, monkeypatch):
    await opened(place).write("apps/db", {"A": "1"}, None)
    lying = place / "shop.secrets"
    raw = lying.read_bytes()
    altered = {
        "cut": raw[:-1], "flipped": raw[:-1] + bytes([raw[-1] ^ 1]), "foreign": b"{}" * 100, "empty": b"", "long": raw,
    }[change]  # fmt: skip
    lying.write_bytes(altered)
    if change == "long":
        monkeypatch.setattr(files, "LARGEST", 10)
    for again in (opened(place).read("apps/db"), opened(place).write("apps/db", {"A": "2"}, None)):
        with pytest.raises(ProviderFailure) as refused:
            await again
        assert refused.value.code == "secret_provider_refused"
    assert lying.read_bytes() == altered
