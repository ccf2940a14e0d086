"""Plans fetch sources: how many at once, of whom, and not where the disk is full."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

import msgspec
import pytest


@contextlib.asynccontextmanager
async def silent_host():
    """A host that accepts and says nothing, until it is told to hang up: its address, who came, and how to end it."""
    came, over = [], asyncio.Event()

    async def keep(reader, writer):
        came.append(await reader.readline())
        await over.wait()
        writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/web.git", came, over
    finally:
        over.set()
        server.close()


@pytest.fixture
async def planned(deck):
    """Ask for the plan of a resource whose source is at `locator`, as somebody."""
    server = await deck.server()
    place = await deck.place()

    async def make(locator, name="Web"):
        resource = await deck.resource(place, name=name, source={"kind": "git-public", "locator": locator})
        query = {
            "projectId": place[0], "environmentId": place[1], "resourceId": resource, "serverId": server,
        }  # fmt: skip

        async def ask(token=""):
            return await deck.request("deployments.plan", query=query, token=token)

        return ask

    return make


async def reached(came, count):
    async with asyncio.timeout(20):
        while len(came) < count:
            await asyncio.sleep(0.02)


async def test_few_plans_run_at_once_and_fewer_of_one_caller(deck, planned):
    second, third = await deck.member("viewer"), await deck.member("viewer")
    async with silent_host() as (locator, came, over):
        ask = await planned(locator)
        under_way = [asyncio.create_task(ask()) for _ in range(2)]
        await reached(came, 2)
        refused = await ask()
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")
        assert int(refused.headers["retry-after"]) >= 1
        assert "You have 2" in refused.json()["error"]["message"]
        under_way += [asyncio.create_task(ask(second)) for _ in range(2)]
        await reached(came, 4)
        refused = await ask(third)
        assert refused.status_code == 429
        assert "4 sources" in refused.json()["error"]["message"]
        assert len(came) == 4
        over.set()
        assert {answer.status_code for answer in await asyncio.gather(*under_way)} & {200, 429} == set()
    # Who failed has given the place back.
    assert (await ask(third)).status_code not in {200, 429}
    plans = deck.instance.data.runtime / "plans"
    assert not plans.exists() or list(plans.iterdir()) == []


async def test_nothing_is_fetched_for_a_plan_where_the_disk_has_no_room(deck, planned):
    async with silent_host() as (locator, came, _):
        ask = await planned(locator)
        glances = deck.instance.glances
        full = msgspec.structs.replace(glances.placement.limits, least_free_disk=1.0)
        glances.placement = dataclasses.replace(glances.placement, limits=full)
        answer = await ask()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "disk_low")
        assert came == []
