"""A Host header that names no host and port is refused before anything is made of it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("host", ["a:99999999", "a:b", "a:0", "[::1", "a/b", "a@b", "a b", "\t"])
@pytest.mark.parametrize("path", ["/console/sign-in", "/api/version", "/cli/login?device_code=x"])
async def test_a_strange_host_is_refused(deck, host, path):
    answer = await deck.send("GET", path, headers={"host": host})
    assert answer.status_code == 421


async def test_a_usual_host_is_let_in(deck):
    for host in ("localhost", "127.0.0.1:8700", "[::1]:8700", "deck.example.com"):
        assert (await deck.send("GET", "/api/version", headers={"host": host})).status_code == 200
