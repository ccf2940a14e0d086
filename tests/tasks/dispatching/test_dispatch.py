"""Tasks that wait get machines: first come first served within a priority, under limits, after what they depend on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from quarterdeck.access import grants
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity.model import Organization
from quarterdeck.kernel import jobs
from quarterdeck.tasks.dispatching import dispatch
from quarterdeck.tasks.dispatching.choosing import Machine
from quarterdeck.tasks.dispatching.loop import Dispatching, beside
from quarterdeck.tasks.dispatching.machines import machines, seated
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.settings.model import TaskSettings
from quarterdeck.tasks.work import messages
from quarterdeck.tasks.work.model import Task


def waits(yard, task_id):
    task = yard.task(task_id)
    assert task.status == "queued"
    return task.queued_reason


def test_priority_first_then_who_waits_longest(yard):
    yard.project()
    order = [yard.create(priority=priority) for priority in (0, 5, 0, 5, -1)]
    forge = yard.machine(slots=1)
    given = []
    while task_ids := yard.dispatch():
        given += task_ids
        (job_id,) = forge.take()
        forge.end(job_id, "failed", error_code="workspace_error")
    assert given == [order[1], order[3], order[0], order[2], order[4]]


def test_places_are_counted_within_one_look(yard):
    yard.project()
    ids = [yard.create() for _ in range(5)]
    yard.machine("one", slots=2)
    yard.machine("two", slots=1)
    assert yard.dispatch() == ids[:3]
    assert waits(yard, ids[3]) == "Every place of the machines with claude is taken."
    assert {yard.task(one).worker_id for one in ids[:3]} == {machine.row.id for machine in yard.machines}


def test_what_a_machine_does_beside_tasks_takes_places_too(yard):
    yard.project()
    forge = yard.machine(slots=3)
    forge.held[0] = [0, 0]  # a deployment
    ids = [yard.create() for _ in range(3)]
    assert yard.dispatch() == ids[:2]
    assert yard.dispatch() == []
    forge.take()
    assert yard.dispatch() == []


def test_the_limits_of_a_project_and_of_a_person(yard):
    yard.project(most_tasks=1)
    other = yard.project("API")
    yard.machine(slots=9)
    first, second = yard.create(), yard.create()
    bob = yard.person("bob", project=other)
    assert yard.dispatch() == [first]
    assert waits(yard, second) == "The project WEB has 1 task at work, its limit (maxTasks)."
    yard.settings(maxTasksPerDeveloper=1)
    third = yard.create(project="API")
    fourth = yard.create(project="API", developer_id=bob.id)
    assert yard.dispatch() == [fourth]
    assert waits(yard, third) == "Its developer has 1 task at work, the limit for each (maxTasksPerDeveloper)."
    yard.cancel(first)
    yard.machines[0].take()
    assert yard.dispatch() == [second]


def test_what_a_task_depends_on_comes_first(yard):
    yard.project()
    forge = yard.machine(slots=9)
    first = yard.create()
    second = yard.create(depends_on=(first,))
    assert yard.dispatch() == [first]
    assert waits(yard, second) == f"Waits for task #{first}, which is assigned."
    (job_id,) = forge.take()
    forge.say(job_id, "stage", {"index": 0, "status": "running"})
    forge.end(job_id, "failed", error_code="agent_exited")
    assert yard.dispatch() == []
    assert waits(yard, second) == f"It depends on task #{first}, which is failed."
    yard.retry(first)
    yard.dispatch()
    (job_id,) = forge.take()
    forge.say(job_id, "stage", {"index": 0, "status": "running"})
    forge.end(job_id, result={"branch": "b"})
    assert yard.dispatch() == [second]
    assert yard.task(second).queued_reason is None


def test_a_machine_that_was_asked_for_is_waited_for(yard):
    yard.project()
    yard.machine("free")
    wanted = yard.machine("wanted")
    wanted.connected = False
    task_id = yard.create(machine=wanted.row.uid)
    assert yard.dispatch() == []
    assert waits(yard, task_id) == "Waits for machine wanted (it was asked for): it is offline."
    wanted.connected = True
    assert yard.dispatch() == [task_id]
    assert yard.task(task_id).worker_id == wanted.row.id


def test_a_project_without_a_repository_waits(yard):
    yard.project(repo_url=None)
    yard.machine()
    task_id = yard.create()
    assert yard.dispatch() == []
    assert waits(yard, task_id) == "The project WEB has no repository."


def test_the_job_is_for_that_machine_alone_and_lives_longer_than_the_grace(yard):
    yard.project()
    yard.settings(reconnectGraceSec=80_000)
    forge, other = yard.machine("forge", slots=1), None
    task_id = yard.create()
    yard.dispatch()
    other = yard.machine("other")
    assert other.take() == []
    (job_id,) = forge.take()
    job = yard.db.read_sync(jobs.get, job_id)
    assert (job.subject, job.worker_id) == (f"task:{task_id}", forge.row.id)
    assert job.lease_seconds > 80_000


async def test_the_loop_gives_machines_and_brings_words_without_being_asked(yard):
    """Woken by the bus: the tick is far away."""
    yard.project()
    forge = yard.machine()
    told = asyncio.Queue()

    class Ledger:
        sessions = (forge,)

        @staticmethod
        def may_claim():
            return True

        @staticmethod
        async def tell(job_id, kind, data=None):
            told.put_nowait((job_id, kind))

    work = asyncio.create_task(beside(Dispatching(yard.db, Ledger(), tick_seconds=3600)))
    try:
        with yard.db.bus.subscribe("events") as inbox:
            task_id = await asyncio.to_thread(yard.create)
            async with asyncio.timeout(30):
                while (await yard.db.read(lambda tx: tx.get(Task, task_id))).status != "assigned":
                    await inbox.get()
                (job_id,) = await asyncio.to_thread(forge.take)
                await asyncio.to_thread(yard.act, messages.send, yard.access, task_id, "Hello.")
                assert await told.get() == (job_id, "message")
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_an_organization_that_cannot_be_given_machines_keeps_no_other_waiting(yard):
    """Nor does it begin the loop anew, which would forget for how long machines have been silent."""

    def elsewhere(tx):
        place = tx.add(Organization(uid=tx.ids.uid(), ref="org_b", name="B", slug="b", created_at=tx.now))
        grants.give(tx, yard.access, yard.ada.id, place.id, "tasks:admin")
        tx.add(TaskSettings(organization_id=home.id, chosen={"maxTasksPerDeveloper": "many"}, updated_at=tx.now))
        return place

    home = yard.organization
    yard.project()
    forge, stuck = yard.machine(), yard.create()
    yard.organization = yard.act(elsewhere)
    yard.project("API")
    other, task_id = yard.machine("other"), yard.create(project="API")
    assert home.id < yard.organization.id

    class Ledger:
        sessions = (forge, other)

    look = Dispatching(yard.db, Ledger()).look
    with pytest.raises(TypeError):
        await yard.db.write(dispatch.dispatch, home.id, seated([forge.seat]))
    assert await look(yard.began) == [task_id]
    assert yard.task(stuck).status == "queued"
    yard.act(lambda tx: tx.execute(delete(TaskSettings)))
    assert await look(yard.began) == [stuck]


def test_what_the_row_of_a_machine_says_is_what_the_choice_sees(yard):
    yard.project()
    size = {"hostname": "a", "cpuCores": 8, "memoryMb": 16_000, "diskFreeGb": 10.5, "cpuModel": None}
    facts = {"cpu_percent": 12.5, "mem_percent": None, "projects": ["WEB", "Äpi"], "hardware": size}
    until = (yard.clock.now() + timedelta(seconds=60)).isoformat()
    trouble = {
        "claude": {"failures": 3, "class": "unknown", "since": until, "until": until},
        "codex": {"failures": 2, "class": "unknown"},
    }
    forge = yard.machine("forge", slots=3, agents=("claude", "codex"), **facts)
    away = yard.machine("away", slots=70, used_slots=2, max_slots=5, agents=("codex",), drain_requested_at=yard.began)
    ill = yard.machine("ill", trouble=trouble, ailing=[{"agent": "codex", "reason": "no key"}], agents=("codex",))
    gone = yard.machine("gone", revoked_at=yard.began)
    yard.act(
        lambda tx: setattr(tx.get(Worker, ill.row.id), "agents", [{"type": "gemini", "version": "1", "path": None}])
    )
    forge.held[0] = [0, 0]

    def seen():
        seats = seated([forge.seat, ill.seat, gone.seat])
        return yard.db.read_sync(machines, yard.organization.id, seats)

    first, second, third = seen()
    assert first == Machine(
        forge.row.id, "forge", agents=frozenset({"tasks", "claude", "codex"}), cpu=12.5, slots=3, used=1,
        projects=frozenset({"web", "äpi"}), cores=8, memory_mb=16_000,
    )  # fmt: skip
    assert second == Machine(
        away.row.id, "away", online=False, draining=True, agents=frozenset({"tasks", "codex"}), slots=5, used=2
    )
    assert third.agents >= {"codex", "gemini"}
    assert third.degraded == {"claude", "codex"}
    yard.clock.advance(61)
    assert seen()[2].degraded == {"codex"}


async def test_looks_at_the_same_time_give_a_task_once(yard):
    yard.project()
    seats = seated([yard.machine(slots=50).seat])
    ids = [yard.create() for _ in range(6)]
    looks = [yard.db.write(dispatch.dispatch, yard.organization.id, seats) for _ in range(4)]
    given = [one for part in await asyncio.gather(*looks) for one in part]
    assert sorted(given) == ids
    assert len(yard.db.read_sync(jobs.list_jobs, jobs.Filter(kind="task.run"))) == 6


def test_activity_is_noted_on_the_project(yard):
    yard.project()
    yard.clock.advance(60)
    yard.create()
    row = yard.db.read_sync(lambda tx: tx.first(select(TaskProject)))
    assert row.last_activity_at - row.created_at == timedelta(seconds=60)


def test_however_many_cannot_run_those_behind_them_are_looked_at(yard, monkeypatch):
    monkeypatch.setattr(dispatch, "PAGE", 3)
    yard.project()
    away = yard.machine("away")
    away.connected = False
    bound = [yard.create(machine=away.row.uid, priority=priority) for priority in (0, 5, 0, 5, 0, 0)]
    free = [yard.create(priority=priority) for priority in (-1, 0, 0)]
    yard.machine("forge", slots=2)
    assert yard.dispatch() == free[1:]
    assert all("Waits for machine away" in waits(yard, one) for one in bound)
    assert waits(yard, free[0]).startswith("Every place")
