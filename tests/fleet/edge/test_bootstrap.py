"""Bringing up the edge as a job does it, with a real Caddy."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from quarterdeck.fleet.edge.bootstrap import EdgeOrder, bring_up
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.edge.ports import free_ports
from quarterdeck.kernel.errors import Conflict, Unavailable

pytestmark = pytest.mark.edge


class Context:
    """As much of a job's context as the handler uses."""

    def __init__(self) -> None:
        self.canceled = asyncio.Event()
        self.lines: list[str] = []

    def log(self, lines: list[str], **_: Any) -> None:
        self.lines += lines


async def test_an_edge_is_started_once_and_adopted_afterwards(root: Path) -> None:
    http, https = free_ports(2, "127.0.0.1")
    order, context = EdgeOrder(str(root), http_port=http, https_port=https), Context()
    async with Edges() as edges:
        edge = edges.at(root, http_port=http, https_port=https)
        try:
            first = await bring_up(context, order, edges=edges)  # type: ignore[arg-type]
            assert (first.http_port, first.https_port) == (http, https)
            before = (await edge.status()).pid
            assert await bring_up(context, order, edges=edges) == first  # type: ignore[arg-type]
            assert (await edge.status()).pid == before
            assert str(http) in context.lines[0]
        finally:
            await edge.stop(grace_seconds=1)


async def test_a_port_that_is_taken_is_named(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (https,) = free_ports(1, "127.0.0.1")
        async with Edges() as edges:
            with pytest.raises(Conflict) as conflict:
                await bring_up(Context(), EdgeOrder(str(root), http_port=port, https_port=https), edges=edges)  # type: ignore[arg-type]
    assert conflict.value.code == "edge_proxy_host_port_conflict"
    assert str(port) in conflict.value.message


async def test_without_an_edge_the_attempt_says_so(root: Path) -> None:
    async with Edges() as edges:
        with pytest.raises(Unavailable) as refused:
            await bring_up(Context(), EdgeOrder(str(root), enabled=False), edges=edges)  # type: ignore[arg-type]
    assert "--no-edge" in (refused.value.hint or "")
