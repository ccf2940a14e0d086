"""The admin interface, where the edge ends a connection between two requests: it does so at each load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from quarterdeck.fleet.edge.admin import AdminClient
from quarterdeck.kernel.errors import Unavailable

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nEtag: "t"\r\nContent-Length: 2\r\n\r\n{}'


class Edge:
    """Answers `lives` requests of each connection and ends it in the middle of the next one."""

    def __init__(self, lives: int) -> None:
        self.lives = lives
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for turn in range(self.lives + 1):
            try:
                await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            if turn < self.lives:
                writer.write(ANSWER)
                await writer.drain()
        writer.close()


@pytest.fixture
async def asked(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[AdminClient, Edge]]:
    edge = Edge(request.param)
    server = await asyncio.start_unix_server(edge.serve, str(tmp_path / "admin.sock"))
    async with AdminClient(httpx.AsyncHTTPTransport(uds=str(tmp_path / "admin.sock"))) as client:
        yield client, edge
    server.close()


@pytest.mark.parametrize("asked", [1], indirect=True)
async def test_a_connection_that_ended_meanwhile_is_replaced(asked: tuple[AdminClient, Edge]) -> None:
    client, edge = asked
    for _ in range(3):
        assert await client.configuration() == ({}, '"t"')
    assert edge.connections == 3


@pytest.mark.parametrize("asked", [0], indirect=True)
async def test_an_edge_that_never_answers_is_told_of(asked: tuple[AdminClient, Edge]) -> None:
    client, edge = asked
    with pytest.raises(Unavailable) as told:
        await client.configuration()
    assert told.value.code == "edge_proxy_unavailable"
    assert edge.connections == 2
