"""Files of a server, over a real SFTP session."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from quarterdeck.fleet.edge.files import unfinished
from quarterdeck.fleet.targets.files import SshFiles
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.errors import Invalid, Problem, ProviderFailure, Timeout
from real.sshd import Sshd

pytestmark = pytest.mark.sshd


@pytest.fixture
async def files(login: Login):
    async with await SshHost.connect(login) as host:
        made = SshFiles(host)
        yield made
        await made.close()


async def test_a_reader_sees_the_old_content_or_the_new(files: SshFiles, tmp_path: Path) -> None:
    path = tmp_path / "a 'quoted' $name"
    assert await files.read(path) is None
    await files.write_atomic(path, b"one")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"one", 0o600)
    await files.write_atomic(path, b"one", group=os.getgid())
    assert (path.stat().st_gid, path.stat().st_mode & 0o777) == (os.getgid(), 0o640)
    long = bytes(range(256)) * 4096
    seen: set[bytes] = set()

    async def look() -> None:
        while long not in seen:
            seen.add(path.read_bytes())
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await files.write_atomic(path, long)
    await asyncio.wait_for(looking, 10)
    assert seen <= {b"one", long}
    assert await files.read(path) == long
    assert not unfinished(path).exists()


async def test_names_are_listed_moved_and_removed(files: SshFiles, tmp_path: Path) -> None:
    deep = tmp_path / "x" / "y"
    assert await files.list(deep) == []
    await files.make_directory(deep, mode=0o750)
    await files.make_directory(deep)
    for name in ("b", "a", ".c.new"):
        (deep / name).write_text(name)
    assert await files.list(deep) == ["a", "b"]
    await files.rename(deep / "a", deep / "b")
    assert (deep / "b").read_text() == "a"
    assert (await files.remove(deep / "b"), await files.remove(deep / "b")) == (True, False)


async def test_links_that_lead_out_are_found(files: SshFiles, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "deep").mkdir(parents=True)
    (site / "deep" / "in").symlink_to("../page")
    (site / "out").symlink_to("/etc/passwd")
    (site / "deep" / "two\nlines").symlink_to("../../elsewhere")
    assert await files.outward_links(site) == ["deep/two\nlines", "out"]
    with pytest.raises(Invalid):
        await files.outward_links(tmp_path / "none")


async def test_a_lock_is_held_by_one_and_given_free(files: SshFiles, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    async with files.lock(path):
        with pytest.raises(Timeout):
            async with files.lock(path, seconds=0.2):
                raise AssertionError
    async with files.lock(path, seconds=5):
        assert path.exists()


async def test_a_refusal_names_the_path(files: SshFiles, tmp_path: Path) -> None:
    with pytest.raises(ProviderFailure) as refused:
        await files.write_atomic(tmp_path / "none" / "file", b"x")
    assert refused.value.code == "remote_file_refused"
    assert str(tmp_path / "none" / "file") in refused.value.message


async def test_a_cut_connection_leaves_the_old_file(files: SshFiles, server: Sshd, tmp_path: Path) -> None:
    path = tmp_path / "file"
    await files.write_atomic(path, b"old")
    long = b"new" * 100_000

    async def write_on() -> None:
        while True:
            await files.write_atomic(path, long)

    writing = asyncio.create_task(write_on())
    await asyncio.sleep(0.2)
    server.cut()
    with pytest.raises(Problem) as lost:
        await asyncio.wait_for(writing, 20)
    assert lost.value.code in {"ssh_connection_lost", "ssh_command_refused"}
    assert path.read_bytes() in {b"old", long}


async def test_a_server_that_does_not_answer_about_a_file_is_not_waited_for(login: Login, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "silent")
    async with await SshHost.connect(login) as host:
        files = SshFiles(host, seconds=0.5)
        with pytest.raises(Timeout) as refused:
            await asyncio.wait_for(files.read(tmp_path / "silent"), 10)
        assert refused.value.code == "remote_file_timeout"
        assert await files.list(tmp_path) == ["silent"]  # over a new session: the old one is left
        await asyncio.wait_for(files.close(), 10)


async def test_a_file_without_an_end_is_not_read(files: SshFiles) -> None:
    with pytest.raises(ProviderFailure) as refused:
        await asyncio.wait_for(files.read(Path("/dev/zero")), 60)
    assert refused.value.code == "remote_file_refused"
