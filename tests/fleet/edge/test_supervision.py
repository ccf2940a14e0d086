"""What becomes of the edge when processes die, lie or meet."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.ports import free_ports
from quarterdeck.fleet.edge.process import Identity, decode_identity, identify, lives, process_lock
from quarterdeck.fleet.edge.program import Account, caddy_program
from quarterdeck.fleet.edge.routes import ProxyRoute
from quarterdeck.kernel.errors import Conflict, Unavailable
from support.edge_traffic import CHILD, application, descriptors, environment, process_status, until

pytestmark = pytest.mark.edge

WEB = ProxyRoute(id="web", hostnames=("web.localhost",))


async def running_again(edge: Edge) -> bool:
    return (await edge.status()).running


async def test_a_killed_edge_comes_back_with_the_same_routes_and_upstreams(edge: Edge, get):
    await edge.put_route(WEB)
    async with application("here") as here:
        await edge.switch("web", here.upstream)
        first = await edge.ensure_running()
        keeper = asyncio.create_task(edge.keep_running())
        await asyncio.sleep(0.1)
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: running_again(edge))
        assert (await get("web.localhost/")).text == "here"
        second = await edge.ensure_running()
        assert second != first
        assert await edge.stop()
        async with asyncio.timeout(5):
            await keeper
        assert not lives(second)


async def test_the_edge_outlives_the_process_that_started_it_and_is_adopted(edge: Edge, root: Path):
    ports = f"http_port={edge._named[0]}, https_port={edge._named[1]}, address='127.0.0.1'"
    secret = root / "secret"
    program = (
        "import asyncio, os, pathlib\nfrom quarterdeck.fleet.edge.edge import Edge\n"
        f"os.set_inheritable(os.open({str(secret)!r}, os.O_CREAT), True)\n"
        f"print(asyncio.run(Edge(pathlib.Path({str(root)!r}), {ports}).ensure_running()).pid)"
    )
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE, env=CHILD)
    said, _ = await done.communicate()
    pid = int(said.split()[-1])
    assert (await edge.ensure_running()).pid == pid
    assert os.getsid(pid) != os.getsid(0)
    assert str(secret) not in descriptors(pid)
    assert str(edge.layout.process_lock) in descriptors(pid)
    assert "PYTEST_CURRENT_TEST" not in environment(pid)


async def test_an_edge_whose_record_was_lost_is_found_by_its_admin_socket(edge: Edge):
    started = await edge.ensure_running()
    edge.layout.process.write_bytes(b'{"pid": 1')
    assert await edge.ensure_running() == started
    assert decode_identity(edge.layout.process.read_bytes()) == started


async def test_a_stale_record_of_a_foreign_process_kills_nobody(edge: Edge):
    await edge.ensure_running()
    await edge.stop()
    stranger = subprocess.Popen(["/bin/sleep", "60"])  # noqa: ASYNC220 - returns at once
    try:
        alive = identify(stranger.pid)
        assert alive is not None
        stale = Identity(pid=alive.pid, started=alive.started - 1, boot=alive.boot)
        edge.layout.process.write_bytes(msgspec.json.encode(stale))
        assert not await edge.stop()
        assert (await edge.ensure_running()).pid != stranger.pid
        assert await edge.stop()
        edge.layout.process.write_bytes(msgspec.json.encode(Identity(pid=alive.pid, started=alive.started, boot="x")))
        assert not await edge.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_second_edge_on_a_directory_that_somebody_else_holds_is_refused(edge: Edge, root: Path):
    edge.layout.directory.mkdir()
    with process_lock(edge.layout.process_lock) as held:
        assert held is not None
        with pytest.raises(Conflict) as refused:
            await edge.ensure_running()
    assert refused.value.code == "edge_proxy_host_port_conflict"
    assert (await edge.ensure_running()).pid


async def test_two_control_planes_on_one_directory_share_one_caddy(edge: Edge, root: Path):
    async with Edge(root) as other:
        first, second = await asyncio.gather(edge.ensure_running(), other.ensure_running())
        assert first == second
        assert other.ports == edge.ports


@pytest.mark.parametrize("reuse", [False, True])
async def test_a_named_port_that_is_taken_is_a_conflict_even_if_it_could_be_shared(edge: Edge, reuse: bool):
    with socket.socket() as taken:
        if reuse:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", edge._named[0] or 0))
        taken.listen()
        with pytest.raises(Conflict) as refused:
            await edge.ensure_running()
    assert refused.value.code == "edge_proxy_host_port_conflict"
    assert refused.value.details["port"] == edge._named[0]
    assert not (await edge.status()).running


async def test_ports_are_kept_and_shown_in_every_address(edge: Edge, root: Path):
    await edge.ensure_running()
    assert edge.url_for("web.localhost") == f"http://web.localhost:{edge.ports.http}"
    assert edge.url_for("web.localhost", tls=True) == f"https://web.localhost:{edge.ports.https}"
    await edge.stop()
    async with Edge(root) as again:
        with pytest.raises(Unavailable):
            again.url_for("web.localhost")
        await again.ensure_running()
        assert again.ports == edge.ports


async def test_a_running_edge_moves_to_a_newly_named_port(edge: Edge, root: Path):
    started = await edge.ensure_running()
    [port] = free_ports(1, "127.0.0.1")
    async with Edge(root, http_port=port) as other:
        assert await other.ensure_running() == started
        assert other.url_for("a.localhost") == f"http://a.localhost:{port}"
        with socket.create_connection(("127.0.0.1", port)):
            pass


async def test_a_taken_port_is_not_moved_to_and_the_old_one_stays(edge: Edge, root: Path):
    await edge.ensure_running()
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with Edge(root, http_port=taken.getsockname()[1]) as other:
            with pytest.raises(Conflict):
                await other.ensure_running()
    assert (await edge.status()).ports == edge.ports
    with socket.create_connection(("127.0.0.1", edge.ports.http)):
        pass


async def test_lost_ports_are_read_from_the_edge_that_runs(edge: Edge, root: Path):
    await edge.ensure_running()
    edge.layout.ports.unlink()
    async with Edge(root) as other:
        await other.ensure_running()
        assert other.ports == edge.ports


async def test_a_route_file_that_cannot_be_read_is_named_and_loses_no_other(edge: Edge, get):
    await edge.put_route(WEB)
    edge.layout.route("torn").write_text("{")
    with pytest.raises(Unavailable, match=r"torn\.json"):
        await edge.remove_route("web")
    assert (await get("web.localhost/")).status_code == 503


async def test_an_edge_that_cannot_run_the_present_routes_serves_the_generation_before(edge: Edge, get):
    await edge.put_route(WEB)
    async with application("here") as here:
        await edge.switch("web", here.upstream)
        await edge.stop()
        broken = '{"kind":"proxy","id":"bad","hostnames":["bad.localhost"],"tls":"files","certificate_file":"/none",'
        edge.layout.route("bad").write_text(broken + '"key_file":"/none"}')
        with pytest.raises(Exception, match="refused the new routes"):
            await edge.ensure_running()
        assert (await get("web.localhost/")).text == "here"


@pytest.mark.root
async def test_an_account_is_taken_and_every_power_but_low_ports_is_given_up(root: Path):
    os.chmod(root, 0o755)  # noqa: PTH101, S103 - the account has to reach it
    http, https = free_ports(2, "127.0.0.1")
    account = Account(64_321, 64_321)
    async with Edge(root, http_port=http, https_port=https, address="127.0.0.1", account=account) as edge:
        try:
            identity = await edge.ensure_running()
            status = process_status(identity.pid)
            assert status["Uid"].split() == ["64321"] * 4
            assert not status["Groups"]
            assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 1 << 10
            assert status["NoNewPrivs"] == "1"
            assert await edge.put_route(WEB)
            assert stat.S_IMODE(edge.layout.upstream("web").stat().st_mode) == 0o640
            assert stat.S_IMODE(edge.layout.routes.stat().st_mode) == 0o700
            async with application("here") as here, httpx.AsyncClient() as client:
                await edge.switch("web", here.upstream)
                answer = await client.get(f"http://127.0.0.1:{http}/", headers={"Host": "web.localhost"})
                assert answer.text == "here"
            os.kill(identity.pid, signal.SIGKILL)
            await asyncio.sleep(0.05)
            assert (await edge.ensure_running()) != identity
        finally:
            await edge.stop()


def test_the_program_is_the_one_of_this_environment():
    program = caddy_program()
    assert program.parent == Path(sys.prefix) / "bin"
    assert subprocess.run([program, "version"], check=True, capture_output=True, text=True).stdout.startswith("v2.")
