"""What a cut-over promises to the people who are using the application at that moment."""

from __future__ import annotations

import asyncio
import os

import pytest
from websockets.asyncio.client import connect

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.routes import ProxyRoute
from quarterdeck.kernel.errors import Invalid, NotFound, Unavailable
from support.edge_traffic import Application, Load, application, echo_websocket
from support.promptness import best

pytestmark = pytest.mark.edge

WEB = ProxyRoute(id="web", hostnames=("web.localhost",))


async def test_no_request_fails_during_twenty_cut_overs_of_an_application_that_leaves_rudely(edge: Edge):
    await edge.put_route(WEB)
    async with application("version 0") as first:
        await edge.switch("web", first.upstream)
        load = Load(port=edge.ports.http, host="web.localhost", rate=400)
        running = asyncio.create_task(load.run())
        leaving = first
        for number in range(1, 21):
            coming = await Application(f"version {number}").start()
            assert await edge.switch("web", coming.upstream) == leaving.upstream
            await edge.drain(leaving.upstream, 5)
            await leaving.end()
            leaving = coming
            await asyncio.sleep(0.15)
        load.end()
        rate = await running
        await leaving.end()
    assert not load.failures
    assert {f"version {number}" for number in range(1, 21)} <= set(load.answers)
    assert rate >= 200


async def test_a_switch_takes_milliseconds_and_answers_what_stood_before(edge: Edge):
    await edge.put_route(WEB)
    assert await edge.switch("web", "127.0.0.1:1001") is None
    ports = iter(range(1002, 1022))

    async def switched() -> None:
        port = next(ports)
        assert await edge.switch("web", f"127.0.0.1:{port}") == f"127.0.0.1:{port - 1}"

    assert await best(switched, 0.05) <= 0.05


async def test_a_switch_of_an_unknown_route_writes_nothing(edge: Edge):
    await edge.put_route(WEB)
    with pytest.raises(NotFound):
        await edge.switch("other", "127.0.0.1:1001")
    assert not edge.layout.upstream("other").exists()
    with pytest.raises(Invalid):
        await edge.switch("../routes/web.json", "127.0.0.1:1001")
    with pytest.raises(Invalid):
        await edge.switch("web", "127.0.0.1:1001\n{env.HOME}")


async def test_a_crash_between_temporary_file_and_rename_leaves_the_old_upstream(edge: Edge, get):
    await edge.put_route(WEB)
    async with application("old") as old, application("new") as new:
        await edge.switch("web", old.upstream)
        child = os.fork()
        if child == 0:
            try:
                os.replace = lambda *_: os._exit(9)
                asyncio.new_event_loop().run_until_complete(
                    Edge(edge.layout.directory.parent).switch("web", "1.1.1.1:1")
                )
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, child, 0))[1]) == 9
        assert [path.name for path in edge.layout.upstreams.iterdir() if path.name.startswith(".")]
        assert (await get("web.localhost/")).text == "old"
        assert await edge.switch("web", new.upstream) == old.upstream
        assert (await get("web.localhost/")).text == "new"


async def test_a_websocket_outlives_the_cut_over_and_a_reload_until_its_application_ends(edge: Edge):
    await edge.put_route(WEB)
    async with application("new") as new, echo_websocket() as old:
        await edge.switch("web", old)
        async with connect("ws://web.localhost/", host="127.0.0.1", port=edge.ports.http) as socket:
            await socket.send("before")
            assert await socket.recv() == "before"
            await edge.switch("web", new.upstream)
            assert await edge.put_route(ProxyRoute(id="other", hostnames=("other.localhost",)))
            assert await edge.requests_in_flight(old) == 1
            assert await edge.drain(old, 0.5) == 1
            await socket.send("after")
            assert await socket.recv() == "after"
        assert await edge.drain(old, 5) == 0


async def test_drain_waits_for_the_slow_request_that_came_before_the_cut_over(edge: Edge, get):
    await edge.put_route(WEB)
    async with application("slow", delay=0.6) as slow, application("new") as new:
        await edge.switch("web", slow.upstream)
        asked = asyncio.create_task(get("web.localhost/"))
        await asyncio.sleep(0.2)
        await edge.switch("web", new.upstream)
        assert await edge.drain(slow.upstream, 5) == 0
        await slow.end()
        assert (await asked).text == "slow"


async def test_a_candidate_is_reached_through_the_edge_before_anybody_is_led_to_it(edge: Edge, get):
    await edge.put_route(WEB)
    async with application("old") as old, application("new") as new:
        await edge.switch("web", old.upstream)
        candidate = await edge.candidate("web", new.upstream)
        answer = await edge.probe(candidate, "/health?deep=1")
        assert (answer.status, answer.body) == (200, b"new")
        assert new.requests[-1].startswith("GET /health?deep=1 ")
        assert (await get("web.localhost/")).text == "old"
        assert edge.layout.candidate_socket.stat().st_mode & 0o077 == 0
        await edge.clear_candidate("web")
        assert (await edge.probe(candidate, "/")).status == 503


async def test_a_probe_of_an_edge_that_is_gone_says_so(edge: Edge):
    await edge.put_route(WEB)
    candidate = await edge.candidate("web", "127.0.0.1:1")
    await edge.stop()
    with pytest.raises(Unavailable):
        await edge.probe(candidate, "/")


async def test_a_route_taken_down_answers_503_and_can_be_switched_again(edge: Edge, get):
    await edge.put_route(WEB)
    async with application("old") as old:
        await edge.switch("web", old.upstream)
        assert await edge.take_down("web") == old.upstream
        answer = await get("web.localhost/")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "edge_upstream_unavailable"
        await edge.switch("web", old.upstream)
        assert (await get("web.localhost/")).text == "old"
