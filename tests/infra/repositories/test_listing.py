"""Listings of git hosts by themselves: how many at a time, and how long."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from quarterdeck.infra.repositories import hosts, listing
from quarterdeck.infra.repositories.listing import HostUnreachable, Listings

GITHUB = hosts.HOSTS["github"]
BASE = "https://api.github.com"


async def test_no_more_listings_run_at_a_time_than_there_are_places():
    running = most = 0
    all_in = asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == listing.AT_ONCE:
            all_in.set()
        await all_in.wait()
        running -= 1
        return httpx.Response(200, json=[])

    listings = Listings(httpx.MockTransport(answer))
    await asyncio.gather(*(listings.all(GITHUB, BASE, "token") for _ in range(3 * listing.AT_ONCE)))
    assert most == listing.AT_ONCE


async def test_a_host_that_drips_is_given_up_and_its_place_is_free_again(monkeypatch):
    monkeypatch.setattr(listing, "WHOLE", 0.05)

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("it never ends")

    listings = Listings(httpx.MockTransport(answer))
    told = await asyncio.gather(
        *(listings.all(GITHUB, BASE, "token") for _ in range(2 * listing.AT_ONCE)), return_exceptions=True
    )
    assert {type(one) for one in told} == {HostUnreachable}
    assert not listings._places.locked()


async def test_what_moves_to_another_page_meanwhile_is_listed_once():
    rows = [{"id": number} for number in range(100)]

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        link = {"Link": '<https://api.github.com/user/repos?page=2>; rel="next"'} if page == 1 else {}
        return httpx.Response(200, json=rows if page == 1 else [{"id": 99}, {"id": 100}], headers=link)

    found = await Listings(httpx.MockTransport(answer)).all(GITHUB, BASE, "token")
    assert [one.id for one in found.repositories] == [str(number) for number in range(101)]


@pytest.mark.parametrize(
    "following", ["https://evil.example/2.0/repositories?page=2", "//evil.example/?page=2", "?page=2"]
)
async def test_an_address_of_the_next_page_gives_nothing_but_its_query(following):
    called = []

    def answer(request: httpx.Request) -> httpx.Response:
        called.append(str(request.url))
        more = {"next": following} if len(called) == 1 else {}
        return httpx.Response(200, json={"values": [{"uuid": f"{{{len(called)}}}"}], **more})

    base = "https://bitbucket.internal"
    found = await Listings(httpx.MockTransport(answer)).all(hosts.HOSTS["bitbucket"], base, "token")
    assert len(found.repositories) == 2
    assert called[1] == f"{base}/2.0/repositories?page=2"
