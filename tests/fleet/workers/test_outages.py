"""A worker that falls silent is told of once, whoever looks and however often the server starts."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.fleet.workers import outages
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity import setup
from quarterdeck.kernel import events
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database

MINUTE = 60


def limit(_tx, _organization_id):
    return 3 * MINUTE


class Yard:
    def __init__(self, database, clock) -> None:
        self.db, self.clock, self.began = database, clock, clock.now()
        organization = database.write_sync(setup.default_organization)

        def verb(tx):
            return tx.add(
                Worker(
                    uid=tx.ids.uid(), organization_id=organization.id, name="forge", capabilities=["tasks"],
                    offered=[], created_at=tx.now, recovery_hash=tx.ids.hex(64), last_seen_at=tx.now,
                )
            ).uid  # fmt: skip

        self.uid = database.write_sync(verb)

    def look(self) -> None:
        for uid in self.db.read_sync(outages.silent, self.began, limit):
            self.db.write_sync(outages.tell_offline, uid, self.began, limit)

    def told(self) -> list[str]:
        return [one.data["reason"] for one in self.db.read_sync(events.read, f"worker:{self.uid}")]

    def heard(self) -> None:
        def verb(tx):
            worker = tx.first(select(Worker).where(Worker.uid == self.uid))
            worker.last_seen_at = tx.now

        self.db.write_sync(verb)


@pytest.fixture
def yard(database_address):
    clock = HeldClock()
    database = open_database(database_address, clock=clock)
    yield Yard(database, clock)
    database.close_sync()


def test_it_is_told_once_for_each_outage(yard):
    yard.clock.advance(3 * MINUTE)
    yard.look()
    assert yard.told() == []
    yard.clock.advance(1)
    for _ in range(3):
        yard.look()
    assert yard.told() == ["Nothing was heard of it for 3 minutes."]
    yard.clock.advance(1)
    yard.heard()
    yard.look()
    yard.clock.advance(4 * MINUTE)
    yard.look()
    yard.look()
    assert yard.told() == ["Nothing was heard of it for 3 minutes.", "Nothing was heard of it for 4 minutes."]


def test_a_server_that_starts_blames_nobody_and_repeats_nothing(yard):
    yard.clock.advance(60 * MINUTE)
    yard.began = yard.clock.now()
    yard.look()
    assert yard.told() == [], "nobody listened"
    yard.clock.advance(3 * MINUTE + 1)
    yard.look()
    yard.began = yard.clock.now()
    yard.clock.advance(60 * MINUTE)
    yard.look()
    assert yard.told() == ["Nothing was heard of it for 63 minutes."]


def test_who_speaks_just_before_it_is_told_is_not_told_of(yard):
    yard.clock.advance(4 * MINUTE)
    found = yard.db.read_sync(outages.silent, yard.began, limit)
    assert found == [yard.uid]
    yard.heard()
    assert yard.db.write_sync(outages.tell_offline, yard.uid, yard.began, limit) is False
    yard.clock.advance(24 * 60 * MINUTE)
    yard.db.write_sync(lambda tx: setattr(tx.first(select(Worker)), "revoked_at", tx.now))
    yard.look()
    assert yard.told() == []
