"""An edge with free loopback ports in a directory of its own, ended with the test."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.ports import free_ports


@pytest.fixture
def root() -> Iterator[Path]:
    """Short, because unix sockets have to fit into it."""
    directory = Path(tempfile.mkdtemp(prefix="edge-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
async def edge(root: Path) -> AsyncIterator[Edge]:
    http, https = free_ports(2, "127.0.0.1")
    async with Edge(root, http_port=http, https_port=https, address="127.0.0.1") as made:
        try:
            yield made
        finally:
            with contextlib.suppress(Exception):
                await made.stop(grace_seconds=1)


@pytest.fixture
async def get(edge: Edge):
    """Asks the edge as a browser would that resolves every name to it."""
    async with httpx.AsyncClient() as client:

        async def ask(address: str, **options) -> httpx.Response:
            host, _, path = address.partition("/")
            headers = {"Host": host, **options.pop("headers", {})}
            return await client.get(f"http://127.0.0.1:{edge.ports.http}/{path}", headers=headers, **options)

        yield ask
