"""Whose Caddy is ended when the ports are taken: one that a moved or removed directory left behind, no other."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.forsaken import forsaken
from quarterdeck.fleet.edge.ports import Ports, free_ports
from quarterdeck.fleet.edge.process import Identity, end_process, lives
from quarterdeck.fleet.edge.program import caddy_program
from quarterdeck.fleet.edge.routes import ProxyRoute
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.errors import Conflict
from support.edge_traffic import CHILD, application

pytestmark = pytest.mark.edge


class Place(NamedTuple):
    """Where a control plane keeps its data, the ports of its edge, and an edge that runs there."""

    data: Path
    ports: Ports
    old: Identity

    def edge(self, data: Path | None = None) -> Edge:
        root = (data or self.data) / "runtime"
        return Edge(root, http_port=self.ports.http, https_port=self.ports.https, address=self.ports.address)


@pytest.fixture
async def place(root: Path) -> AsyncIterator[Place]:
    http, https = free_ports(2, "127.0.0.1")
    ports = Ports(http=http, https=https, address="127.0.0.1")
    DataDirectory.open(root / "data")
    started = Place(root / "data", ports, Identity(pid=0, started=0, boot=""))
    server = DataDirectory(started.data)
    server.lock()
    async with started.edge() as edge:
        await edge.put_route(ProxyRoute(id="web", hostnames=("web.localhost",)))
        old = await edge.ensure_running()
    server.release()  # as a server that was killed leaves it
    try:
        yield started._replace(old=old)
    finally:
        for data in (root / name for name in ("data", "before", "moved", "beside")):
            with contextlib.suppress(Exception):
                async with Edge(data / "runtime") as left:
                    await left.stop(grace_seconds=1)
        await end_process(old, grace_seconds=1)


@pytest.mark.parametrize("removed", [False, True])
async def test_the_caddy_of_a_directory_that_was_moved_or_removed_gives_its_ports_to_the_one_in_its_place(
    place: Place, root: Path, removed: bool
):
    place.data.rename(root / "before")
    if removed:
        shutil.rmtree(root / "before")
    server = DataDirectory.open(place.data)
    server.lock()
    try:
        async with place.edge() as edge, application("here") as here:
            await edge.put_route(ProxyRoute(id="new", hostnames=("new.localhost",)))
            await edge.switch("new", here.upstream)
            status = await edge.status()
            assert status.running
            assert status.pid != place.old.pid
            assert not lives(place.old)
            async with httpx.AsyncClient() as client:
                address = f"http://127.0.0.1:{place.ports.http}/"
                assert (await client.get(address, headers={"Host": "new.localhost"}, timeout=30)).text == "here"
    finally:
        server.release()


@pytest.mark.parametrize("removed", [False, True])
async def test_one_whose_directory_a_living_server_has_is_named_and_left_alone(place: Place, root: Path, removed: bool):
    living = DataDirectory(place.data)
    living.lock()
    place.data.rename(root / "moved")
    if removed:
        shutil.rmtree(root / "moved")
    DataDirectory.open(place.data)
    await refused(place, place.data)
    living.release()


async def test_two_control_planes_on_one_machine_never_end_each_others_edge(place: Place, root: Path):
    """One's ports are taken by the other, by name at first and kept ones later."""
    beside = root / "beside"
    async with Edge(beside / "runtime", address="127.0.0.1") as other:
        http, https = free_ports(2, "127.0.0.1")
        async with Edge(beside / "runtime", http_port=http, https_port=https, address="127.0.0.1") as first:
            own = await first.ensure_running()
        await refused(place, beside)
        assert lives(own)
        assert await other.stop()
        await refused(place, beside)
        (beside / "runtime/edge/ports.json").write_bytes((place.data / "runtime/edge/ports.json").read_bytes())
        with pytest.raises(Conflict, match=f"process {place.old.pid} "):
            await other.ensure_running()
        assert (await other.in_the_way()) == [f"Port {place.ports.http} belongs to process {place.old.pid} (caddy)."]
    assert lives(place.old)


async def test_whoever_else_has_the_port_is_named(place: Place):
    async with place.edge() as edge:
        assert await edge.stop()
        with socket.create_server(("127.0.0.1", place.ports.http)), pytest.raises(Conflict, match=r"process \d+ \(py"):
            await edge.ensure_running()
        assert await edge.ensure_running()


async def test_an_edge_of_this_directory_and_a_directory_that_is_told_otherwise_are_not_forsaken(
    place: Place, root: Path, tmp_path: Path
):
    """What is looked at one by one: the lock, the program, the path, and whether the moved place can be known."""
    async with place.edge() as here, place.edge(root / "beside") as other:
        with forsaken(place.old, here.layout, caddy_program()) as ours:
            assert not ours
        with forsaken(place.old, other.layout, caddy_program()) as path:
            assert not path
        place.data.rename(root / "before")
        DataDirectory.open(place.data)
        await here._prepare_directory()
        here.layout.process_lock.touch()
        with forsaken(place.old, here.layout, tmp_path / "caddy") as program:
            assert not program
        with forsaken(place.old, here.layout, caddy_program()) as certain:
            assert certain
            with pytest.raises(Conflict, match="in use"):  # nobody can begin there meanwhile
                DataDirectory(root / "before").lock()
        (root / "before/lock").unlink()
        with forsaken(place.old, here.layout, caddy_program()) as unknown:
            assert not unknown
    assert lives(place.old)


@pytest.mark.root
async def test_a_caddy_among_other_mounts_is_left_alone(place: Place, root: Path):
    """The same path is another directory there, as in a container that shows its processes to the host."""
    async with place.edge() as edge:
        assert await edge.stop()
        ports = f"http_port={place.ports.http}, https_port={place.ports.https}, address='127.0.0.1'"
        program = (
            "import asyncio, pathlib\nfrom quarterdeck.fleet.edge.edge import Edge\n"
            f"asyncio.run(Edge(pathlib.Path({str(edge.layout.directory.parent)!r}), {ports}).ensure_running())"
        )
        words = ["unshare", "--mount", sys.executable, "-c", program]
        assert await (await asyncio.create_subprocess_exec(*words, env=CHILD)).wait() == 0
        apart = await edge.ensure_running()
    place.data.rename(root / "before")
    try:
        await refused(place._replace(old=apart), place.data)
    finally:
        await end_process(apart, grace_seconds=1)


async def refused(place: Place, data: Path) -> None:
    """An edge of another directory that wants the ports of the old one gets a conflict that names it."""
    async with place.edge(data) as edge:
        with pytest.raises(Conflict) as conflict:
            await edge.ensure_running()
    assert conflict.value.code == "edge_proxy_host_port_conflict"
    assert f"process {place.old.pid} (caddy)" in conflict.value.message
    assert conflict.value.details["pid"] == place.old.pid
    assert lives(place.old)
