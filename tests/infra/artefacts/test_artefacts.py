"""Saved plans: whole or not there, sealed wherever they lie, and given out only as they were taken in."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from moto.server import ThreadedMotoServer

from quarterdeck.infra.artefacts import sealing
from quarterdeck.infra.artefacts.artefacts import LARGEST, Artefacts, Kept
from quarterdeck.infra.artefacts.local import LocalStore
from quarterdeck.infra.artefacts.s3 import Bucket, S3Store
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound, Problem, Unavailable
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault
from support.databases import fresh_database

JOB = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def vault(tmp_path):
    from quarterdeck.kernel.db import open_database

    with fresh_database("sqlite", tmp_path, None) as address:
        db = open_database(address)
        made = Vault(LocalBackend(tmp_path / "master.key"))
        made.unlock(db)
        yield made
        db.close_sync()


@pytest.fixture(params=["local", "s3"])
def yard(request, tmp_path, vault):
    """The artefacts, and how to reach behind them."""
    if request.param == "local":
        store = LocalStore(tmp_path / "artefacts")

        def raw(key: str) -> Path:
            return store.root / key

        yield SimpleNamespace(
            artefacts=Artefacts(store, vault), store=store, read=lambda key: raw(key).read_bytes(),
            write=lambda key, data: raw(key).write_bytes(data),
        )  # fmt: skip
        return
    address = request.getfixturevalue("moto")
    client = boto3.client("s3", endpoint_url=address, aws_access_key_id="a", aws_secret_access_key="b",
                          region_name="us-east-1")  # fmt: skip
    name = f"plans-{Ids().text(8)}"
    client.create_bucket(Bucket=name)
    bucket = Bucket.at(f"s3://{name}/deck/plans", endpoint=address, access_key=Secret("a"), secret_key=Secret("b"))
    store = S3Store(bucket, tmp_path / "scratch")
    yield SimpleNamespace(
        artefacts=Artefacts(store, vault), store=store,
        read=lambda key: client.get_object(Bucket=name, Key=f"deck/plans/{key}")["Body"].read(),
        write=lambda key, data: client.put_object(Bucket=name, Key=f"deck/plans/{key}", Body=data),
    )  # fmt: skip
    client.close()


async def pieces(*some: bytes) -> AsyncIterator[bytes]:
    for one in some:
        yield one


async def whole(given: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in given])


def incoming(yard) -> list[Path]:
    return list(yard.store.incoming.iterdir())


async def test_what_is_taken_in_is_given_out_and_nothing_of_it_lies_there_in_the_clear(yard) -> None:
    data = [b"a secret plan " * 1000, b"x" * (3 << 20), b"the end"]
    kept = await yard.artefacts.take(Ids(), JOB, pieces(*data))
    together = b"".join(data)
    assert (kept.sha256, kept.size) == (hashlib.sha256(together).hexdigest(), len(together))
    assert kept.key.startswith(f"{JOB}/")
    assert await whole(await yard.artefacts.give(kept)) == together
    assert b"a secret plan" not in yard.read(kept.key)
    assert incoming(yard) == []
    assert [one.key for one in yard.store.listed()] == [kept.key]
    assert yard.store.there(kept.key) is not False


async def test_an_upload_never_writes_over_the_one_before(yard) -> None:
    first = await yard.artefacts.take(Ids(), JOB, pieces(b"first"))
    second = await yard.artefacts.take(Ids(), JOB, pieces(b"second"))
    assert await whole(await yard.artefacts.give(first)) == b"first"
    assert await whole(await yard.artefacts.give(second)) == b"second"
    await yard.artefacts.delete(first.key)
    await yard.artefacts.delete(first.key)
    assert await yard.artefacts.state(first) == "missing"
    with pytest.raises(NotFound):
        await yard.artefacts.give(first)
    assert await yard.artefacts.state(second) == "whole"


async def test_what_was_altered_cut_off_or_put_in_another_place_is_not_given_out(yard) -> None:
    kept = await yard.artefacts.take(Ids(), JOB, pieces(b"x" * (2 << 20), b"y"))
    other = await yard.artefacts.take(Ids(), OTHER, pieces(b"x" * (2 << 20), b"y"))
    data = yard.read(kept.key)
    first = 4 + int.from_bytes(data[:4], "big")
    swapped = data[first : 2 * first] + data[:first] + data[2 * first :]
    flipped = data[:100] + bytes([data[100] ^ 1]) + data[101:]
    elsewhere = yard.read(other.key)
    for wrong in (flipped, data[:-1], data[:first], swapped, b"", b"\xff" * 64, elsewhere):
        yard.write(kept.key, wrong)
        assert await yard.artefacts.state(kept) == "damaged", wrong[:8]
        with pytest.raises(Conflict, match="altered"):
            await yard.artefacts.give(kept)
    yard.write(kept.key, data + data[:first])
    assert await whole(await yard.artefacts.give(kept)) == b"x" * (2 << 20) + b"y", "what is behind it is never read"
    assert await yard.artefacts.state(Kept(kept.key, "0" * 64, kept.size)) == "damaged"
    assert await yard.artefacts.state(Kept(kept.key, kept.sha256, 1)) == "damaged"


async def test_nothing_of_a_refused_upload_is_left(yard) -> None:
    with pytest.raises(Invalid, match="Empty body"):
        await yard.artefacts.take(Ids(), JOB, pieces())
    with pytest.raises(Invalid, match="50 MiB"):
        await yard.artefacts.take(Ids(), JOB, pieces(*[b"x" * (10 << 20)] * 5, b"x"))

    async def breaks() -> AsyncIterator[bytes]:
        yield b"begun"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await yard.artefacts.take(Ids(), JOB, breaks())

    async def hangs() -> AsyncIterator[bytes]:
        yield b"begun"
        await asyncio.Event().wait()

    task = asyncio.create_task(yard.artefacts.take(Ids(), JOB, hangs()))
    while not incoming(yard):
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert incoming(yard) == []
    assert list(yard.store.listed()) == []


async def test_the_largest_that_is_allowed_is_kept(yard) -> None:
    kept = await yard.artefacts.take(Ids(), JOB, pieces(*[b"x" * (1 << 20)] * 50))
    assert kept.size == LARGEST
    assert await yard.artefacts.state(kept) == "whole"


@pytest.mark.parametrize("key", ["../x", f"{JOB}/..", f"{JOB}/../{OTHER}", "", "/etc/passwd", f"{JOB}/{'A' * 16}"])
async def test_what_is_no_key_never_becomes_a_place(yard, key) -> None:
    for call in (yard.store.open, yard.store.delete, yard.store.there):
        if call == yard.store.there and isinstance(yard.store, S3Store):
            continue
        with pytest.raises(ValueError, match="no key"):
            call(key)


async def test_files_and_directories_are_their_owners_alone(tmp_path, vault) -> None:
    artefacts = Artefacts(LocalStore(tmp_path / "artefacts"), vault)
    kept = await artefacts.take(Ids(), JOB, pieces(b"x"))
    root = tmp_path / "artefacts"
    assert stat.S_IMODE((root / kept.key).stat().st_mode) == 0o600
    for directory in (root, root / JOB, root / ".incoming"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    await artefacts.delete(kept.key)
    assert not (root / JOB).exists()


async def test_a_place_that_cannot_be_used_says_so_and_no_credential(tmp_path, vault, moto) -> None:
    (tmp_path / "artefacts").touch()
    with pytest.raises(Unavailable):
        await Artefacts(LocalStore(tmp_path / "artefacts"), vault).take(Ids(), JOB, pieces(b"x"))
    bucket = Bucket.at("s3://not-there", endpoint=moto, access_key=Secret("AKIAHIDDEN"), secret_key=Secret("hidden"))
    store = S3Store(bucket, tmp_path / "scratch")
    artefacts = Artefacts(store, vault)
    with pytest.raises(Unavailable) as refused:
        await artefacts.take(Ids(), JOB, pieces(b"x"))
    assert "NoSuchBucket" in refused.value.message
    assert "hidden" not in f"{refused.value.message} {refused.value.hint} {bucket!r}".replace("HIDDEN", "")
    assert "AKIAHIDDEN" not in repr(bucket)
    with pytest.raises(Problem):
        list(store.listed())
    assert list(store.incoming.iterdir()) == []


async def test_without_a_listener_the_bucket_is_unavailable(tmp_path, vault, monkeypatch) -> None:
    monkeypatch.setattr("quarterdeck.infra.artefacts.s3.TRIES", 1)
    bucket = Bucket.at("s3://plans", endpoint="http://127.0.0.1:9", access_key=Secret("a"), secret_key=Secret("b"))
    with pytest.raises(Unavailable, match="EndpointConnectionError"):
        await Artefacts(S3Store(bucket, tmp_path / "scratch"), vault).take(Ids(), JOB, pieces(b"x"))


def test_pieces_are_bounded_whatever_a_file_says(vault, tmp_path) -> None:
    file = tmp_path / "x"
    file.write_bytes((2**31).to_bytes(4, "big") + b"x" * 100)
    with file.open("rb") as stream:
        assert list(sealing.opened(vault, f"{JOB}/{'a' * 16}", stream)) == []
