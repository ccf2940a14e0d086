"""What a change of the route set promises: all or nothing, nobody else's route lost, no needless reload."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from quarterdeck.fleet.edge.admin import ConfigurationChanged, ConfigurationRefused
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.refusals import explained
from quarterdeck.fleet.edge.routes import ProxyRoute, RedirectRoute
from quarterdeck.kernel.errors import Conflict, Invalid, Unavailable
from support.certificates import issued
from support.edge_traffic import CHILD, application

pytestmark = pytest.mark.edge

WEB = ProxyRoute(id="web", hostnames=("web.localhost",))
BROKEN = ProxyRoute(
    id="broken", hostnames=("broken.localhost",), tls="files", certificate_file="/missing.pem", key_file="/missing.key"
)


async def test_a_refused_configuration_leaves_the_old_one_serving_and_nothing_written(edge: Edge, get):
    await edge.put_route(WEB)
    async with application("here") as here:
        await edge.switch("web", here.upstream)
        loaded = edge.layout.current.read_bytes()
        with pytest.raises(ConfigurationRefused) as refused:
            await edge.put_route(BROKEN)
        assert refused.value.code == "edge_proxy_configuration_refused"
        assert "/missing.pem" not in refused.value.message
        assert "those before: the certificate or its key for broken.localhost is missing." in refused.value.message
        assert "Put a whole certificate" in (refused.value.hint or "")
        assert edge.layout.current.read_bytes() == loaded
        assert set(await edge.routes()) == {"web"}
        assert [path.name for path in edge.layout.upstreams.iterdir()] == ["web"]
        assert (await get("web.localhost/")).text == "here"
        assert await edge.put_route(RedirectRoute(id="next", hostnames=("n.localhost",), target="https://a.example"))


@pytest.mark.parametrize(
    ("certificate", "key", "told"),
    [
        (b"nonsense", None, "certificate or its key for own.localhost is not one in PEM form"),
        (None, b"nonsense", "certificate or its key for own.localhost is not one in PEM form"),
        (None, issued("other")[1], "certificate and key for own.localhost do not belong together"),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_said(edge: Edge, tmp_path: Path, certificate, key, told):
    whole = issued("own.localhost")
    (tmp_path / "a.pem").write_bytes(certificate or whole[0])
    (tmp_path / "a.key").write_bytes(key or whole[1])
    files = {"certificate_file": str(tmp_path / "a.pem"), "key_file": str(tmp_path / "a.key")}
    with pytest.raises(ConfigurationRefused) as refused:
        await edge.put_route(ProxyRoute(id="own", hostnames=("own.localhost",), tls="files", **files))
    assert told in refused.value.message
    assert str(tmp_path) not in refused.value.message
    assert await edge.routes() == {}


async def test_a_program_that_does_not_know_what_we_ask_for_is_named_as_another_version(edge: Edge):
    await edge.ensure_running()
    configuration, tag = await edge._admin.configuration()
    assert configuration is not None
    for name, foreign in (("the module frob", {"apps": {"frob": {}}}), ("the setting frob", {"frob": 1})):
        with pytest.raises(ConfigurationRefused) as refused:
            await edge._admin.load({**configuration, **foreign}, tag)
        told = explained(refused.value, ())
        assert f"does not know {name}, so it is another version" in told.message
        assert told.hint == "Have ours started in its place: qd server edge, with the name of that server"


async def test_one_bad_route_of_a_batch_does_not_refuse_the_others(edge: Edge):
    await edge.ensure_running()
    good = [ProxyRoute(id=f"r{number}", hostnames=(f"r{number}.localhost",)) for number in range(3)]
    outcomes = await asyncio.gather(*(edge.put_route(route) for route in [*good, BROKEN]), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [bool, bool, bool, ConfigurationRefused]
    assert set(await edge.routes()) == {"r0", "r1", "r2"}


async def test_changes_that_wait_are_loaded_together(edge: Edge):
    await edge.ensure_running()
    loads = 0
    load = edge._admin.load

    async def counted(*arguments) -> None:
        nonlocal loads
        loads += 1
        await load(*arguments)

    edge._admin.load = counted
    await asyncio.gather(
        *(edge.put_route(ProxyRoute(id=f"r{number}", hostnames=(f"r{number}.localhost",))) for number in range(20))
    )
    assert len(await edge.routes()) == 20
    assert loads <= 2
    assert not await edge.put_route(ProxyRoute(id="r3", hostnames=("r3.localhost",)))
    assert not await edge.remove_route("unknown")
    assert loads <= 2


async def test_two_processes_that_change_routes_at_once_lose_nothing(edge: Edge, root: Path):
    await edge.ensure_running()
    program = (
        "import asyncio, pathlib, sys\nfrom quarterdeck.fleet.edge.edge import Edge\n"
        "from quarterdeck.fleet.edge.routes import ProxyRoute\n"
        "async def main():\n"
        f"    edge = Edge(pathlib.Path({str(root)!r}))\n"
        "    for number in range(8):\n"
        "        name = f'{sys.argv[1]}{number}'\n"
        "        await edge.put_route(ProxyRoute(id=name, hostnames=(name + '.localhost',)))\n"
        "asyncio.run(main())"
    )
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, name, stdout=subprocess.DEVNULL, env=CHILD)
        for name in "ab"
    ]
    assert [await process.wait() for process in processes] == [0, 0]
    expected = {f"{name}{number}" for name in "ab" for number in range(8)}
    assert set(await edge.routes()) == expected
    running, _ = await edge._admin.configuration()
    assert running == msgspec.json.decode(edge.layout.current.read_bytes())
    assert {name for name in expected if f"{name}.localhost" in str(running)} == expected


async def test_a_load_with_an_old_tag_is_refused(edge: Edge):
    await edge.ensure_running()
    running, tag = await edge._admin.configuration()
    assert running is not None
    await edge.put_route(WEB)
    with pytest.raises(ConfigurationChanged):
        await edge._admin.load(running, tag)


async def test_a_removed_route_takes_its_upstream_with_it(edge: Edge, get):
    await edge.put_route(WEB)
    await edge.switch("web", "127.0.0.1:1")
    previous = edge.layout.current.read_bytes()
    assert await edge.remove_route("web")
    assert (await get("web.localhost/")).status_code == 404
    assert list(edge.layout.upstreams.iterdir()) == []
    assert edge.layout.previous.read_bytes() == previous


async def test_a_hostname_belongs_to_one_route(edge: Edge):
    await edge.put_route(WEB)
    with pytest.raises(Conflict) as refused:
        await edge.put_route(ProxyRoute(id="thief", hostnames=("web.localhost",)))
    assert refused.value.details["relatedEntityId"] == "web"
    assert await edge.put_route(ProxyRoute(id="part", hostnames=("web.localhost",), path_prefix="/api"))


async def test_a_change_after_the_edge_died_starts_it_again(edge: Edge):
    await edge.put_route(WEB)
    await edge.stop()
    assert await edge.put_route(ProxyRoute(id="other", hostnames=("other.localhost",)))
    assert (await edge.status()).routes == ("other", "web")
    assert (await edge.status()).running


async def test_a_stopped_edge_says_that_it_does_not_answer(edge: Edge):
    await edge.ensure_running()
    await edge.stop()
    with pytest.raises(Unavailable):
        await edge.requests_in_flight("127.0.0.1:1")


async def test_a_bad_route_never_reaches_the_proxy(edge: Edge):
    for bad in [
        ProxyRoute(id="Bad/../id", hostnames=("a.localhost",)),
        ProxyRoute(id="a", hostnames=()),
        ProxyRoute(id="a", hostnames=("{env.HOME}.localhost",)),
        ProxyRoute(id="a", hostnames=("a.localhost",), path_prefix="api"),
        RedirectRoute(id="a", hostnames=("a.localhost",), target="https://{env.SECRET}/"),
        RedirectRoute(id="a", hostnames=("a.localhost",), target="javascript:alert(1)"),
    ]:
        with pytest.raises(Invalid):
            await edge.put_route(bad)
    assert not edge.layout.directory.exists()
