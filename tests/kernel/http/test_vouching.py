"""What one server says of the caller whose request it passes on is believed, and nothing that anybody else says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.http.forwarding import Forwarding
from quarterdeck.kernel.http.vouching import HEADER, Believing, Vouching
from quarterdeck.kernel.vault import Secret

KEY = Secret(b"the key of the installation")


def scope(**given):
    return {
        "type": "http", "method": "GET", "scheme": "https", "path": "/api/projects", "raw_path": b"/api/projects",
        "query_string": b"limit=3", "client": ("203.0.113.9", 4711), "headers": [], **given,
    }  # fmt: skip


async def seen(vouching, asked):
    """The scope as the application behind sees it."""
    found = []

    async def application(scope, receive, send):
        found.append(scope)

    await Believing(application, vouching)(asked, None, None)
    return found[0]


@pytest.fixture
def clock():
    return HeldClock(datetime(2026, 3, 1, tzinfo=UTC))


def passed_on(header, **given):
    return scope(client=("10.0.0.5", 80), scheme="http", headers=[(b"host", b"deck"), (HEADER, header)], **given)


async def test_the_caller_stays_who_they_are(clock):
    vouching = Vouching(KEY, clock)
    found = await seen(vouching, passed_on(vouching.header(scope())))
    assert (found["client"][0], found["scheme"]) == ("203.0.113.9", "https")
    assert found["headers"] == [(b"host", b"deck")]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", None])
async def test_a_neighbour_of_the_other_server_is_none_here(clock, address):
    vouching = Vouching(KEY, clock)
    client = None if address is None else (address, 1)
    found = await seen(vouching, passed_on(vouching.header(scope(client=client))))
    assert found["client"] == ("10.0.0.5", 80)


async def test_what_is_made_up_for_something_else_or_old_is_not_believed(clock):
    vouching = Vouching(KEY, clock)
    good = vouching.header(scope())
    for wrong in (
        passed_on(good, method="POST"),
        passed_on(good, raw_path=b"/api/servers"),
        passed_on(good, query_string=b"limit=4"),
        passed_on(Vouching(Secret(b"another key"), clock).header(scope())),
        passed_on(good[:-1] + (b"0" if good[-1:] != b"0" else b"1")),
        passed_on(b""),
        passed_on(b"e30."),
        passed_on(b"\xff.\xff"),
        {**passed_on(good), "headers": [(HEADER, good), (HEADER, good)]},
    ):
        found = await seen(vouching, wrong)
        assert (found["client"][0], found["scheme"]) == ("10.0.0.5", "http")
        assert not [one for one in found["headers"] if one[0] == HEADER]
    clock.advance(90)
    assert (await seen(vouching, passed_on(good)))["client"][0] == "10.0.0.5"


async def test_what_was_passed_on_once_is_not_passed_on_again(clock):
    """By a server that takes it for its own and has lost the database: two of them would send it to and fro."""
    vouching, asked = Vouching(KEY, clock), []

    async def target():
        asked.append(True)

    forwarding = Forwarding(Believing, here=lambda _method, _path: False, target=target, header=vouching.header)
    for header in (vouching.header(scope()), b"made up"):
        with pytest.raises(Unavailable) as refused:
            await Believing(forwarding, vouching)(passed_on(header), None, None)
        assert refused.value.code == "working_server_away"
    assert not asked
    with pytest.raises(Unavailable):
        await Believing(forwarding, vouching)(scope(), None, None)
    assert asked
