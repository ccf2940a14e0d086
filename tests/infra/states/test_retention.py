"""Which versions of states go, and which never."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners import leaving
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import retention, states
from quarterdeck.infra.states.model import State, StateVersion
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault
from support.plan_yard import PlanYard


@pytest.fixture
def yard(database_address, tmp_path):
    clock, vault = HeldClock(), Vault(LocalBackend(tmp_path / "master.key"))
    database = open_database(database_address, clock=clock, vault=vault)
    vault.unlock(database)
    made = PlanYard(database, clock, tmp_path)
    yield made
    made.close()
    database.close_sync()


def numbers(yard) -> list[int]:
    query = select(StateVersion.number).order_by(StateVersion.number)
    return yard.db.read_sync(lambda tx: list(tx.execute(query).scalars()))


async def prune(yard, monkeypatch=None) -> int:
    instance = SimpleNamespace(db=yard.db)
    found = await retention._prune(instance, yard.clock.now() - retention.KEEP)
    return found + await retention._forget(instance, yard.clock.now() - retention.OF_GONE)


async def test_the_newest_stay_however_old_and_the_young_however_many(yard, monkeypatch):
    monkeypatch.setattr(retention, "NEWEST", 3)
    monkeypatch.setattr(retention, "CHUNK", 2)
    spec = yard.spec()
    for serial in range(1, 9):
        yard.wrote(spec, serial)
    assert await prune(yard) == 0
    yard.clock.advance(retention.KEEP.total_seconds() + 1)
    yard.wrote(spec, 9)
    assert await prune(yard) == 6
    assert numbers(yard) == [7, 8, 9]
    yard.clock.advance(10 * retention.KEEP.total_seconds())
    assert await prune(yard) == 0
    assert numbers(yard) == [7, 8, 9]


async def test_the_state_of_a_deleted_specification_goes_after_two_years(yard):
    spec, other = yard.spec(), yard.spec("shop")
    yard.wrote(spec, 1)
    yard.wrote(other, 1)
    yard.db.write_sync(lambda tx: tx.execute(delete(Spec).where(Spec.id == spec.id)))
    yard.clock.advance(retention.OF_GONE.total_seconds())
    assert await prune(yard) == 0
    yard.clock.advance(1)
    assert await prune(yard) == 1
    left = yard.db.read_sync(lambda tx: [one.subject for one in tx.scalars(select(State))])
    assert left == [f"spec:{other.uid}"]
    assert len(numbers(yard)) == 1


async def test_the_state_of_a_removed_runner_goes_after_two_years_and_that_of_one_that_lives_stays(yard):
    gone, lives = yard.runner("gone"), yard.runner("lives")

    def wrote(tx):
        for one in (gone, lives):
            states.locked(tx, f"runner:{one.worker.uid}", yard.organization.id)

    yard.act(wrote)
    yard.clock.advance(retention.OF_GONE.total_seconds() + 1)
    assert await prune(yard) == 0
    yard.act(lambda tx: leaving.remove(tx, tx.get(Worker, gone.worker.id)))
    assert await prune(yard) == 1
    left = yard.db.read_sync(lambda tx: [one.subject for one in tx.scalars(select(State))])
    assert left == [f"runner:{lives.worker.uid}"]
