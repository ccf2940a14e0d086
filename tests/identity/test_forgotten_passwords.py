"""Links of forgotten passwords, which anybody can ask for: never a weapon against whom they are for."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from quarterdeck.identity import links, recovery
from quarterdeck.kernel import mail
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs.model import JobRow

ADA, NOBODY = "ada@example.com", "eve@example.com"
MINUTE = 60


@pytest.fixture
def clock(house):
    house.db.clock = HeldClock()
    return house.db.clock


def asked(house, email: str = ADA) -> str | None:
    found = house.db.write_sync(recovery.link_for, email)
    return found and found[1].reveal()


def good(house, token: str) -> bool:
    try:
        house.db.read_sync(links.owner, "reset", token)
    except Invalid:
        return False
    return True


def test_a_link_stays_good_beside_newer_ones_for_as_long_as_it_takes_to_open_it(house, clock):
    first = asked(house)
    clock.advance(9 * MINUTE)
    second = asked(house)
    assert (good(house, first), good(house, second)) == (True, True)
    clock.advance(2 * MINUTE)
    third = asked(house)
    assert (good(house, first), good(house, second), good(house, third)) == (False, True, True)
    house.db.write_sync(recovery.reset, second, "new")
    assert not good(house, third)  # setting a password ends them all


def test_whoever_asks_all_the_time_makes_few_mails_and_leaves_the_last_of_them_good(house, clock):
    made = []
    for second in range(0, 3 * 3600, 20):  # three a minute, as one address may
        token = asked(house)
        if token is not None:
            made.append(token)
        assert good(house, made[-1]), second
        clock.advance(20)
    assert len(made) == 3 * recovery.MOST_AN_HOUR


def test_every_asking_is_recorded(house, clock):
    for email in [*[ADA] * (recovery.MOST_AN_HOUR + 2), NOBODY]:
        house.db.write_sync(recovery.send_link, email, "http://localhost")
    assert house.told("user.password-forgotten") == ["user.password-forgotten"] * (recovery.MOST_AN_HOUR + 3)


async def test_the_answer_comes_after_the_same_time_and_with_one_mail_at_most(house):
    took = []
    for email in [*[ADA] * (recovery.MOST_AN_HOUR + 1), NOBODY]:
        began = time.monotonic()
        await recovery.ask_for_link(house.db, email, "http://localhost")
        took.append(time.monotonic() - began)
    assert min(took) >= recovery.ANSWERED_AFTER * 0.99
    payloads = select(JobRow.payload).where(JobRow.kind == mail.UNSEEN)
    jobs = house.db.read_sync(lambda tx: [str(row[0]) for row in tx.execute(payloads)])
    assert len(jobs) == len(took)
    assert sum(ADA in one for one in jobs) == recovery.MOST_AN_HOUR
