"""Who gets which job: pins, identities, organizations, draining, and the moves of pins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quarterdeck.fleet.workers import draining
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners.model import Runner
from quarterdeck.kernel.errors import Conflict, NotFound
from support.infra_work_yard import DOCUMENT

WHEN = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_runner_of_another_organization_gets_nothing(yard):
    uid = yard.ask("PLAN", yard.spec())
    stranger = yard.runner("theirs", place=yard.elsewhere())
    assert not stranger.waits()
    assert stranger.claim() is None
    assert yard.runner().claim().uid == uid


def test_a_cloud_hosted_runner_serves_every_organization(yard):
    here = yard.ask("PLAN", yard.spec())
    place = yard.elsewhere()
    there = yard.spec("theirs", place=place)
    other = yard.act(_asked, there, place=place)
    pool = yard.cloud_runner()
    assert [pool.claim().uid, pool.claim().uid] == [here, other]
    assert pool.claim() is None


def _asked(tx, spec):
    from quarterdeck.infra.work import creating
    from quarterdeck.infra.work.asking import Asked

    return creating.create(tx, Asked(job_type="PLAN", spec=tx.get(type(spec), spec.id))).uid


def test_what_is_pinned_to_it_comes_before_what_is_older_and_open(yard):
    runner = yard.runner()
    older = yard.ask("PLAN", yard.spec("a"))
    mine = yard.ask("PLAN", yard.spec("b"), assigned_worker_uid=runner.worker.uid)
    assert [runner.claim().uid, runner.claim().uid] == [mine, older]


def test_a_pin_keeps_everybody_else_away(yard):
    runner, other, own, enrolled = yard.runner(), yard.runner("rack-2"), yard.own(), yard.enrolled()
    uid = yard.ask("PLAN", yard.spec(), assigned_worker_uid=runner.worker.uid)
    assert (other.claim(), own.claim(), enrolled.claim(), yard.cloud_runner().claim()) == (None, [], [], None)
    assert runner.claim().uid == uid


def test_a_pin_to_a_runner_that_never_comes_is_moved(yard):
    gone, here = yard.runner("gone"), yard.runner("here")
    uid = yard.ask("PLAN", yard.spec(), assigned_worker_uid=gone.worker.uid)
    yard.pin(uid, here.worker.uid)
    assert gone.claim() is None
    assert here.claim().uid == uid
    with pytest.raises(Conflict) as refused:
        yard.pin(uid, None)
    assert refused.value.code == "infra_job_not_waiting"


def test_a_job_that_is_freed_may_be_taken_by_anybody(yard):
    gone, own = yard.runner("gone"), yard.own()
    uid = yard.ask("PLAN", yard.spec(), assigned_worker_uid=gone.worker.uid)
    yard.pin(uid, None)
    assert own.claim() == [uid]


def test_a_pin_of_one_that_waits_for_its_turn_counts_when_it_comes(yard):
    spec, own, runner = yard.spec(), yard.own(), yard.runner()
    first, second = yard.ask("PLAN", spec), yard.ask("PLAN", spec)
    yard.pin(second, runner.worker.uid)
    assert own.claim() == [first]
    own.phase(first, "prepare")
    assert runner.claim() is None
    own.end(first)
    assert own.claim() == []
    assert runner.claim().uid == second


def test_a_pin_to_a_worker_that_came_and_does_not_take_infrastructure_jobs_is_refused(yard):
    never = yard.enrolled("never")
    came, uid = yard.enrolled("came", first_seen_at=yard.clock.now()), yard.ask("PLAN", yard.spec())

    def offers(*words):
        yard.act(lambda tx: setattr(tx.get(Worker, came.row.id), "offered", list(words)))
        yard.act(lambda tx: setattr(tx.get(Worker, never.row.id), "offered", []))

    offers("deploy", "local:x")
    for pin in (
        lambda: yard.pin(uid, came.row.uid),
        lambda: yard.ask("PLAN", yard.spec("b"), assigned_worker_uid=came.row.uid),
    ):
        with pytest.raises(Conflict) as refused:
            pin()
        assert refused.value.code == "runner_takes_no_jobs"
    yard.pin(uid, never.row.uid)  # it was enrolled for them, and may still come
    offers("infra")
    yard.pin(uid, came.row.uid)
    assert yard.job(uid).assigned_worker_id == came.row.id


def looker(yard, **words):
    return yard.enrolled("looker", **{"capabilities": ["infra:drift"], "offered": ["infra:drift"], **words})


@pytest.mark.parametrize("words", [{}, {"offered": ["infra"]}, {"capabilities": ["infra"], "first_seen_at": WHEN}])
def test_a_worker_for_drift_takes_looks_alone(yard, words):
    spec = yard.spec()
    other, look = yard.ask("PLAN", yard.spec("b")), yard.ask("PLAN", spec, read_only=True)
    assert looker(yard, **words).claim() == [look]
    assert yard.enrolled().claim() == [other]


@pytest.mark.parametrize("who", ["own", "enrolled", "runner"])
def test_looks_are_taken_by_whoever_takes_infrastructure_jobs(yard, who):
    look, worker = yard.ask("PLAN", yard.spec(), read_only=True), getattr(yard, who)()
    assert yard.carried(look).requires == "infra,infra:drift,~infra:drift"
    found = worker.claim()
    assert (found == [look]) if who != "runner" else (found.uid == look)


@pytest.mark.parametrize("seen", [None, WHEN])
def test_a_pin_of_another_job_to_a_worker_for_drift_is_refused(yard, seen):
    worker = looker(yard, first_seen_at=seen)
    uid, look = yard.ask("PLAN", yard.spec()), yard.ask("PLAN", yard.spec("b"), read_only=True)
    for pin in (
        lambda: yard.pin(uid, worker.row.uid),
        lambda: yard.ask("PLAN", yard.spec("c"), assigned_worker_uid=worker.row.uid),
    ):
        with pytest.raises(Conflict, match="looks for drift alone") as refused:
            pin()
        assert refused.value.code == "runner_takes_no_jobs"
    yard.pin(look, worker.row.uid)
    assert worker.claim() == [look]


def test_what_was_pinned_to_a_worker_that_has_come_back_for_drift_alone_waits(yard):
    worker = yard.enrolled("forge", first_seen_at=yard.clock.now())
    uid = yard.ask("PLAN", yard.spec(), assigned_worker_uid=worker.row.uid)
    yard.act(lambda tx: setattr(tx.get(Worker, worker.row.id), "offered", ["infra:drift"]))
    assert worker.claim() == []
    yard.act(lambda tx: setattr(tx.get(Worker, worker.row.id), "offered", ["infra"]))
    assert worker.claim() == [uid]


def test_a_pin_to_somebody_elses_runner_is_refused(yard):
    stranger = yard.runner("theirs", place=yard.elsewhere())
    uid = yard.ask("PLAN", yard.spec())
    with pytest.raises(NotFound):
        yard.pin(uid, stranger.worker.uid)
    with pytest.raises(NotFound):
        yard.ask("PLAN", yard.spec("b"), assigned_worker_uid=stranger.worker.uid)


def test_a_draining_runner_gets_nothing_and_goes_on_afterwards(yard):
    runner = yard.runner()
    uid = yard.ask("PLAN", yard.spec())
    yard.act(lambda tx: draining.drain(tx, tx.get(type(runner.worker), runner.worker.id)))
    assert not runner.waits()
    assert runner.claim() is None
    yard.act(lambda tx: draining.undrain(tx, tx.get(type(runner.worker), runner.worker.id)))
    assert runner.claim().uid == uid


def test_a_runner_of_one_identity_takes_its_jobs_alone_and_what_is_pinned_to_it(yard):
    identity, other = yard.identity(), yard.identity()
    runner, free = yard.runner(cloud_identity_id=identity.id), yard.runner("free")
    document = {"provider": "aws", "region": "eu-west-1"}
    plain = yard.ask("PLAN", yard.spec("plain"))
    theirs = yard.ask("PLAN", yard.spec("theirs", **document, cloud_identity_id=other.uid))
    mine = yard.ask("PLAN", yard.spec("mine", **document, cloud_identity_id=identity.uid))
    pinned = yard.ask("PLAN", yard.spec("pinned"), assigned_worker_uid=runner.worker.uid)
    assert [runner.claim().uid, runner.claim().uid, runner.claim()] == [pinned, mine, None]
    assert [free.claim().uid, free.claim().uid] == [plain, theirs]


def test_an_enrolled_worker_of_one_identity_is_confined_likewise(yard):
    identity, worker = yard.identity(), yard.enrolled()
    yard.ask("PLAN", yard.spec("plain"))
    mine = yard.ask("PLAN", yard.spec("mine", provider="aws", region="eu-west-1", cloud_identity_id=identity.uid))

    def confine(tx):
        tx.add(
            Runner(
                uid=tx.ids.uid(), worker_id=worker.row.id, organization_id=worker.row.organization_id,
                mode="self-hosted", cloud_identity_id=identity.id, runner_metadata={}, created_at=tx.now,
            )
        )  # fmt: skip

    yard.act(confine)
    assert worker.claim() == [mine]


def test_jobs_with_an_identity_are_nothing_for_the_servers_own_worker(yard):
    identity = yard.identity()
    uid = yard.ask("PLAN", yard.spec("x", provider="aws", region="eu-west-1", cloud_identity_id=identity.uid))
    assert yard.own().claim() == []
    assert yard.runner().claim().uid == uid


def test_a_runner_holds_so_many_and_no_more(yard, monkeypatch):
    from quarterdeck.infra.work import claiming

    monkeypatch.setattr(claiming, "MOST_HELD", 1)
    runner = yard.runner()
    first, second = yard.ask("PLAN", yard.spec("a")), yard.ask("PLAN", yard.spec("b"))
    assert runner.claim().uid == first
    assert runner.claim() is None
    runner.report(first, "FAILED", "no")
    assert runner.claim().uid == second


def test_a_claim_passes_over_jobs_whose_orders_cannot_be_made(yard):
    spec = yard.spec()
    plan = yard.planned(spec)
    broken = yard.ask("DEPLOY", spec, plan_job_uid=plan)
    good = yard.ask("PLAN", yard.spec("b"))
    yard.db.write_sync(lambda tx: tx.execute("UPDATE infra_plans SET applied_at = 1"))
    assert yard.runner().claim().uid == good
    assert yard.job(broken).status == "FAILED"


def test_the_queue_of_an_organization_is_bounded(yard, monkeypatch):
    from quarterdeck.infra.work import creating

    monkeypatch.setattr(creating, "MOST_WAITING", 2)
    spec = yard.spec()
    for _ in range(2):
        yard.ask("PLAN", spec)
    with pytest.raises(Conflict) as refused:
        yard.ask("PLAN", spec)
    assert refused.value.code == "infra_too_many_jobs"


def test_nobody_fills_the_queue_of_an_organization_alone(yard, monkeypatch):
    from quarterdeck.infra.work import creating

    monkeypatch.setattr(creating, "MOST_OF_ONE", 2)
    bob, spec = yard.person("bob", "organization:developer"), yard.spec()
    first = yard.ask("PLAN", spec, by=bob)
    yard.ask("PLAN", spec, by=bob)
    with pytest.raises(Conflict) as refused:
        yard.ask("PLAN", spec, by=bob)
    assert refused.value.code == "infra_too_many_jobs"
    assert yard.ask("PLAN", spec)  # a colleague's
    yard.cancel(first, by=bob)
    assert yard.ask("PLAN", spec, by=bob)


@pytest.mark.parametrize(("resources", "got"), [(1, False), (0, True)])
def test_what_a_repositorys_module_has_made_is_nothing_for_the_servers_own_worker(yard, resources, got):
    from quarterdeck.infra.specs import specs
    from quarterdeck.infra.states import states

    module = {"kind": "git", "url": "https://git.example.com/team/stack.git", "commit": "a" * 40}
    spec = yard.spec(module=module)

    def back_to_the_template(tx):
        states.locked(tx, states.subject_of_spec(spec), spec.organization_id).resources = resources
        specs.change(tx, yard.access, spec.uid, {**DOCUMENT, "module": {"kind": "bundled", "name": "local"}})

    yard.act(back_to_the_template)
    own, enrolled, uid = yard.own(), yard.enrolled(), yard.ask("PLAN", spec)
    assert own.claim() == ([uid] if got else [])
    assert enrolled.claim() == ([] if got else [uid])
