"""Logs longer than any page of the store: the page shows as much as it says, the raw log all of it."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.vault import Secret
from support.deck import running, signed_in
from support.served import SOURCE, deployed, serve

from .test_kept_logs_of_an_instance import page_of

LINES = 5203


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        made.client.cookies.set("qd_session", made.instance.signer.sign(Secret(made.token)))
        yield made


async def test_the_raw_log_has_every_line_and_the_pages_as_many_as_they_say(deck):
    resource = await deck.resource(await deck.place(), source=SOURCE)
    deployment = await deployed(deck, resource, await deck.server())
    await serve(deck, deployment, {"kind": "container", "upstream": "127.0.0.1:1"})
    now = deck.instance.db.clock.now()
    for stream in (f"deployment:{deployment}", f"runtime:{resource}"):
        told = [Line(now, "application", "stdout", "package", "info", f"said {n}") for n in range(1, LINES + 1)]
        await deck.instance.logs.store(stream, told)
    there = await page_of(deck, resource)
    raw = (await deck.client.get(f"{there}/deployments/1/log")).text.splitlines()
    assert [row.rpartition(" ")[2] for row in raw] == [str(n) for n in range(1, LINES + 1)]
    assert " package said 1" in raw[0]
    assert [row.split(" ")[1] for row in raw[1:]] == ["-"] * (LINES - 1)
    spoken = (await deck.client.get(f"{there}/logs/raw")).text.splitlines()
    assert [row.rpartition(" ")[2] for row in spoken] == [str(n) for n in range(1, LINES + 1)]
    for address, shown in ((f"{there}/deployments/1", 5000), (f"{there}/logs", 5000), (there, 1000)):
        page = (await deck.client.get(address)).text
        assert page.count('<li id="L') == shown, address
        assert f"{LINES - shown:,} earlier lines" in page, address


async def test_the_raw_log_of_what_is_not_there_is_refused(deck):
    resource = await deck.resource(await deck.place(), source=SOURCE)
    there = await page_of(deck, resource)
    assert (await deck.client.get(f"{there}/deployments/1/log")).status_code == 404
    empty = await deck.client.get(f"{there}/logs/raw")
    assert (empty.status_code, empty.text) == (200, "")
