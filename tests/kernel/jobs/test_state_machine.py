"""The ledger under concurrent claimers, driven by Hypothesis on each database.

Nothing is lost, nothing is doubled, fences strictly grow, and a concurrency key has one holder at a time.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.errors import Conflict


class Empty(msgspec.Struct):
    pass


ENDS: list[tuple[int, str]] = []
KIND = jobs.kinds.register(
    jobs.JobKind("machine.work", Empty, finish=lambda tx, job, outcome: ENDS.append((job.id, outcome.state)))
)
LANES = ("urgent", "normal", "background")
CLAIMERS = 4


class LedgerMachine(RuleBasedStateMachine):
    """Which claimer gets what is the machine's own luck, so no rule has a precondition: what Hypothesis draws may not
    depend on it.
    """

    database_address = None

    def __init__(self) -> None:
        super().__init__()
        self.clock = HeldClock()
        self.db = open_database(self.database_address, clock=self.clock)
        self.db.write_sync(_empty)
        self.threads = ThreadPoolExecutor(CLAIMERS)
        self.known: dict[int, str | None] = {}
        self.fences: dict[int, int] = {}
        self.held: dict[int, int] = {}
        self.ended: dict[int, str] = {}
        self.attempts: list[tuple[int, int]] = []

    def teardown(self) -> None:
        self.settle()
        self.threads.shutdown()
        self.db.close_sync()

    @initialize()
    def begin(self):
        self.enqueue([None, "a", "b", "a", None, None], "normal", 0, 3)

    @rule(
        keys=st.lists(st.sampled_from([None, None, "a", "b"]), min_size=1, max_size=5),
        lane=st.sampled_from([*LANES, "housekeeping"]),
        later=st.sampled_from([0, 0, 0, 20]),
        attempts=st.sampled_from([1, 3]),
    )
    def enqueue(self, keys, lane, later, attempts):
        run_at = self.clock.now() + timedelta(seconds=later) if later else None
        requests = [
            jobs.Enqueue(
                "machine.work", Empty(), 1, concurrency_key=key, lane=lane, run_at=run_at, max_attempts=attempts
            )
            for key in keys
        ]
        made = list(self.threads.map(lambda request: self.db.write_sync(jobs.enqueue, request), requests))
        for job in made:
            assert job.id not in self.known
            self.known[job.id] = job.concurrency_key

    @rule(limits=st.lists(st.integers(1, 3), min_size=1, max_size=CLAIMERS))
    def claim(self, limits):
        gate = threading.Barrier(len(limits))

        def take(place):
            gate.wait()
            claimant = jobs.Claimant(f"worker:{place}", frozenset(), LANES, limits[place])
            return [assigned.job for assigned in self.db.write_sync(jobs.claim, claimant)]

        claimed = [job for part in self.threads.map(take, range(len(limits))) for job in part]
        assert len({job.id for job in claimed}) == len(claimed), "a job was claimed twice"
        for job in claimed:
            assert job.id not in self.held
            assert job.id not in self.ended
            assert job.fence > self.fences.get(job.id, 0)
            assert job.lane != "housekeeping"
            self.fences[job.id] = self.held[job.id] = job.fence
            self.attempts.append((job.id, job.fence))

    @rule(place=st.integers(0, CLAIMERS - 1))
    def everyone_falls_silent_and_another_claims(self, place):
        if not self.held:
            return
        self.time_passes(31)
        self.claim([2] * (place + 1))

    @rule(
        choose=st.integers(0, 1000), state=st.sampled_from(["succeeded", "failed", "canceled"]), retriable=st.booleans()
    )
    def complete(self, choose, state, retriable):
        if not self.attempts:
            return
        job_id, fence = self.attempt(choose)
        outcome = jobs.Outcome(state, retriable=retriable)
        key = self.known[job_id]
        before = len(ENDS)
        try:
            job = self.db.write_sync(jobs.complete, job_id, fence, outcome, key=key)
        except jobs.Fenced:
            assert self.held.get(job_id) != fence, "the holder's report was refused"
            return
        if self.held.get(job_id) != fence:
            assert len(ENDS) == before, "a repeated report counted twice"
            return
        del self.held[job_id]
        if job.ended:
            self.ended[job_id] = job.state
            assert ENDS[-1][0] == job_id

    @rule(choose=st.integers(0, 1000))
    def renew(self, choose):
        if not self.attempts:
            return
        held = self.attempt(choose)
        lost, _ = self.db.write_sync(jobs.heartbeat, [held])
        assert (held[0] in lost) == (self.held.get(held[0]) != held[1])

    @rule(choose=st.integers(0, 1000))
    def hand_back(self, choose):
        if not self.attempts:
            return
        held = self.attempt(choose)
        self.db.write_sync(jobs.hand_back, *held)
        if self.held.get(held[0]) == held[1]:
            del self.held[held[0]]

    def attempt(self, choose):
        """One of the latest attempts, whether it still holds its job or not."""
        latest = self.attempts[-12:]
        return latest[choose % len(latest)]

    @rule(choose=st.integers(0, 1000))
    def cancel(self, choose):
        job_id = sorted(self.known)[choose % len(self.known)]
        try:
            job = self.db.write_sync(jobs.cancel, job_id, "unwanted")
        except Conflict:
            assert job_id in self.ended
            return
        if job.state == "canceled":
            assert job_id not in self.held
            self.ended[job_id] = "canceled"
        else:
            assert job_id in self.held

    @rule(seconds=st.sampled_from([1, 10, 31]))
    def time_passes(self, seconds):
        self.clock.advance(seconds)
        for verb in (jobs.requeue_lapsed, jobs.wake_parked):
            list(self.threads.map(lambda _, verb=verb: self.db.write_sync(verb), range(2)))
        for job in self.db.read_sync(jobs.list_jobs, jobs.Filter(limit=1000)):
            if job.state != "running":
                self.held.pop(job.id, None)
            if job.ended:
                self.ended.setdefault(job.id, job.state)

    @invariant()
    def nothing_is_lost_and_every_key_has_one_holder(self):
        rows = {job.id: job for job in self.db.read_sync(jobs.list_jobs, jobs.Filter(limit=1000))}
        assert set(rows) == set(self.known)
        running_keys = [job.concurrency_key for job in rows.values() if job.state == "running" and job.concurrency_key]
        assert len(running_keys) == len(set(running_keys)), "two holders of one key"
        assert {job.id for job in rows.values() if job.state == "running"} == set(self.held)
        assert {job.id for job in rows.values() if job.ended} == set(self.ended)
        assert self.db.read_sync(_stuck) == []

    def settle(self):
        """Whatever was left ends when somebody goes on working: no job is stuck for ever."""
        for _ in range(400):
            self.clock.advance(40)
            self.db.write_sync(jobs.requeue_lapsed)
            self.db.write_sync(jobs.wake_parked)
            claimant = jobs.Claimant("last", frozenset(), (*LANES, "housekeeping"), 100)
            claimed = [assigned.job for assigned in self.db.write_sync(jobs.claim, claimant)]
            for job in claimed:
                self.db.write_sync(jobs.complete, job.id, job.fence, jobs.Outcome("succeeded"), key=job.concurrency_key)
            if not claimed and not self.db.read_sync(jobs.count, jobs.Filter(states=tuple(jobs.LIVE))):
                break
        assert self.db.read_sync(jobs.count, jobs.Filter(states=tuple(jobs.LIVE))) == 0


def _empty(tx):
    ENDS.clear()
    tx.execute("DELETE FROM job_attempts")
    tx.execute("DELETE FROM jobs")


def _stuck(tx):
    """Live rows that nothing would ever touch again, and ended rows that still hold something."""
    return tx.execute(
        "SELECT id FROM jobs WHERE (state IN ('pending', 'retry-scheduled') AND due_at IS NULL AND parked_key IS NULL) "
        "OR (state = 'running' AND lease_until IS NULL) "
        "OR (parked_key IS NOT NULL AND wake_at IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM jobs holder WHERE holder.turn_key = jobs.parked_key)) "
        "OR (finished_at IS NOT NULL AND (due_at IS NOT NULL OR route IS NOT NULL OR lease_until IS NOT NULL "
        "OR turn_key IS NOT NULL OR parked_key IS NOT NULL OR wake_at IS NOT NULL))"
    ).all()


def test_nothing_is_lost_or_doubled_whatever_happens_in_whatever_order(database_address):
    machine = type("Machine", (LedgerMachine,), {"database_address": database_address})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


@pytest.mark.full
def test_nothing_is_lost_or_doubled_over_many_more_orders(database_address):
    machine = type("Machine", (LedgerMachine,), {"database_address": database_address})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=300,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
