"""Hundreds of requests whose bodies drip, at a whole server: strangers go, whoever is known is waited for."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from e2e.client import signed_in
from e2e.server import Deck
from e2e.truth import until
from quarterdeck.kernel.http.doorkeeper import Patience

pytestmark = [pytest.mark.root]

BOUND = Patience().unsaid_per_address
BEYOND = 20
OTHERS = 5  # a worker of the server calls from this address, too, and waits for a moment
PACE = 0.03  # seconds in which the server finds out who one of them is: until then it cannot tell them from strangers


@contextmanager
def dripping(deck: Deck, count: int, head: str, pace: float = 0.0) -> Iterator[list[socket.socket]]:
    """Connections that have sent a whole head and the beginning of a body."""
    at = urlsplit(deck.url)
    with ExitStack() as after:
        made = []
        for _ in range(count):
            one = after.enter_context(socket.create_connection((at.hostname, at.port), timeout=10))
            one.sendall(f"{head}\r\nHost: {at.netloc}\r\nContent-Type: application/json\r\n\r\n{{".encode())
            made.append(one)
            time.sleep(pace)
        yield made


def gone(callers: list[socket.socket]) -> int:
    """How many the server has closed."""
    closed = 0
    for one in callers:
        one.setblocking(False)
        try:
            while one.recv(65536):
                pass
            closed += 1
        except BlockingIOError:
            continue
        except ConnectionError:
            closed += 1
    return closed


def test_strangers_who_drip_are_bounded_and_the_longest_waiting_go(bare: Deck) -> None:
    head = "POST /api/auth/setup HTTP/1.1\r\nContent-Length: 5000"
    with signed_in(bare) as client, dripping(bare, BOUND + BEYOND, head) as callers:
        until(lambda: gone(callers[:BEYOND]) == BEYOND, lambda: gone(callers), Patience().rest / 2)
        # Whoever was answered early would only go after the rest of that time.
        assert gone(callers[BEYOND + OTHERS :]) == 0
        assert client.post("/api/projects", {"name": "Undisturbed"})["id"]


def test_whoever_is_known_is_not_counted_among_them(bare: Deck) -> None:
    with signed_in(bare) as client:
        head = f"POST /api/projects HTTP/1.1\r\nContent-Length: 18\r\nAuthorization: {client.header('Authorization')}"
        with dripping(bare, BOUND + BEYOND, head, PACE) as callers:
            client.get("/api/projects")
            assert gone(callers) == 0
            for number, one in ((1, callers[0]), (2, callers[-1])):
                one.settimeout(20)
                one.sendall(b'"name": "Dripp%d"}' % number)
                assert one.recv(100).startswith(b"HTTP/1.1 201")
