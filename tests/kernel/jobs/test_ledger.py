"""What the ledger promises to work that waits, runs and ends."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.errors import Conflict, Unavailable
from quarterdeck.kernel.jobs import ledger
from quarterdeck.kernel.jobs.ledger import complete_many
from quarterdeck.kernel.principal import Context, Principal, current


class Note(msgspec.Struct):
    text: str = ""


FINISHED: list[tuple[int, str]] = []

PLAIN = jobs.kinds.register(jobs.JobKind("test.plain", Note))
STEPS = jobs.kinds.register(jobs.JobKind("test.steps", Note, record=lambda tx, job, kind, data: {"kept": data["n"]}))
LOUD = jobs.kinds.register(
    jobs.JobKind("test.loud", Note, finish=lambda tx, job, outcome: FINISHED.append((job.id, outcome.state)))
)


def _refuse(tx, job):
    raise Unavailable("The server is not reachable.", code="server_unreachable")


jobs.kinds.register(jobs.JobKind("test.unassignable", Note, assign=_refuse))


def _break(tx, job, *outcome):
    raise RuntimeError("a bug")


jobs.kinds.register(jobs.JobKind("test.broken-order", Note, assign=_break, finish=_break))
jobs.kinds.register(jobs.JobKind("test.broken-finish", Note, finish=_break))


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def db(database_address, clock):
    opened = open_database(database_address, clock=clock)
    yield opened
    opened.close_sync()


def put(db, kind="test.plain", **options):
    return db.write_sync(jobs.enqueue, jobs.Enqueue(kind, Note("x"), None, **options))


def take(db, limit=10, owner="one", capabilities=(), worker_id=None, lanes=("urgent", "normal", "background")):
    claimant = jobs.Claimant(owner, frozenset(capabilities), lanes, limit, worker_id)
    return [assigned.job for assigned in db.write_sync(jobs.claim, claimant)]


def end(db, job, state="succeeded", **more):
    return db.write_sync(jobs.complete, job.id, job.fence, jobs.Outcome(state, **more), key=job.concurrency_key)


def state(db, job):
    return db.read_sync(jobs.get, job.id).state


def test_work_waits_runs_and_ends(db):
    job = put(db, subject="deployment:dep_1")
    assert (job.state, job.fence) == ("pending", 0)
    (claimed,) = take(db)
    assert (claimed.id, claimed.state, claimed.fence, claimed.attempts) == (job.id, "running", 1, 1)
    assert take(db) == []
    assert end(db, claimed, result='{"a":1}').state == "succeeded"
    found = db.read_sync(jobs.find, subject="deployment:dep_1")
    assert (found.state, found.result, found.read(Note)) == ("succeeded", '{"a":1}', Note("x"))


def test_what_a_foreign_program_tells_of_its_failure_is_kept_as_both_databases_can(db, clock):
    put(db, subject="deployment:dep_1", max_attempts=2)
    for becomes, retriable in (("retry-scheduled", True), ("failed", False)):
        (claimed,) = take(db)
        words = {"error_code": "c" * 500, "error_category": "k" * 500, "error_message": "a\0b\ud800" * 10_000}
        assert end(db, claimed, "failed", retriable=retriable, **words).state == becomes
        found = db.read_sync(jobs.find, subject="deployment:dep_1")
        assert (len(found.error_code), len(found.error_category), len(found.error_message)) == (120, 20, 16_384)
        assert found.error_message.startswith("a\N{REPLACEMENT CHARACTER}b?")
        clock.advance(ledger.LONGEST_BACKOFF)


def test_an_idempotency_key_answers_the_first_job(db):
    first = put(db, idempotency_key="k")
    assert put(db, idempotency_key="k").id == first.id
    assert put(db, idempotency_key="other").id != first.id
    assert put(db, kind="test.steps", idempotency_key="k").id != first.id


def test_a_repeated_key_that_would_have_taken_the_turn_leaves_nobody_parked_behind_it(db):
    first = put(db, idempotency_key="k", concurrency_key="c")
    (claimed,) = take(db)
    end(db, claimed)
    requests = [
        jobs.Enqueue("test.plain", Note(), None, idempotency_key="k", concurrency_key="c"),
        jobs.Enqueue("test.plain", Note(), None, concurrency_key="c"),
    ]
    again, second = db.write_sync(jobs.enqueue_many, requests)
    assert again.id == first.id
    assert [job.id for job in take(db)] == [second.id]


def test_jobs_of_one_concurrency_key_run_one_at_a_time_in_order(db):
    made = [put(db, concurrency_key="app:1") for _ in range(3)]
    for expected in made:
        (claimed,) = take(db)
        assert claimed.id == expected.id
        assert take(db) == []
        end(db, claimed, "failed")


def test_a_canceled_holder_passes_its_turn(db):
    first, second = put(db, concurrency_key="c"), put(db, concurrency_key="c")
    assert db.write_sync(jobs.cancel, first.id, "not wanted").state == "canceled"
    assert [job.id for job in take(db)] == [second.id]


def test_a_canceled_waiter_leaves_the_turn_alone(db):
    first, second, third = (put(db, concurrency_key="c") for _ in range(3))
    db.write_sync(jobs.cancel, second.id, "not wanted")
    (claimed,) = take(db)
    assert claimed.id == first.id
    end(db, claimed)
    assert [job.id for job in take(db)] == [third.id]


def test_a_keyed_job_of_the_future_does_not_hold_the_turn(db, clock):
    later = put(db, concurrency_key="c", run_at=clock.now() + timedelta(minutes=5))
    now = put(db, concurrency_key="c")
    (claimed,) = take(db)
    assert claimed.id == now.id
    clock.advance(301)
    assert db.write_sync(jobs.wake_parked) == 1
    assert take(db) == []
    end(db, claimed)
    assert [job.id for job in take(db)] == [later.id]


def test_a_keyed_job_of_the_future_is_woken_when_its_key_is_free(db, clock):
    later = put(db, concurrency_key="c", run_at=clock.now() + timedelta(minutes=5))
    clock.advance(301)
    assert take(db) == []
    db.write_sync(jobs.wake_parked)
    assert [job.id for job in take(db)] == [later.id]


def test_a_job_of_the_future_is_not_claimed_before_its_time(db, clock):
    put(db, run_at=clock.now() + timedelta(seconds=10))
    assert take(db) == []
    clock.advance(10)
    assert len(take(db)) == 1


def test_urgent_work_goes_first_and_equal_work_in_order(db):
    slow, first, second, fast = (put(db, lane=lane).id for lane in ("background", "normal", "normal", "urgent"))
    assert [job.id for job in take(db, 2)] == [fast, first]
    assert [job.id for job in take(db, 2)] == [second, slow]


def test_a_lane_that_is_not_asked_for_is_left_alone(db):
    kept = put(db, lane="housekeeping")
    assert take(db) == []
    assert [job.id for job in take(db, lanes=("housekeeping",))] == [kept.id]


def test_a_worker_takes_only_what_its_capabilities_cover(db):
    bare = put(db)
    deploy = put(db, capabilities=frozenset({"deploy"}))
    here = put(db, capabilities=frozenset({"local:ab", "deploy"}))
    put(db, capabilities=frozenset({"infra"}))
    taken = take(db, capabilities={"deploy", "local:ab"})
    assert {job.id for job in taken} == {bare.id, deploy.id, here.id}


def test_a_pinned_job_waits_for_its_worker_alone(db):
    pinned = put(db, worker_id=7, capabilities=frozenset({"deploy"}))
    assert take(db, capabilities={"deploy"}) == []
    assert take(db, capabilities={"deploy"}, worker_id=8) == []
    assert take(db, worker_id=7) == []
    assert [job.id for job in take(db, capabilities={"deploy"}, worker_id=7)] == [pinned.id]


def test_a_stale_report_is_refused(db, clock):
    put(db)
    (first,) = take(db)
    clock.advance(31)
    db.write_sync(jobs.requeue_lapsed)
    (second,) = take(db, owner="two")
    assert second.fence == first.fence + 1
    with pytest.raises(jobs.Fenced):
        end(db, first)
    with pytest.raises(jobs.Fenced):
        db.write_sync(jobs.record, first.id, first.fence, 1, "step", {})
    assert db.write_sync(jobs.heartbeat, [(first.id, first.fence)]) == ({first.id}, set())
    assert end(db, second).state == "succeeded"


def test_a_lapsed_lease_is_requeued_not_executed(db, clock):
    job = put(db, concurrency_key="c")
    (claimed,) = take(db)
    clock.advance(29)
    assert db.write_sync(jobs.heartbeat, [(job.id, claimed.fence)]) == (set(), set())
    clock.advance(29)
    assert db.write_sync(jobs.requeue_lapsed) == 0
    clock.advance(1)
    assert db.write_sync(jobs.requeue_lapsed) == 1
    assert state(db, job) == "pending"
    with pytest.raises(jobs.Fenced):
        end(db, claimed)
    assert [one.outcome for one in db.read_sync(jobs.attempts, job.id)] == ["lapsed"]


def test_an_attempt_that_vanishes_again_and_again_is_given_up(db, clock):
    job = put(db, kind="test.loud")
    for _ in range(5):
        assert take(db)
        clock.advance(31)
        db.write_sync(jobs.requeue_lapsed)
    dead = db.read_sync(jobs.get, job.id)
    assert (dead.state, dead.error_code) == ("dead-lettered", "job_worker_lost")
    assert FINISHED[-1] == (job.id, "failed")


def test_what_a_dead_process_held_is_requeued_at_once(db):
    job, other = put(db), put(db)
    take(db, 1, owner="process:a")
    take(db, 1, owner="process:b")
    assert db.write_sync(jobs.requeue_abandoned, "process:a") == 1
    assert (state(db, job), state(db, other)) == ("pending", "running")


def test_a_retriable_failure_waits_and_tries_again_up_to_the_limit(db, clock):
    job = put(db, max_attempts=2, concurrency_key="c")
    follower = put(db, concurrency_key="c")
    (claimed,) = take(db)
    assert end(db, claimed, "failed", retriable=True, error_code="busy").state == "retry-scheduled"
    assert end(db, claimed, "failed", retriable=True, error_code="busy").state == "retry-scheduled"
    assert take(db) == []
    clock.advance(5)
    (claimed,) = take(db)
    assert (claimed.id, claimed.attempts) == (job.id, 2)
    assert end(db, claimed, "failed", retriable=True).state == "dead-lettered"
    assert [one.id for one in take(db)] == [follower.id]


def test_the_end_of_an_attempt_may_be_told_twice(db):
    put(db, kind="test.loud")
    (claimed,) = take(db)
    FINISHED.clear()
    assert end(db, claimed).state == "succeeded"
    assert end(db, claimed).state == "succeeded"
    assert [(claimed.id, "succeeded")] == FINISHED


def test_a_running_job_is_asked_to_stop_and_stops(db):
    job = put(db)
    (claimed,) = take(db)
    asked = db.write_sync(jobs.cancel, job.id, "superseded")
    assert (asked.state, asked.cancel_reason) == ("running", "superseded")
    assert db.write_sync(jobs.heartbeat, [(job.id, 1)]) == (set(), {job.id})
    with pytest.raises(jobs.Canceled):
        db.write_sync(jobs.record, job.id, claimed.fence, 1, "step", {})
    assert end(db, claimed, "canceled").state == "canceled"


def test_a_canceled_job_whose_worker_vanished_ends_as_canceled(db, clock):
    job = put(db)
    take(db)
    db.write_sync(jobs.cancel, job.id, "superseded")
    clock.advance(31)
    db.write_sync(jobs.requeue_lapsed)
    assert state(db, job) == "canceled"


def test_a_report_counts_once_and_answers_the_same_again(db):
    put(db, kind="test.steps")
    (claimed,) = take(db)
    told = (claimed.id, claimed.fence)
    assert db.write_sync(jobs.record, *told, 1, "step", {"n": 1}) == {"kept": 1}
    assert db.write_sync(jobs.record, *told, 1, "step", {"n": 999}) == {"kept": 1}
    assert db.write_sync(jobs.record, *told, 2, "step", {"n": 2}) == {"kept": 2}
    with pytest.raises(jobs.Fenced):
        db.write_sync(jobs.record, *told, 1, "step", {"n": 1})


def test_an_order_that_cannot_be_made_fails_its_job_and_spares_the_others(db):
    bad, good = put(db, kind="test.unassignable"), put(db)
    assert [job.id for job in take(db)] == [good.id]
    failed = db.read_sync(jobs.get, bad.id)
    assert (failed.state, failed.error_code) == ("failed", "server_unreachable")


def test_a_bug_in_one_jobs_order_and_end_fails_that_job_and_stops_no_other(db):
    bad, behind = (put(db, kind=kind, concurrency_key="k") for kind in ("test.broken-order", "test.plain"))
    good = put(db)
    assert [job.id for job in take(db)] == [good.id]
    failed = db.read_sync(jobs.get, bad.id)
    assert (failed.state, failed.error_code) == ("failed", "job_order_failed")
    assert [job.id for job in take(db)] == [behind.id]


def test_a_bug_at_the_end_of_a_lapsed_job_leaves_the_other_lapsed_ones_their_turn(db, clock):
    bad, good = put(db, kind="test.broken-finish", concurrency_key="k"), put(db)
    assert len(take(db)) == 2
    db.write_sync(jobs.cancel, bad.id, "asked")
    clock.advance(600)
    db.write_sync(jobs.requeue_lapsed)
    assert db.read_sync(jobs.get, bad.id).state == "canceled"
    assert [job.id for job in take(db)] == [good.id]


def test_handed_back_work_is_claimable_at_once(db):
    job = put(db)
    (claimed,) = take(db)
    db.write_sync(jobs.hand_back, claimed.id, claimed.fence)
    (again,) = take(db, owner="two")
    assert (again.id, again.fence) == (job.id, 2)


def test_what_somebody_else_reports_of_a_held_job_counts_nothing(db, clock):
    """Ids and fences are small numbers: who guesses them holds nothing."""
    put(db, kind="test.steps")
    (held,) = take(db, owner="holder")
    place = (held.id, held.fence)
    until = db.read_sync(jobs.get, held.id).lease_us
    clock.advance(5)
    assert db.write_sync(jobs.heartbeat, [place], "stranger") == ({held.id}, set())
    assert db.read_sync(jobs.get, held.id).lease_us == until
    with pytest.raises(jobs.Fenced):
        db.write_sync(jobs.record, *place, 506, "step", {"n": 1}, "stranger")
    for told in (jobs.Outcome("succeeded"), jobs.Outcome("failed", retriable=True), jobs.Outcome("canceled")):
        forged, unknown = jobs.Report(*place, told, None, "stranger"), jobs.Report(10_000, 1, told, None, "stranger")
        assert db.write_sync(complete_many, [forged, unknown]) == [None, None]
    db.write_sync(jobs.hand_back, *place, "stranger")
    db.write_sync(jobs.hand_back, 10_000, 1, "stranger")
    assert state(db, held) == "running"
    assert db.write_sync(jobs.heartbeat, [place], "holder") == (set(), set())
    assert db.write_sync(jobs.record, *place, 1, "step", {"n": 1}, "holder") == {"kept": 1}
    both = [jobs.Report(*place, jobs.Outcome("failed"), None, "stranger"),
            jobs.Report(*place, jobs.Outcome("succeeded"), None, "holder")]  # fmt: skip
    forged, true = db.write_sync(complete_many, both)
    assert (forged, true.state) == (None, "succeeded")
    forged, again = db.write_sync(complete_many, both)
    assert (forged, again.id) == (None, held.id)


def test_an_operator_may_bury_recover_and_retry_what_failed(db):
    job = put(db, subject="deployment:dep_9")
    (claimed,) = take(db)
    end(db, claimed, "failed", retriable=True)
    fresh = db.write_sync(jobs.retry, job.id)
    assert (fresh.state, fresh.retry_of_id, fresh.payload) == ("pending", job.id, job.payload)
    with pytest.raises(Conflict, match="does not allow retry"):
        db.write_sync(jobs.retry, job.id)
    assert db.write_sync(jobs.dead_letter, job.id, "hopeless").state == "dead-lettered"
    recovered = db.write_sync(jobs.mark_recovered, job.id)
    assert (recovered.state, recovered.closed_by) == ("succeeded", "manual-recovery")
    with pytest.raises(Conflict) as refused:
        db.write_sync(jobs.cancel, job.id, "late")
    assert refused.value.code == "operator_work_cancel_not_allowed"


def test_pruning_counts_first_and_never_takes_live_jobs(db, clock):
    for _ in range(3):
        put(db)
    first, second, _third = take(db)
    end(db, first)
    end(db, second, "failed")
    clock.advance(60)
    assert db.write_sync(jobs.prune, clock.now()) == {"succeeded": 1, "failed": 1}
    assert db.read_sync(jobs.count, jobs.Filter()) == 3
    assert db.write_sync(jobs.prune, clock.now(), dry_run=False) == {"succeeded": 1, "failed": 1}
    assert [job.state for job in db.read_sync(jobs.list, jobs.Filter())] == ["running"]


def test_a_list_is_filtered_newest_first_and_paged(db):
    made = [put(db, subject=f"s:{number % 2}").id for number in range(6)]
    wanted = jobs.Filter(subject="s:1", limit=2)
    page = [job.id for job in db.read_sync(jobs.list, wanted)]
    assert page == [made[5], made[3]]
    rest = db.read_sync(jobs.list, jobs.Filter(subject="s:1", before=page[-1]))
    assert [job.id for job in rest] == [made[1]]


def test_a_short_reference_leads_back_to_its_job(db):
    job = put(db)
    assert len(job.short_ref) == 8
    assert jobs.short_ref_id(job.short_ref) == job.id
    with pytest.raises(ValueError, match="nonsense"):
        jobs.short_ref_id("nonsense!")


@given(st.integers(0, (1 << 62) - 1))
def test_a_work_reference_is_twelve_characters_and_one_to_one(job_id):
    ref = jobs.work_ref(job_id)
    assert re.fullmatch("wrk_[0-9a-z]{12}", ref)
    assert jobs.work_ref_id(ref) == job_id


@pytest.mark.parametrize("ref", ["", "wrk_", "wrk_1", "wrk_zzzzzzzzzzzz", "dep_000000000001", "wrk_00000000000A"])
def test_another_form_is_no_work_reference(ref):
    with pytest.raises(ValueError, match="no work reference"):
        jobs.work_ref_id(ref)


def test_what_a_person_does_to_a_job_is_audited_and_what_the_system_does_is_not(db):
    actor = Context(principal=Principal("user", 7, "0192", "mara", organization_id=1))
    first, second = put(db), put(db)
    db.write_sync(jobs.cancel, first.id, "by itself")
    token = current.set(actor)
    try:
        db.write_sync(jobs.cancel, second.id, "not wanted")
    finally:
        current.reset(token)
    rows = db.read_sync(lambda tx: tx.execute("SELECT action, resource_id, actor_label FROM audit_events").all())
    assert [tuple(row) for row in rows] == [("job.canceled", second.uid, "mara")]


def test_what_a_rule_writes_bears_the_correlation_id_of_its_job(db):
    seen = []
    jobs.kinds.register(
        jobs.JobKind("test.correlated", Note, finish=lambda tx, job, outcome: seen.append(tx.context.correlation_id))
    )
    put(db, kind="test.correlated", correlation_id="req_1")
    (claimed,) = take(db)
    end(db, claimed)
    assert seen == ["req_1"]


def test_a_round_of_claims_looks_once_at_what_waits_and_asks_only_for_those_who_can_take_it(database, monkeypatch):
    jobs.kinds.register(jobs.JobKind("claim.pinned"))
    pinned = [database.write_sync(jobs.enqueue, jobs.Enqueue("claim.pinned", {}, None, worker_id=n)) for n in (7, 500)]
    asked = []

    class Counting(type(ledger._STATEMENTS[database.dialect])):
        def live_routes(self, tx):
            asked.append("routes")
            return super().live_routes(tx)

        def claim(self, tx, *, owner, pairs, **more):
            asked.append((owner, pairs))
            return super().claim(tx, owner=owner, pairs=pairs, **more)

    monkeypatch.setitem(ledger._STATEMENTS, database.dialect, Counting())
    claimants = [jobs.Claimant(f"worker:{n}", frozenset({"deploy"}), ("normal",), 2, n) for n in range(1, 201)]
    given = database.write_sync(ledger.claim_for_all, claimants)
    assert [one.job.id for found in given for one in found] == [pinned[0].id]
    assert asked == ["routes", ("worker:7", [("@worker:7|", 1)])]
