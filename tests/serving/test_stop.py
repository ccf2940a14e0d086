"""Stopping: requests finish, streams end whole, work is given back, what was deployed stays."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
import uvicorn
from litestar import Litestar, get
from litestar.response import Response
from litestar.types import Receive, Scope, Send

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.instance import Instance
from quarterdeck.kernel import jobs
from quarterdeck.kernel.http.leaving import Leaving
from quarterdeck.kernel.http.sse import EventStream
from quarterdeck.kernel.settings_reading import load
from quarterdeck.serving import Server, listen
from serving.process import Served, serving

STOPS_WITHIN = 10.0


class Endless(Response):
    """An event stream that only its client or the end of the server can end."""

    def to_asgi_response(self, *_args, **_kwargs):
        async def events():
            yield {"number": 1}
            await asyncio.Event().wait()

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await EventStream(events())(scope, receive, send)

        return answer


@asynccontextmanager
async def leaving():
    """A server with a stream and a slow answer, and the switch that stops it."""
    stopping = asyncio.Event()

    @get("/stream")
    async def stream() -> Response:
        return Endless(None)

    @get("/slow")
    async def slow() -> str:
        await asyncio.sleep(0.5)
        return "finished"

    app = Litestar([stream, slow], openapi_config=None, logging_config=None)
    listener = listen("127.0.0.1", 0)
    server = Server(
        uvicorn.Config(Leaving(app, lambda: stopping), log_config=None, lifespan="off", timeout_graceful_shutdown=7),
        lambda: None,
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))

    def stop() -> None:
        stopping.set()
        server.should_exit = True

    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", trust_env=False, timeout=15
    ) as client:
        yield client, stop, task
    stop()
    await task


async def test_an_event_stream_ends_whole_and_at_once():
    async with leaving() as (client, stop, task):
        began = asyncio.get_running_loop().time()
        async with client.stream("GET", "/stream") as answer:
            lines = answer.aiter_lines()
            while not (await anext(lines)).startswith("data:"):
                pass
            stop()
            assert [line async for line in lines if line.startswith("data:")] == []  # a cut stream would raise
        await task
        assert asyncio.get_running_loop().time() - began < 5


async def test_a_request_that_is_being_answered_is_answered():
    async with leaving() as (client, stop, task):
        asked = asyncio.create_task(client.get("/slow"))
        await asyncio.sleep(0.2)
        stop()
        assert (await asked).text == "finished"
        await task


async def test_no_request_is_taken_after_the_signal():
    async with leaving() as (client, stop, task):
        await client.get("/slow")
        stop()
        await task
        with pytest.raises(httpx.ConnectError):
            await httpx.AsyncClient(trust_env=False).get(f"{client.base_url}/slow")


def held_request(served: Served) -> socket.socket:
    """A request whose body never comes."""
    host, _, port = served.url.removeprefix("http://").rpartition(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(
        b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    time.sleep(0.5)
    return connection


def test_a_client_that_never_finishes_does_not_hold_the_stop(tmp_path):
    with serving(tmp_path / "data") as served:
        served.ready()
        with held_request(served):
            began = time.monotonic()
            assert served.stop() == 0
            assert time.monotonic() - began < STOPS_WITHIN + 2  # a loaded machine takes its time to notice


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(tmp_path, number):
    with serving(tmp_path / "data") as served:
        served.ready()
        with held_request(served):
            served.process.send_signal(number)
            while "stopping" not in served.said():
                time.sleep(0.02)
            began = time.monotonic()
            served.process.send_signal(number)
            assert served.ends() == 128 + number
            assert time.monotonic() - began < 20
            assert "asked twice" in served.said()


async def test_running_work_is_given_back_to_the_ledger(database_address, database_kind, tmp_path):
    class Order(msgspec.Struct):
        pass

    started = asyncio.Event()

    @jobs.worker_handlers.register("serving.endless", Order)
    async def endless(context, _order):
        started.set()
        await context.sleep(600)

    jobs.kinds.register(jobs.JobKind("serving.endless", Order))
    url = str(database_address) if database_kind == "postgresql" else None
    settings = load({"data_dir": tmp_path / "data", "no_edge": True, "database_url": url})
    instance = await asyncio.to_thread(Instance.open, settings)
    await instance.start()
    job = await instance.jobs.enqueue(jobs.Enqueue("serving.endless", Order(), None, max_attempts=2))
    async with asyncio.timeout(20):
        await started.wait()
    began = asyncio.get_running_loop().time()
    await instance.stop()
    assert asyncio.get_running_loop().time() - began < STOPS_WITHIN
    assert not instance.data.locked

    again = await asyncio.to_thread(Instance.open, settings)
    try:
        kept = await again.db.read(jobs.get, job.id)
        assert kept.state == "pending"
    finally:
        await again.close()


@pytest.mark.edge
async def test_the_edge_keeps_running_when_the_server_ends_and_is_found_again(tmp_path):
    data = tmp_path / "data"
    ports: list[int] = []
    pids: list[int] = []
    try:
        for _ in range(2):
            with serving(data, no_edge=None, edge_http_port=0, edge_https_port=0) as served:
                served.ready()
                edge = Edge(data / "runtime")
                async with asyncio.timeout(30):
                    while not (status := await edge.status()).running or status.ports is None:
                        await asyncio.sleep(0.05)
                assert status.pid is not None
                ports.append(status.ports.http)
                pids.append(status.pid)
                assert await asyncio.to_thread(served.stop) == 0
                assert (await edge.status()).running
                async with httpx.AsyncClient(trust_env=False) as client:
                    assert (await client.get(f"http://127.0.0.1:{status.ports.http}/")).status_code == 404
                await edge.close()
    finally:
        edge = Edge(data / "runtime")
        await edge.stop(grace_seconds=0)
        await edge.close()
    assert ports[0] == ports[1]
    assert pids[0] == pids[1]


@pytest.mark.edge
async def test_an_edge_that_dies_is_started_again_though_it_has_no_route(tmp_path):
    settings = load({"data_dir": tmp_path / "data", "edge_http_port": 0, "edge_https_port": 0})
    instance = await asyncio.to_thread(Instance.open, settings)
    assert instance.edge is not None
    try:
        await instance.start()
        async with asyncio.timeout(60):
            while not (status := await instance.edge.status()).running:
                await asyncio.sleep(0.05)
            assert status.pid is not None
            os.kill(status.pid, signal.SIGKILL)
            while not (later := await instance.edge.status()).running or later.pid == status.pid:
                await asyncio.sleep(0.05)
    finally:
        await instance.stop()
        edge = Edge(tmp_path / "data" / "runtime")
        await edge.stop(grace_seconds=0)
        await edge.close()
