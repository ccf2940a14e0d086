"""While a job changes the stack of a runner, nobody removes the runner or changes it otherwise."""

from __future__ import annotations

import pytest

from quarterdeck.fleet.workers import draining
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners import idle, leaving, lifting, tending
from quarterdeck.infra.runners.authenticating import principal
from quarterdeck.infra.runners.model import Runner
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.principal import Context, current


def stacked(yard, name="pool"):
    """A runner whose stack was put up from here."""
    made = yard.runner(name)

    def verb(tx):
        row = tx.get(Runner, made.runner.id)
        row.runner_metadata = {lifting.STACK: {"region": "here", "cloud_provider": "aws"}}

    yard.act(verb)
    return made


def there(yard, one):
    return yard.db.read_sync(lambda tx: tx.get(Worker, one.worker.id).revoked_at is None)


def test_what_a_job_about_a_runner_is_about_stands_in_its_row(yard):
    pool, other = stacked(yard), stacked(yard, "other")
    uid = yard.ask("DESTROY_WORKER", runner_uid=pool.worker.uid)
    assert yard.job(uid).subject_worker_id == pool.worker.id
    assert yard.job(yard.ask("PLAN", yard.spec())).subject_worker_id is None
    assert yard.db.read_sync(lambda tx: idle.under_way(tx, pool.worker)).uid == uid
    assert yard.db.read_sync(lambda tx: idle.under_way(tx, other.worker)) is None


@pytest.mark.parametrize("way", [leaving.remove, draining.decommission])
def test_a_runner_whose_stack_a_job_changes_is_not_removed_by_any_way(yard, way):
    pool = stacked(yard)
    uid = yard.ask("DESTROY_WORKER", runner_uid=pool.worker.uid)
    with pytest.raises(Conflict) as refused:
        yard.act(lambda tx: way(tx, tx.get(Worker, pool.worker.id)))
    assert refused.value.code == "runner_busy"
    assert there(yard, pool)
    yard.cancel(uid)
    yard.act(lambda tx: way(tx, tx.get(Worker, pool.worker.id)))
    assert not there(yard, pool)


def test_the_job_that_takes_a_stack_down_removes_its_runner_whatever_waits_by_then(yard):
    pool, by = stacked(yard), yard.runner("by")
    first = yard.ask("DESTROY_WORKER", runner_uid=pool.worker.uid)
    assert by.claim().uid == first
    by.report(first, "PROCESSING")
    yard.cancel(first)
    yard.ask("DESTROY_WORKER", runner_uid=pool.worker.uid)
    assert by.report(first, "SUCCESS") is False  # it was cancelled, and went on to its end
    assert not there(yard, pool)


def test_a_runner_that_ends_while_its_stack_is_changed_stays_registered(yard):
    pool, by = stacked(yard), yard.runner("by")
    uid = yard.ask("DESTROY_WORKER", runner_uid=pool.worker.uid)
    token = current.set(Context(principal(pool.worker), "req_1", "cor_1"))
    try:
        yard.db.write_sync(tending.remove, pool.worker.uid)
        assert there(yard, pool)
        yard.cancel(uid)
        yard.db.write_sync(tending.remove, pool.worker.uid)
        assert not there(yard, pool)
    finally:
        current.reset(token)
    assert there(yard, by)
