"""Files of this machine: what waits for the disk makes nobody else wait."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from quarterdeck.fleet.edge.files import LocalFiles, unfinished


async def test_a_write_waits_for_the_disk_on_a_thread_of_its_own(tmp_path: Path, monkeypatch) -> None:
    waited: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        waited.append(threading.get_ident())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    await LocalFiles().write_atomic(tmp_path / "upstream", b"127.0.0.1:1")
    assert (tmp_path / "upstream").read_bytes() == b"127.0.0.1:1"
    assert (tmp_path / "upstream").stat().st_mode & 0o777 == 0o600
    assert len(waited) == 2
    assert threading.get_ident() not in waited


async def test_who_is_interrupted_holds_the_lock_until_the_disk_has_it(tmp_path: Path, monkeypatch) -> None:
    begun, go_on, order = threading.Event(), threading.Event(), []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        begun.set()
        assert go_on.wait(10)
        real(descriptor)
        order.append("written")

    files, path = LocalFiles(), tmp_path / "upstream"

    async def write() -> None:
        async with files.lock(tmp_path / "lock"):
            await files.write_atomic(path, b"127.0.0.1:1")

    monkeypatch.setattr(os, "fsync", fsync)
    task = asyncio.create_task(write())
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    asyncio.get_running_loop().call_later(0.2, go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    order.append("let go of")
    assert order == ["written", "let go of"]
    assert not path.exists()
    assert unfinished(path).read_bytes() == b"127.0.0.1:1"
