"""What the bus promises to those who wait."""

from __future__ import annotations

import asyncio

from quarterdeck.kernel.bus import INBOX, Bus


async def test_a_message_from_another_thread_wakes_the_loop():
    bus = Bus()
    with bus.subscribe("jobs", "other") as inbox:
        await asyncio.to_thread(bus.publish, "jobs", 7)
        message = await inbox.get(5)
    assert (message.topic, message.payload) == ("jobs", 7)


async def test_a_full_inbox_drops_its_oldest_and_says_so():
    bus = Bus()
    with bus.subscribe("t") as inbox:
        for number in range(INBOX + 3):
            bus.publish("t", number)
        first = await inbox.get(1)
        assert (first.payload, inbox.missed) == (3, 3)
        assert [(await inbox.get(1)).payload for _ in range(INBOX - 1)] == [*range(4, INBOX + 3)]
        bus.publish("t", "later")
        assert (await inbox.get(1)).payload == "later"
        async with asyncio.timeout(5):
            assert await inbox.get() is None, "whoever listens looks for itself"
        assert await inbox.get(0.01) is None


async def test_who_has_left_hears_nothing():
    bus = Bus()
    with bus.subscribe("t") as inbox:
        pass
    bus.publish("t")
    assert await inbox.get(0.01) is None


async def test_who_is_roused_counts_a_miss_and_looks_for_itself():
    bus = Bus()
    with bus.subscribe("t") as inbox, bus.subscribe("u") as other:
        await asyncio.to_thread(bus.rouse, "t")
        assert await inbox.get(5) is None
        assert (inbox.missed, other.missed) == (1, 0)
        bus.rouse()
        bus.publish("u", 1)
        assert (await other.get(5)).payload == 1
        assert await other.get(5) is None
        assert (inbox.missed, other.missed) == (2, 1)
