"""Trying names at the door: slowed down for each, told alike for all, and never locked by strangers."""

from __future__ import annotations

import statistics
import time

import httpx
import pytest

from identity.strangers import stranger
from quarterdeck.identity.attempts import EVERYWHERE, HERE, Attempts
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import RateLimited
from quarterdeck.kernel.limits import Limiter
from support.deck import EMAIL, PASSWORD, running, signed_in


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def attempts(clock):
    return Attempts(clock)


def test_one_name_from_one_address_is_slowed_down_and_comes_back_by_itself(attempts, clock):
    for _ in range(HERE.count):
        attempts.begin("ada", "192.0.2.7")
    with pytest.raises(RateLimited) as caught:
        attempts.begin("ADA ", "192.0.2.7")
    assert caught.value.hint
    attempts.begin("grace", "192.0.2.7")
    attempts.begin("ada", "192.0.2.8")
    clock.advance(caught.value.retry_after)
    attempts.begin("ada", "192.0.2.7")


def test_one_name_from_many_addresses_is_slowed_down(attempts):
    for number in range(EVERYWHERE.count):
        attempts.begin("ada", stranger(number))
    with pytest.raises(RateLimited):
        attempts.begin("ada", stranger(EVERYWHERE.count))
    attempts.begin("grace", stranger(EVERYWHERE.count))


def test_addresses_of_one_customer_are_one_address(attempts):
    for number in range(HERE.count):
        attempts.begin("ada", f"2001:db8::{number:x}")
    with pytest.raises(RateLimited):
        attempts.begin("ada", "2001:db8::ffff")


def test_strangers_cannot_lock_out_who_has_signed_in_there_before_or_sits_at_the_machine(attempts, clock):
    attempts.know(("ada", "ada@example.com"), "203.0.113.9")
    for round_ in range(10):  # for as long as the strangers like
        for number in range(300):
            try:
                attempts.begin("ada", stranger(number))
            except RateLimited:
                break
        for home in ("203.0.113.9", "127.0.0.1", "::1"):
            attempts.begin("ada", home).right()
        clock.advance(600 + round_)
    clock.advance(EVERYWHERE.seconds / EVERYWHERE.count)
    attempts.begin("ada", "203.0.113.77")  # and from a new place as soon as they leave off for a moment


def test_right_passwords_do_not_count(attempts):
    for _ in range(EVERYWHERE.count * 2):
        attempts.begin("ada", "203.0.113.9").right()


def test_a_refusal_for_the_name_does_not_use_up_the_address(attempts, clock):
    for number in range(EVERYWHERE.count):
        attempts.begin("ada", stranger(number))
    for _ in range(HERE.count * 2):
        with pytest.raises(RateLimited):
            attempts.begin("ada", "203.0.113.9")
    clock.advance(EVERYWHERE.seconds)
    attempts.begin("ada", "203.0.113.9")


async def knock(deck, door: str, name: str, password: str, address: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=deck.client._transport.app, client=(address, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://deck.test") as client:
        key = "email" if door.endswith("email") else "username"
        if door.startswith("/console"):
            headers = {"origin": "http://deck.test"}
            return await client.post(door, data={"username": name, "password": password}, headers=headers)
        return await client.post(door, json={key: name, "password": password})


@pytest.mark.parametrize("door", ["/api/auth/login", "/api/auth/sign-in/email", "/console/sign-in"])
async def test_every_door_counts_names_and_tells_known_and_unknown_ones_alike(tmp_path, database_address, door):
    async with running(tmp_path, database_address) as fresh:
        deck = await signed_in(fresh)
        attempts = deck.instance.attempts
        attempts._limiter = Limiter(HeldClock())
        told = []
        for name in (EMAIL, "nobody@example.com"):
            first = await knock(deck, door, name, "a wrong password", stranger(1))
            for number in range(EVERYWHERE.count - 1):
                attempts.begin(name, stranger(number + 2))
            last = await knock(deck, door, name, "a wrong password", stranger(200))
            right = await knock(deck, door, name, PASSWORD, stranger(201))
            assert (last.status_code, right.status_code) == (429, 429)  # even the right password tells nothing
            if not door.startswith("/console"):
                assert int(last.headers["retry-after"]) > 0
            told.append((first.status_code, last.status_code, last.text.replace(name, "NAME")))
        if not door.startswith("/console"):
            told = [(first, last, "") for first, last, _ in told]
        assert told[0][:2] == told[1][:2]
        assert (await knock(deck, door, EMAIL, PASSWORD, "127.0.0.1")).status_code in {200, 303}


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(tmp_path, database_address):
    async with running(tmp_path, database_address) as fresh:
        deck = await signed_in(fresh)
        took: dict[str, list[float]] = {EMAIL: [], "nobody@example.com": []}
        for number in range(9):
            for name, times in took.items():
                began = time.process_time()
                answer = await knock(deck, "/api/auth/login", name, "a wrong password", stranger(number))
                times.append(time.process_time() - began)
                assert answer.status_code == 401
        known, unknown = (statistics.median(times[1:]) for times in took.values())
        assert 0.5 < known / unknown < 2.0
