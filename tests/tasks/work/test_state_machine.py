"""Tasks, people, machines and time in any order, driven by Hypothesis on each database.

The machine knows nothing of the server's rules but what each worker may believe. Held up at each step: only documented
ways between states, one live attempt for a task, a gate that is open exactly while somebody is asked, no end that
changes without its reason, and nothing that stays stuck past its grace.
"""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs import Canceled, Fenced
from quarterdeck.kernel.jobs.session import _take_up as take_up
from quarterdeck.tasks.work.transitions import ENDED, HELD, MOVES, STATES
from support.taskyard import TaskYard, gate

ENDS = ("succeeded", "agent_exited", "rate_limited", "rejected", "workspace_error")
WAYS = {
    # What contract 3.1 documents, beside the ways through `running` that one unit may take at once.
    ("queued", "assigned"), ("assigned", "running"), ("running", "completed"), ("running", "failed"),
    ("running", "suspended"), ("suspended", "running"), ("suspended", "completed"), ("suspended", "failed"),
    ("suspended", "queued"), ("assigned", "queued"), ("queued", "cancelled"), ("assigned", "cancelled"),
    ("running", "cancelled"), ("suspended", "cancelled"), ("failed", "queued"), ("failed", "completed"),
    ("assigned", "failed"),
}  # fmt: skip


class TaskMachine(RuleBasedStateMachine):
    yard: TaskYard

    def __init__(self) -> None:
        super().__init__()
        self.db, self.clock = self.yard.db, self.yard.clock
        self.db.write_sync(empty)
        self.yard.machines.clear()
        self.yard.began = self.clock.now()
        self.tasks: list[int] = []
        self.seen: dict[int, int] = {}

    def teardown(self) -> None:
        self.nothing_stays_stuck()

    @initialize()
    def begin(self):
        for name in ("one", "two"):
            self.yard.machine(name, slots=2)
        self.create(0)

    @rule(priority=st.integers(-1, 1))
    def create(self, priority):
        if len(self.tasks) < 6:
            self.tasks.append(self.yard.create(priority=priority))

    @rule()
    def dispatch(self):
        for task_id in self.yard.dispatch():
            assert self.yard.task(task_id).status == "assigned"

    @rule(which=st.integers(0, 1))
    def take(self, which):
        machine = self.yard.machines[which]
        if machine.connected:
            machine.take()

    @rule(choose=st.integers(0, 99), index=st.integers(0, 1), word=st.sampled_from(["running", "completed", "failed"]))
    def stage(self, choose, index, word):
        self.said(choose, "stage", {"index": index, "status": word})

    @rule(choose=st.integers(0, 99), index=st.integers(0, 1), fallback=st.booleans())
    def asks(self, choose, index, fallback):
        more = {"on_timeout": "fallback", "fallback": "confirm"} if fallback else {}
        self.said(choose, "gate", gate(index, seconds=300, **more))

    @rule(choose=st.integers(0, 99), kind=st.sampled_from(["usage", "messages", "agent", "gate-check"]))
    def says(self, choose, kind):
        data = {"agent": {"type": "claude", "session": "s"}, "gate-check": gate(0, seconds=300)}.get(kind, {})
        self.said(choose, kind, data)

    def said(self, choose, kind, data):
        held = [(one, job) for one in self.yard.machines if one.connected for job in one.held]
        if held:
            machine, job_id = held[choose % len(held)]
            try:
                machine.say(job_id, kind, data)
            except (Fenced, Canceled, Conflict):
                machine.held[job_id][1] -= 1

    @rule(choose=st.integers(0, 99), how=st.sampled_from(ENDS))
    def ends(self, choose, how):
        held = [(one, job) for one in self.yard.machines for job in one.held]
        if held:
            machine, job_id = held[choose % len(held)]
            if how == "succeeded":
                machine.end(job_id, result={"branch": "b"})
            else:
                machine.end(job_id, "failed", error_code=how, error_message=how)

    @rule(which=st.integers(0, 1))
    def disconnects(self, which):
        self.yard.machines[which].connected = False

    @rule(which=st.integers(0, 1), names=st.booleans())
    def connects(self, which, names):
        machine = self.yard.machines[which]
        machine.connected = True
        if not names:
            machine.held.clear()
        held = [(job_id, fence) for job_id, (fence, _) in machine.held.items()]
        adopted, _, _ = self.db.write_sync(take_up, machine.owner, held)
        kept = {job.id for job in adopted}
        for job_id in [one for one in machine.held if one not in kept]:
            del machine.held[job_id]

    @rule(seconds=st.sampled_from([1, 20, 31, 100, 301, 601]))
    def time_passes(self, seconds):
        for machine in self.yard.machines:
            if machine.connected:
                lost, stopping = machine.beat()
                for job_id in lost:
                    del machine.held[job_id]
                for job_id in stopping:
                    machine.end(job_id, "canceled")
        self.clock.advance(seconds)
        for machine in self.yard.machines:
            if machine.connected:
                machine.beat()
        self.yard.look()

    @rule()
    def the_server_restarts(self):
        self.yard.restart()

    @rule(choose=st.integers(0, 99), verb=st.sampled_from(["cancel", "retry", "confirm", "reject"]))
    def a_person_acts(self, choose, verb):
        task_id = self.tasks[choose % len(self.tasks)]
        try:
            if verb == "cancel":
                self.yard.cancel(task_id)
            elif verb == "retry":
                self.yard.retry(task_id, from_stage=choose % 2)
            else:
                self.yard.answer(task_id, result=verb)
        except Conflict:
            pass
        else:
            expected = {"cancel": "cancelled", "retry": "queued", "confirm": "running", "reject": "cancelled"}
            assert self.yard.task(task_id).status == expected[verb]

    @invariant()
    def every_change_is_a_documented_way(self):
        for task_id in self.tasks:
            changes = [one for one in self.yard.events(task_id) if one.type == "status_change"]
            assert changes[0].data["to"] == "queued"
            ways = [(one.data["from"], one.data["to"]) for one in changes[1:]]
            assert set(ways) <= WAYS
            assert all(before[1] == after[0] for before, after in itertools.pairwise(ways))
            assert self.yard.task(task_id).status == changes[-1].data["to"]

    @invariant()
    def rows_agree(self):
        running = {job.subject for job in self.db.read_sync(jobs.list_jobs, jobs.Filter(states=(jobs.State.RUNNING,)))}
        every = self.db.read_sync(jobs.list_jobs, jobs.Filter(kind="task.run", limit=1000))
        for task_id in self.tasks:
            task = self.yard.task(task_id)
            mine = [job for job in every if job.subject == f"task:{task_id}"]
            live = [job for job in mine if not job.ended]
            assert len(live) <= 1, "two attempts at once"
            assert task.attempt >= self.seen.get(task_id, 0)
            self.seen[task_id] = task.attempt
            open_gates = [one for one in self.yard.gates(task_id) if one.closed_at is None]
            assert len(open_gates) == (task.suspend_reason == "stage_gate")
            assert (task.finished_at is not None) == (task.status in ENDED)
            assert (task.error_code is not None) == (task.status in {"failed", "cancelled"})
            if task.status in HELD and task.suspend_reason != "rate_limited":
                assert task.worker_id is not None
                assert live, f"{task.status} without an attempt"
            if task.status == "running":
                assert f"task:{task_id}" in running

    def nothing_stays_stuck(self):
        """Every machine goes for good: after the grace nothing is held by anybody."""
        for machine in self.yard.machines:
            machine.connected = False
            machine.held.clear()
        for _ in range(6):
            self.clock.advance(4000)
            self.yard.look()
        for task_id in self.tasks:
            assert self.yard.task(task_id).status in {"queued", *ENDED}
        left = jobs.Filter(kind="task.run", states=(jobs.State.RUNNING,))
        assert self.db.read_sync(jobs.list_jobs, left) == [], "an attempt that nobody holds keeps its task waiting"


def empty(tx):
    """What the run before has left."""
    left = (
        "job_attempts",
        "jobs",
        "domain_events",
        "event_streams",
        "tasks_gates",
        "tasks_stages",
        "tasks_messages",
        "tasks_usage",
    )
    for table in (*left, "tasks_workspaces", "tasks_tasks", "fleet_workers"):
        tx.execute(f"DELETE FROM {table}")


def test_tasks_in_any_order(yard):
    yard.project()
    run_state_machine_as_test(
        type("Machine", (TaskMachine,), {"yard": yard}),
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_table_says_what_is_documented():
    assert {(one, other) for one, others in MOVES.items() for other in others} == WAYS
    assert set(MOVES) == set(STATES)
