"""Guesses at the second factor of somebody whose password is known: held back for the person, from wherever."""

from __future__ import annotations

import pyotp
import pytest

from identity.strangers import ALL, exhaust, stranger
from quarterdeck.identity import proving, second_factor, signing_in, users
from quarterdeck.identity.attempts import FIRST, PROOFS, Attempts
from quarterdeck.identity.model import User
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import Invalid, RateLimited, Unauthenticated
from quarterdeck.kernel.principal import SYSTEM, Context, Principal, current
from quarterdeck.kernel.vault import Secret

PASSWORD = Secret("correct horse battery staple")
SESSION = {"kinds": ("session",), "client_kind": "web"}


class Trying:
    """Ada, who has a second factor, and somebody who knows her password."""

    def __init__(self, house) -> None:
        self.house, self.db, self.clock = house, house.db, HeldClock()
        self.attempts = Attempts(self.clock)

    async def begin(self) -> Trying:
        password_hash = await signing_in.hashed(PASSWORD)

        def verb(tx) -> str:
            user = tx.get(User, self.house.ada.id)
            user.password_hash = password_hash
            secret = second_factor.begin(tx, user)[0].reveal()
            second_factor.confirm(tx, user, pyotp.TOTP(secret).at(int(tx.now.timestamp()) - 30))
            return secret

        self.totp = pyotp.TOTP(self.house.write(verb))
        return self

    @property
    def right(self) -> str:
        return self.totp.at(int(self.db.clock.now().timestamp()))

    @property
    def wrong(self) -> str:
        return f"{(int(self.right) + 500_000) % 1_000_000:06}"

    def at(self, address: str, principal: Principal = SYSTEM) -> None:
        current.set(Context(principal, "req_1", "cor_1", address))

    async def sign_in(self, address: str, code: str | None = None, password=PASSWORD, name: str = "ada"):
        self.at(address)
        return await signing_in.sign_in(self.db, self.attempts, name, password, code=code, **SESSION)

    async def step(self, address: str) -> str:
        with pytest.raises(signing_in.SecondFactorRequired) as needed:
            await self.sign_in(address)
        return needed.value.token.reveal()

    async def second(self, address: str, token: str, code: str):
        self.at(address)
        return await signing_in.second_step(self.db, self.attempts, token, code, **SESSION)


@pytest.fixture
async def trying(house):
    return await Trying(house).begin()


async def judged(trying: Trying, tries: int, *, one_step: bool) -> int:
    """How many of the wrong codes were looked at, from as many addresses and by each name of the person."""
    found = 0
    for number in range(tries):
        address, name = stranger(number), ("ada", "ada@example.com")[number % 2]
        try:
            if one_step:
                await trying.sign_in(address, trying.wrong, name=name)
            else:
                await trying.second(address, await trying.step(address), trying.wrong)
        except Unauthenticated as wrong:
            found += wrong.code == "second_factor_code_wrong"
        except RateLimited:
            pass
    return found


@pytest.mark.parametrize("one_step", [True, False], ids=["with the password", "after it"])
async def test_wrong_codes_from_many_addresses_are_counted_for_the_person(trying, one_step):
    assert await judged(trying, PROOFS.count + 5, one_step=one_step) == PROOFS.count
    step = await trying.step("198.51.100.7")
    for address in ("198.51.100.7", "127.0.0.1"):
        with pytest.raises(RateLimited) as held:
            await trying.second(address, step, trying.right)
        assert held.value.hint
    trying.clock.advance(held.value.retry_after)
    opened = await trying.second("198.51.100.7", step, trying.right)
    assert opened.user.username == "ada"


async def test_codes_at_the_door_and_in_a_session_are_counted_together(trying):
    await judged(trying, PROOFS.count - 1, one_step=True)
    ada = trying.house.fresh(trying.house.ada)
    trying.at("192.0.2.1", users.principal(ada, trying.house.organization.id))
    with pytest.raises(Invalid):
        await proving.by_code(trying.db, trying.attempts, trying.wrong, proving.note_proved)
    with pytest.raises(RateLimited):
        await proving.by_code(trying.db, trying.attempts, trying.right, proving.note_proved)


async def test_a_right_password_without_its_code_makes_no_address_known(trying):
    await trying.step("198.51.100.7")
    exhaust(trying.attempts, "ada")
    with pytest.raises(RateLimited):
        await trying.sign_in("198.51.100.7")


async def test_a_right_code_makes_its_address_known_by_both_names(trying):
    opened = await trying.second("198.51.100.7", await trying.step("198.51.100.7"), trying.right)
    for name in (opened.user.username, opened.user.email):
        exhaust(trying.attempts, name)
        with pytest.raises(signing_in.SecondFactorRequired):
            await trying.sign_in("198.51.100.7", name=name)


async def test_a_right_password_with_a_wrong_code_is_no_failure_of_the_name(trying):
    for number in range(PROOFS.count + 5):
        with pytest.raises((Unauthenticated, RateLimited)):
            await trying.sign_in("198.51.100.7", trying.wrong)
        trying.clock.advance(number)
    assert exhaust(trying.attempts, "ada") == ALL
    trying.clock.advance(FIRST.seconds / FIRST.count)
    with pytest.raises(signing_in.SecondFactorRequired):
        await trying.sign_in("198.51.100.8")
