"""What a page that stays open hears: nothing any more once its reader may not, and what concerns it soon."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from quarterdeck.access import grants
from quarterdeck.console.composition import InstancePorts
from quarterdeck.console.domain import live
from quarterdeck.identity import sessions
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.principal import Context, current
from quarterdeck.kernel.vault import Secret
from support.deck import running, signed_in
from support.served import SOURCE, deployed


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        yield await signed_in(made)


async def reader(deck, role="viewer"):
    """A member of the organization, as whom this test goes on."""
    token = await deck.member(role)
    who = await deck.instance.db.read(sessions.authenticate, token)
    current.set(Context(principal=who))
    return who, token


async def line(deck, stream, text):
    await deck.instance.logs.store(
        stream, [Line(deck.instance.db.clock.now(), "application", "stdout", None, "info", text)]
    )


async def heard(updates, seconds=30.0):
    """The next update; None when there will be no more."""
    async with asyncio.timeout(seconds):
        return await anext(updates, None)


async def test_who_is_taken_out_of_the_organization_hears_its_logs_no_more(deck):
    deployment = await deployed(deck, await deck.resource(source=SOURCE), await deck.server())
    stream = f"deployment:{deployment}"
    who, _ = await reader(deck)
    updates = InstancePorts(deck.instance).follow(who, (f"log:{stream}",), 0)
    await line(deck, stream, "said")
    assert [one.text for one in (await heard(updates)).lines] == ["said"]
    current.set(Context())
    found = await deck.do("organizations.list-members", organizationId="org_self_hosted")
    (member,) = (one for one in found["items"] if one["role"] == "viewer")
    began = time.monotonic()
    await deck.do("organizations.remove-member", {}, organizationId="org_self_hosted", memberId=member["memberId"])
    assert await heard(updates) is None
    assert time.monotonic() - began < live.CHECK
    with pytest.raises(Forbidden):
        await InstancePorts(deck.instance).admitted(who, (f"log:{stream}",))


async def test_what_ends_without_a_wake_up_is_seen_within_seconds(deck, monkeypatch):
    """A session that was signed out, and what is not there any more."""
    monkeypatch.setattr(live, "CHECK", 0.2)
    deployment = await deployed(deck, await deck.resource(source=SOURCE), await deck.server())
    ports, topics = InstancePorts(deck.instance), (f"log:deployment:{deployment}",)
    who, token = await reader(deck)
    updates = ports.follow(who, topics, 0)
    with contextlib.suppress(TimeoutError):
        assert await heard(updates, 0.6) is not None
    updates = ports.follow(who, topics, 0)
    first = asyncio.ensure_future(heard(updates))
    await asyncio.sleep(0.3)
    assert not first.done()
    await deck.instance.db.write(lambda tx: sessions.revoke(tx, who.credential))
    assert await first is None
    assert await deck.instance.db.read(sessions.authenticate, token) is None


async def test_no_state_is_told_to_who_may_not_see_it(deck):
    """Before a stream begins: its first fragments are sent whole."""
    who, token = await reader(deck)

    def take(tx):
        grants.take(tx, deck.instance.access, who.id, who.organization_id, "organization:viewer")

    current.set(Context())
    await deck.instance.db.write(take)
    deck.client.cookies.set("qd_session", deck.instance.signer.sign(Secret(token)))
    answer = await deck.send("GET", "/console/stream?topics=fleet", token=None)
    assert answer.status_code == 403, answer.text


async def test_a_page_hears_of_what_it_shows_soon_and_of_others_not_at_once(deck):
    place, server = await deck.place(), await deck.server()
    resource, other = await deck.resource(place, source=SOURCE), await deck.resource(place, name="Api", source=SOURCE)
    who, _ = await reader(deck)
    shown = (await deck.do("resources.show", resourceId=resource))["resource"]["slug"]
    topic = f"resource:shop/production/{shown}"
    current.set(Context(principal=who))
    updates = InstancePorts(deck.instance).follow(who, (topic,), 0)
    waiting = asyncio.ensure_future(heard(updates))
    await asyncio.sleep(0.5)
    current.set(Context())
    await deployed(deck, other, server)
    await asyncio.sleep(1)
    assert not waiting.done()
    await deployed(deck, resource, server)
    began = time.monotonic()
    assert (await waiting).topic == topic
    assert time.monotonic() - began < 3
    await updates.aclose()
