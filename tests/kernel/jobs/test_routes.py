"""Whose work goes where: an organization's jobs to its own workers and to the server's own, and to nobody else."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.kernel.jobs import routes

WITH = frozenset({"tasks"})


class Order(msgspec.Struct):
    pass


@pytest.fixture(autouse=True)
def kind():
    jobs.kinds.register(jobs.JobKind("routes.work", Order))


def enqueued(database, organization_id, **options):
    request = jobs.Enqueue("routes.work", Order(), organization_id, capabilities=WITH, **options)
    return database.write_sync(jobs.enqueue, request)


def claimed(database, organization_id, worker_id):
    owner = f"worker:{worker_id}" if worker_id else "process:x"
    asked = jobs.Claimant(owner, WITH, ("normal",), 10, worker_id, frozenset(), organization_id)
    return [one.job.id for one in database.write_sync(jobs.claim, asked)]


def test_a_worker_takes_its_organizations_jobs_alone(database):
    first, second, nobodys = (enqueued(database, one).id for one in (1, 2, None))
    assert claimed(database, 3, 30) == []
    assert claimed(database, None, 30) == []
    assert claimed(database, 2, 20) == [second]
    assert sorted(claimed(database, None, None)) == [first, nobodys]


def test_a_pin_opens_no_other_organization(database):
    job = enqueued(database, 1, worker_id=20)
    assert claimed(database, 2, 20) == []
    assert claimed(database, None, None) == []
    assert claimed(database, 1, 10) == []
    assert claimed(database, 1, 20) == [job.id]


def test_jobs_that_wait_again_keep_their_route(database):
    """Parked behind a turn, handed back, lapsed: the databases spell a route as the rules do."""
    first, parked = (enqueued(database, 1, concurrency_key="turn") for _ in range(2))
    assert claimed(database, 1, 10) == [first.id]
    database.write_sync(jobs.hand_back, first.id, 1)
    query = text("SELECT route FROM jobs WHERE id = :id")

    def route(job_id):
        return database.read_sync(lambda tx: tx.execute(query, {"id": job_id}).scalar_one())

    assert route(first.id) == routes.route("tasks", None, 1) == "@org:1|tasks"
    assert claimed(database, 1, 10) == [first.id]
    database.write_sync(jobs.complete, first.id, 2, jobs.Outcome("succeeded"), key="turn")
    assert route(parked.id) == "@org:1|tasks"
    assert claimed(database, 2, 20) == []
    assert claimed(database, 1, 10) == [parked.id]


def test_among_many_organizations_the_oldest_goes_first(database):
    now = database.clock.now()
    count = 230  # more routes than one statement of SQLite asks for
    requests = [
        jobs.Enqueue("routes.work", Order(), one, capabilities=WITH, run_at=now - timedelta(seconds=one))
        for one in range(1, count + 1)
    ]
    made = database.write_sync(lambda tx: [jobs.enqueue(tx, one).id for one in requests])
    asked = jobs.Claimant("process:x", WITH, ("normal",), 3)
    assert [one.job.id for one in database.write_sync(jobs.claim, asked)] == made[:-4:-1]
    assert claimed(database, 7, 70) == [made[6]]
    rest = jobs.Claimant("process:x", WITH, ("normal",), 500)
    found = [one.job.id for one in database.write_sync(jobs.claim, rest)]
    assert found == [one for one in reversed(made[:-3]) if one != made[6]]


@pytest.mark.parametrize(
    ("worker_id", "organization_id", "word"),
    [
        (None, None, "deploy,local:ab"),
        (3, None, "@worker:3|deploy,local:ab"),
        (None, 7, "@org:7|deploy,local:ab"),
        (3, 7, "@org:7@worker:3|deploy,local:ab"),
    ],
)
def test_a_route_is_read_as_it_is_written(worker_id, organization_id, word):
    needs = frozenset({"local:ab", "deploy"})
    assert routes.route(routes.canonical(needs), worker_id, organization_id) == word
    waiting = routes.Waiting([word])
    assert waiting.usable(needs, worker_id, frozenset(), organization_id) == [word]
    assert waiting.usable(needs - {"deploy"}, worker_id, frozenset(), organization_id) == []


def test_a_label_asks_for_nothing_and_confines_who_is_confined_by_it():
    plain, mine, other = "@org:7|deploy", "@org:7|deploy,~deploy:blue", "@org:7|deploy,~deploy:green"
    away, pinned = "@org:7|tasks", "@org:7@worker:3|deploy,~deploy:green"
    waiting = routes.Waiting([plain, mine, other, away, pinned])
    able, blue = frozenset({"deploy", "tasks"}), frozenset({"~deploy:blue"})
    assert waiting.usable(able, 4, frozenset(), 7) == [plain, mine, other, away]
    assert waiting.usable(able, 3, frozenset(), 7, confined=blue) == [mine, away, pinned]
    assert waiting.usable(frozenset({"tasks"}), 3, frozenset(), 7, confined=blue) == [away]


def test_who_is_there_for_one_part_of_a_capability_alone_takes_nothing_else_that_is_pinned_to_it():
    part, look = frozenset({"infra", "infra:drift"}), "@org:7|infra,infra:drift,~infra:drift"
    other, pinned = "@org:7|infra", "@org:7@worker:3|infra"
    mine = "@org:7@worker:3|infra,infra:drift,~infra:drift"
    waiting, confined = routes.Waiting([look, other, pinned, mine]), frozenset({"~infra:drift"})
    assert waiting.usable(part, 3, frozenset(), 7, confined=confined) == [look, mine]
    assert waiting.usable(part, 3, frozenset(), 7) == [look, other, pinned, mine]
    assert waiting.usable(frozenset({"infra"}), 3, frozenset(), 7) == [other, pinned]


def test_a_worker_for_all_takes_what_anybody_has_and_what_is_pinned_to_it():
    one, other, nobodys = "@org:1|tasks", "@org:2|tasks", "tasks"
    pinned, elsewhere = "@org:2@worker:3|tasks", "@org:2@worker:4|tasks"
    waiting = routes.Waiting([one, other, nobodys, pinned, elsewhere])
    assert waiting.usable(WITH, 3, frozenset(), 1) == [one]
    assert waiting.usable(WITH, 3, frozenset(), 1, for_all=True) == [one, other, nobodys, pinned]
    assert waiting.usable(WITH, 3, frozenset(), 1, for_all=True, only_pinned=True) == [pinned]


def test_a_pin_is_moved_while_the_job_waits_and_not_afterwards(database):
    job = enqueued(database, 1, worker_id=10)
    assert database.write_sync(jobs.pin, job.id, 20).worker_id == 20
    assert claimed(database, 1, 10) == []
    database.write_sync(jobs.pin, job.id, None)
    database.write_sync(jobs.pin, job.id, 10)
    assert claimed(database, 1, 20) == []
    assert claimed(database, 1, 10) == [job.id]
    with pytest.raises(Conflict) as refused:
        database.write_sync(jobs.pin, job.id, 20)
    assert refused.value.code == "job_not_waiting"
    with pytest.raises(NotFound):
        database.write_sync(jobs.pin, 99, 20)


def test_a_parked_job_keeps_its_place_when_its_pin_is_moved(database):
    first, parked, behind = (enqueued(database, 1, concurrency_key="turn") for _ in range(3))
    database.write_sync(jobs.pin, parked.id, 20)
    assert claimed(database, 1, 20) == [first.id]
    assert claimed(database, 1, 20) == []
    database.write_sync(jobs.complete, first.id, 1, jobs.Outcome("succeeded"), key="turn")
    assert claimed(database, 1, 10) == []
    assert claimed(database, 1, 20) == [parked.id]
    database.write_sync(jobs.complete, parked.id, 1, jobs.Outcome("succeeded"), key="turn")
    assert claimed(database, 1, 10) == [behind.id]
