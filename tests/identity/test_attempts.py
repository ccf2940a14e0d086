"""Trying names at the door: slowed down for each, told alike for all, and never locked by strangers."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import httpx
import pytest

from identity.strangers import ALL, exhaust, judged, stranger
from quarterdeck.identity import recovery
from quarterdeck.identity.attempts import FIRST, FIRST_HERE, HERE, Attempts
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


def test_one_name_from_many_addresses_is_slowed_down(attempts, clock):
    assert exhaust(attempts, "ada") == ALL
    assert not judged(attempts, "ada", stranger(1))
    assert judged(attempts, "grace", stranger(1))
    clock.advance(1800)
    assert exhaust(attempts, "ada", 1000) == ALL / 2


def test_addresses_of_one_customer_are_one_address(attempts):
    for number in range(HERE.count):
        attempts.begin("ada", f"2001:db8::{number:x}")
    with pytest.raises(RateLimited):
        attempts.begin("ada", "2001:db8::ffff")


class Siege:
    """Addresses that try a name as often as they are let for some hours, while its owner comes in from a new address
    every seven minutes.
    """

    def __init__(self, attempts: Attempts, clock: HeldClock) -> None:
        self.attempts, self.clock, self.newcomers = attempts, clock, 500_000
        self.guesses = 0

    def lasts(self, hours: int, addresses: int, every: int) -> list[bool]:
        let_in = []
        for second in range(0, hours * 3600, every):
            self.guesses += sum(judged(self.attempts, "ada", stranger(number)) for number in range(addresses))
            if second % 420 < every:
                let_in.append(self.comes(stranger(self.newcomers)))
                self.newcomers += 1
            self.clock.advance(every)
        return let_in

    def comes(self, address: str) -> bool:
        try:
            self.attempts.begin("ada", address).right()
        except RateLimited:
            return False
        return True


@pytest.fixture
def siege(attempts, clock):
    return Siege(attempts, clock)


@pytest.mark.parametrize("addresses", [1, 10, FIRST.count // FIRST_HERE.count - 1])
def test_few_addresses_keep_nobody_out_anywhere(siege, addresses):
    assert all(siege.lasts(6, addresses, every=20))


@pytest.mark.parametrize(("addresses", "every"), [(1, 20), (10, 20), (1000, 1200)])
def test_however_many_addresses_guess_their_guesses_are_bounded(siege, addresses, every):
    siege.lasts(6, addresses, every)
    assert siege.guesses <= min(ALL, addresses * HERE.count) * (6 + 1)


def test_a_thousand_addresses_keep_out_new_ones_and_none_that_are_known(siege):
    siege.attempts.know(("ada", "ada@example.com"), "203.0.113.9")
    for _ in range(3):
        assert not all(siege.lasts(1, 1000, every=600))
        for home in ("203.0.113.9", "127.0.0.1", "::1"):
            assert siege.comes(home)
    siege.attempts.know(("ada",), "203.0.113.77")  # she set a password by the link of a mail
    assert siege.comes("203.0.113.77")
    siege.clock.advance(FIRST.seconds / FIRST.count)
    assert siege.comes("203.0.113.78")  # as soon as they leave off for a moment


def test_the_machine_itself_guesses_no_more_for_all_the_addresses_it_has(attempts):
    own = [f"127.{number % 3}.0.{number + 1}" for number in range(40)] + ["::1", "::ffff:127.9.9.9"]
    assert sum(judged(attempts, "ada", address) for address in own * 3) == HERE.count


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_who_is_kept_out_on_the_machine_itself_is_told_what_helps_there(attempts, clock, address):
    for _ in range(HERE.count):
        attempts.begin("ada", "127.0.0.1")
    attempts.know(("ada",), address)
    with pytest.raises(RateLimited) as caught:
        attempts.begin("ada", address)
    assert "does not count" not in caught.value.hint
    for helps in ("Wait", "session that is open", "from other machines", "quarterdeck admin reset-password"):
        assert helps in caught.value.hint
    assert judged(attempts, "ada", stranger(1))
    assert judged(Attempts(clock), "ada", address)
    clock.advance(caught.value.retry_after)
    assert judged(attempts, "ada", address)


def test_right_passwords_do_not_count(attempts):
    for _ in range(ALL * 2):
        attempts.begin("ada", "203.0.113.9").right()


def test_who_is_refused_has_no_better_place_in_the_queue_by_asking_on(attempts, clock):
    exhaust(attempts, "ada")
    assert not any(judged(attempts, "ada", "203.0.113.9") for _ in range(HERE.count))
    clock.advance(FIRST.seconds / FIRST.count)
    assert judged(attempts, "ada", "203.0.113.10")
    assert not judged(attempts, "ada", "203.0.113.9")


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
            assert exhaust(attempts, name) == ALL - 1
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


async def test_an_address_stays_known_by_both_names_after_a_restart(tmp_path, database_address):
    home = "2001:db8:1:2::7"
    async with running(tmp_path, database_address) as fresh:
        deck = await signed_in(fresh)
        assert (await knock(deck, "/api/auth/login", EMAIL, PASSWORD, home)).status_code == 200
        me = (await deck.send("GET", "/api/auth/me")).json()
    moved = tmp_path / "data" / "quarterdeck.db" if isinstance(database_address, Path) else database_address
    async with running(tmp_path, moved) as again:
        for name in (me["username"], me["email"]):
            exhaust(again.instance.attempts, name)
            assert (await knock(again, "/api/auth/login", name, PASSWORD, stranger(1))).status_code == 429
            for near in (home, "2001:db8:1:2::8"):
                assert (await knock(again, "/api/auth/login", name, PASSWORD, near)).status_code == 200


async def test_who_sets_a_password_by_the_link_of_a_mail_is_known_there(tmp_path, database_address):
    async with running(tmp_path, database_address) as fresh:
        deck = await signed_in(fresh)
        me = (await deck.send("GET", "/api/auth/me")).json()
        _, link = await deck.instance.db.write(recovery.link_for, EMAIL)
        there = httpx.ASGITransport(app=deck.client._transport.app, client=("203.0.113.77", 5000))
        async with httpx.AsyncClient(transport=there, base_url="http://deck.test") as client:
            path = f"/api/auth/password-reset/{link.reveal()}"
            assert (await client.post(path, json={"password": "a password of tomorrow"})).status_code == 200
        for name in (me["username"], me["email"]):
            exhaust(deck.instance.attempts, name)
            for address, status in (("203.0.113.77", 200), ("203.0.113.78", 429)):
                answer = await knock(deck, "/api/auth/login", name, "a password of tomorrow", address)
                assert answer.status_code == status
