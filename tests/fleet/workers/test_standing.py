"""What the facts of a worker come to: status, slots, draining, degradation, and what is believed of what it says."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import text

from quarterdeck.fleet.workers import degradation, description, draining, hearing, roster, standing
from quarterdeck.fleet.workers.degradation import agent_failed, agent_succeeded
from quarterdeck.fleet.workers.description import About, Agent, Ailing, Condition, Hardware
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.standing import Thresholds
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs import frames
from support.enrolled import enrolled

LIMITS = Thresholds()
CLAUDE, CODEX = Agent(type="claude", version="2.1.0", path="/usr/bin/claude"), Agent(type="codex")


class Bench:
    """One worker, and verbs on it."""

    def __init__(self, db, clock):
        self.db, self.clock = db, clock
        self.made = db.write_sync(enrolled, ["tasks"])

    def do(self, verb, *given, **named):
        return self.db.write_sync(lambda tx: verb(tx, tx.get(Worker, self.made.id), *given, **named))

    def hello(self, boot="one", slots=4, about=None, **said):
        hello = frames.Hello(boot_id=boot, slots=slots, capabilities=["tasks", "deploy"], **said)
        return self.db.write_sync(hearing.connected, self.made.id, hello, about or About(agents=[CLAUDE, CODEX]))

    def beat(self, boot="one", condition=None, **said):
        beat, told = frames.Heartbeat(**said), condition or Condition()
        return self.db.write_sync(hearing.heard, [hearing.Beat(self.made.worker, boot, beat, told)], lambda *_: LIMITS)[
            0
        ]

    def look(self, read):
        return self.db.read_sync(lambda tx: read(tx.get(Worker, self.made.id), tx.now))

    @property
    def status(self):
        return self.look(lambda worker, now: standing.status(worker, now, LIMITS.heartbeat_timeout))

    @property
    def usable(self):
        """The agents that it has and that are not degraded."""
        ill = {one.agent for one in self.look(degradation.degraded)}
        return {one["type"] for one in self.look(lambda worker, _: worker.agents)} - ill

    def told(self):
        query = text("SELECT type FROM domain_events WHERE stream = :stream ORDER BY id")
        named = {"stream": f"worker:{self.made.uid}"}
        return self.db.read_sync(lambda tx: list(tx.execute(query, named).scalars()))


@pytest.fixture
def bench(held, clock):
    return Bench(held, clock)


def listed(bench, *statuses, **rest):
    def verb(tx):
        found, total = roster.page(
            tx,
            bench.made.organization_id,
            capability=rest.pop("capability", "tasks"),
            statuses=statuses,
            heartbeat_timeout=LIMITS.heartbeat_timeout,
            limit=10,
            **rest,
        )
        assert len(found) == total
        return total

    return bench.db.read_sync(verb)


def test_a_status_follows_from_facts_and_lists_filter_by_the_same(bench, clock):
    def shown():
        return [one for one in ("online", "offline", "draining", "decommissioned") if listed(bench, one)]

    assert (bench.status, shown()) == ("offline", ["offline"])
    bench.hello()
    assert (bench.status, shown()) == ("online", ["online"])
    clock.advance(180)
    assert bench.status == "online"
    bench.do(draining.drain, "a new disk")
    assert (bench.status, shown()) == ("draining", ["draining"])
    clock.advance(1)
    assert (bench.status, shown()) == ("offline", ["offline"])
    bench.beat()
    bench.do(draining.undrain)
    assert bench.status == "online"
    assert (listed(bench), listed(bench, "online", "draining"), listed(bench, capability="deploy")) == (1, 1, 0)
    bench.do(draining.decommission)
    assert (bench.status, shown()) == ("decommissioned", ["decommissioned"])
    assert (listed(bench), listed(bench, decommissioned=True)) == (0, 1)
    for verb in (draining.drain, draining.undrain):
        with pytest.raises(Conflict):
            bench.do(verb)


def test_a_worker_is_bound_in_what_it_says_of_itself(bench):
    noted = bench.hello(slots=1000, worker_version="1\x1b[2J", about=About(projects=["WEB", "WEB", "a\u202eb"]))
    assert noted.slots == description.MOST_SLOTS == 64
    bench.do(roster.change, max_slots=3)
    assert bench.hello(slots=1000).slots == 3
    assert bench.hello(slots=2).slots == 2
    bench.do(draining.drain)
    assert bench.hello(slots=0).slots == 2  # a drained worker offers none, and is not forgotten for that
    bench.do(draining.undrain)
    beat = {"used_slots": 10**9, "cpu_percent": 1e300, "mem_percent": -4.0, "disk_percent": 12.5, "load1": 1e300}
    assert bench.beat(**beat).slots == 2
    worker = bench.look(lambda worker, now: worker)
    assert (worker.cpu_percent, worker.mem_percent, worker.disk_percent, worker.load1) == (100.0, 0.0, 12.5, 1e6)
    assert worker.used_slots == 10_000
    assert worker.projects == ["WEB", "a\N{REPLACEMENT CHARACTER}b"]
    for wrong in (
        {"agents": [{"type": "../sh"}]},
        {"agents": [{"type": "a" * 81}]},
        {"agents": [{"type": "claude"}] * 51},
        {"hardware": {"cpuCores": -1}},
        {"projects": ["x" * 65]},
        {"projects": ["x"] * 1001},
        [],
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, About)
    bench.hello(about=About(hardware=Hardware(cpu_cores=8, memory_mb=16000, cpu_model="A\x07B")))
    worker = bench.look(lambda worker, now: worker)
    assert (worker.hardware["cpuCores"], worker.hardware["cpuModel"]) == (8, "A\N{REPLACEMENT CHARACTER}B")


def test_a_disk_that_becomes_too_full_drains_and_only_a_person_ends_that(bench):
    bench.hello()
    assert not bench.beat(disk_percent=90.0).draining
    assert bench.beat(disk_percent=91.0).draining
    assert bench.status == "draining"
    assert "91 %" in bench.look(lambda worker, now: worker.drain_reason)
    assert bench.beat(disk_percent=40.0).draining
    bench.do(draining.undrain)
    assert not bench.beat(disk_percent=40.0).draining
    assert bench.beat(disk_percent=95.0).draining
    bench.do(draining.undrain)
    assert not bench.beat(disk_percent=96.0).draining  # a person knew, and decided
    assert bench.told().count("worker-drained") == 2


def test_heartbeats_that_are_kept_together_concern_each_its_own_worker(bench):
    others = [bench.db.write_sync(enrolled, ["tasks"], organization_id=bench.made.organization_id) for _ in range(2)]
    bench.hello()
    for one in others:
        bench.db.write_sync(hearing.connected, one.id, frames.Hello(boot_id="two", slots=7), About())

    def beat(made, boot, disk, *projects):
        said = frames.Heartbeat(disk_percent=disk, used_slots=int(disk))
        return hearing.Beat(made.worker, boot, said, Condition(projects=list(projects)))

    beats = [beat(bench.made, "one", 5.0, "WEB"), beat(others[0], "two", 95.0), beat(others[1], "stale", 7.0, "API")]
    noted = bench.db.write_sync(hearing.heard, beats, lambda *_: LIMITS)
    assert [(one.draining, one.superseded, one.slots) for one in noted] == [
        (False, False, 4), (True, False, 7), (False, True, 7),
    ]  # fmt: skip
    rows = bench.db.read_sync(lambda tx: [tx.get(Worker, one.id) for one in (bench.made, *others)])
    assert [(one.disk_percent, one.used_slots, one.projects) for one in rows] == [
        (5.0, 5, ["WEB"]), (95.0, 95, []), (None, 0, []),
    ]  # fmt: skip


def test_three_failures_in_a_row_degrade_an_agent_for_a_while(bench, clock):
    bench.hello()
    assert bench.usable == {"claude", "codex"}
    for _ in range(2):
        assert bench.do(agent_failed, "claude", "rate_limit") is None
    bench.do(agent_succeeded, "claude")
    for _ in range(2):
        bench.do(agent_failed, "claude", "rate_limit")
    assert bench.usable == {"claude", "codex"}
    found = bench.do(agent_failed, "claude", "rate_limit")
    assert (found.agent, found.reason, found.until) == ("claude", "rate_limit", clock.now().replace(minute=1))
    assert bench.usable == {"codex"}
    clock.advance(60)
    assert bench.usable == {"claude", "codex"}
    bench.do(agent_failed, "claude", "auth_failure")  # nothing has succeeded in between
    assert bench.usable == {"codex"}
    clock.advance(299)
    assert bench.usable == {"codex"}
    clock.advance(1)
    assert bench.usable == {"claude", "codex"}
    bench.do(agent_succeeded, "claude")
    for _ in range(2):
        bench.do(agent_failed, "claude", "unknown")
    assert bench.usable == {"claude", "codex"}
    assert bench.told() == [
        "worker-enrolled", "worker-agent-degraded", "worker-agent-degraded", "worker-agent-recovered",
    ]  # fmt: skip


def test_a_missing_binary_lasts_until_the_worker_starts_again_and_its_own_word_counts(bench, clock):
    bench.hello()
    for _ in range(3):
        bench.do(agent_failed, "codex", "binary_missing")
    clock.advance(10**6)
    bench.hello()  # another connection of the same process
    assert bench.usable == {"claude"}
    bench.beat(condition=Condition(degraded=[Ailing(agent="claude", reason="not logged in")]))
    assert bench.usable == set()
    shown = bench.look(degradation.degraded)
    assert [(one.agent, one.reason, one.until) for one in shown] == [
        ("codex", "binary_missing", None), ("claude", "not logged in", None),
    ]  # fmt: skip
    bench.hello(boot="two")
    assert bench.usable == {"claude", "codex"}


def test_a_decommissioned_worker_leaves_what_it_had_to_the_rooms_and_to_the_ledger(bench, monkeypatch):
    class Order(msgspec.Struct):
        pass

    jobs.kinds.register(jobs.JobKind("standing.work", Order))
    request = jobs.Enqueue("standing.work", Order(), bench.made.organization_id, capabilities=frozenset({"tasks"}))
    job = bench.db.write_sync(jobs.enqueue, request)
    claimant = jobs.Claimant(
        f"worker:{bench.made.uid}", frozenset({"tasks"}), ("normal",), 1, bench.made.id, frozenset(),
        bench.made.organization_id,
    )  # fmt: skip
    assert len(bench.db.write_sync(jobs.claim, claimant)) == 1
    seen = []
    rules = draining.Departures()
    rules.register("tests", lambda tx, worker: seen.append((worker.uid, jobs.get(tx, job.id).state)))
    monkeypatch.setattr(draining, "departures", rules)
    for _ in range(2):
        bench.do(draining.decommission)
    assert seen == [(bench.made.uid, "running")]
    assert bench.db.read_sync(jobs.get, job.id).state == "pending"
    assert bench.told().count("worker-decommissioned") == 1


def test_a_connection_that_is_no_longer_the_newest_is_told_so(bench):
    bench.hello(boot="one")
    bench.hello(boot="two")
    assert bench.beat(boot="one", used_slots=7).superseded
    assert not bench.beat(boot="two").superseded
    assert bench.look(lambda worker, now: worker.used_slots) == 0
