"""Machines that fall silent, come back, or do not: the rules of time and the six rows of reconciliation."""

from __future__ import annotations

import asyncio

import pytest

from quarterdeck.kernel import jobs
from quarterdeck.kernel.jobs.session import _take_up as take_up
from quarterdeck.tasks.dispatching.loop import Dispatching
from quarterdeck.tasks.work.ending import EndsTasksOfProjects, leave_machine
from support.taskyard import gate


class Ledger:
    """No worker is connected."""

    sessions = ()
    may_claim = staticmethod(lambda: True)

    async def tell(self, job_id, kind, data=None):
        raise AssertionError("nobody is there")


@pytest.fixture
def forge(yard):
    yard.project()
    return yard.machine()


def connects(yard, machine, *, naming=True):
    """The machine dials in again, and names what it still runs, or nothing."""
    held = [(job_id, fence) for job_id, (fence, _) in machine.held.items()] if naming else []
    adopted, stopping, _ = yard.db.write_sync(take_up, machine.owner, held)
    return {job.id for job in adopted}, stopping


def status(yard, task_id):
    task = yard.task(task_id)
    return task.status, task.suspend_reason or task.error_code


def test_half_a_minute_of_silence_suspends_and_a_word_resumes(yard, forge):
    task_id, _job_id = yard.started(forge)
    for _ in range(5):
        yard.clock.advance(29)
        yard.look()
        assert status(yard, task_id) == ("running", None)
        forge.beat()
    yard.clock.advance(30)
    yard.look()
    assert status(yard, task_id) == ("suspended", "worker_disconnected")
    forge.beat()
    yard.look()
    assert status(yard, task_id) == ("running", None)
    assert [one for one in yard.words(task_id) if one.startswith("worker_")] == [
        "worker_disconnected",
        "worker_reconnected",
    ]


def test_a_report_resumes_at_once(yard, forge):
    task_id, job_id = yard.started(forge)
    yard.clock.advance(31)
    yard.look()
    forge.say(job_id, "stage", {"index": 0, "status": "completed"})
    assert status(yard, task_id) == ("running", None)


def test_the_grace_is_the_organization_s(yard, forge):
    yard.settings(reconnectGraceSec=120)
    task_id, _ = yard.started(forge)
    yard.clock.advance(31)
    yard.look()
    yard.clock.advance(88)
    yard.look()
    assert status(yard, task_id) == ("suspended", "worker_disconnected")
    yard.clock.advance(2)
    yard.look()
    assert status(yard, task_id) == ("failed", "worker_lost")
    assert "did not come back within 120 s" in yard.task(task_id).error_message


def test_a_gate_stays_open_however_long_its_machine_is_away(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(seconds=3600))
    yard.clock.advance(1200)
    yard.look()
    assert status(yard, task_id) == ("suspended", "stage_gate")
    yard.answer(task_id, result="confirm")
    yard.clock.advance(29)
    yard.look()
    assert status(yard, task_id) == ("running", None), "from the answer on it has a fresh window"
    yard.clock.advance(2)
    yard.look()
    assert status(yard, task_id) == ("suspended", "worker_disconnected")
    assert connects(yard, forge) == ({job_id}, set())
    assert forge.say(job_id, "gate-check", gate())["result"] == "confirm"
    assert status(yard, task_id) == ("running", None)


def test_what_no_machine_takes_goes_back(yard, forge):
    task_id = yard.create()
    yard.dispatch()
    yard.clock.advance(29)
    yard.look()
    assert status(yard, task_id) == ("assigned", None)
    yard.clock.advance(2)
    yard.look()
    assert status(yard, task_id) == ("queued", None)
    assert forge.take() == []
    assert "requeued" in yard.words(task_id)
    other = yard.machine("other")
    forge.connected = False
    assert yard.dispatch() == [task_id]
    assert len(other.take()) == 1
    assert yard.task(task_id).attempt == 1, "nothing of it had begun"


def test_what_was_taken_and_not_begun_goes_back_when_its_machine_is_silent(yard, forge):
    task_id = yard.create()
    yard.dispatch()
    (job_id,) = forge.take()
    yard.clock.advance(31)
    yard.look()
    assert status(yard, task_id) == ("queued", None)
    assert forge.beat() == ({job_id}, set()), "its machine hears that it is lost"


def test_what_was_taken_and_is_never_begun_goes_back_whatever_its_machine_says(yard, forge):
    task_id = yard.create()
    yard.dispatch()
    (job_id,) = forge.take()
    for hours, becomes in ((1, "assigned"), (2, "queued")):
        yard.clock.advance(3600)
        forge.beat()
        yard.look()
        assert status(yard, task_id) == (becomes, None), hours
    assert forge.beat() == ({job_id}, set()), "its machine hears that it is lost"


def test_what_is_handed_back_goes_back_or_fails(yard, forge):
    task_id = yard.create()
    yard.dispatch()
    (job_id,) = forge.take()
    fence, _ = forge.held.pop(job_id)
    yard.db.write_sync(jobs.hand_back, job_id, fence, forge.owner, "no_slot")
    assert status(yard, task_id) == ("queued", None)
    told = [one.data["message"] for one in yard.events(task_id)]
    assert sum("did not begin" in message for message in told) == 1, "one thing is told once"
    yard.dispatch()
    (job_id,) = forge.take()
    forge.say(job_id, "stage", {"index": 0, "status": "running"})
    fence, _ = forge.held.pop(job_id)
    yard.db.write_sync(jobs.hand_back, job_id, fence, forge.owner, "stopping")
    assert status(yard, task_id) == ("failed", "worker_lost")


@pytest.mark.parametrize(
    ("at", "becomes"),
    [
        ("assigned", ("queued", None)),
        ("running", ("failed", "worker_lost")),
        ("suspended", ("queued", None)),
    ],
)
def test_a_machine_that_is_decommissioned(yard, forge, at, becomes):
    if at == "assigned":
        task_id = yard.create()
        yard.dispatch()
        (job_id,) = forge.take()
    else:
        task_id, job_id = yard.started(forge)
        if at == "suspended":
            forge.say(job_id, "gate", gate())
    assert yard.task(task_id).status == at
    assert yard.db.write_sync(leave_machine, forge.row.id) == 1
    assert status(yard, task_id) == becomes
    assert forge.beat() == ({job_id}, set())
    assert all(one.closed_at is not None for one in yard.gates(task_id))


def test_a_machine_is_decommissioned_before_it_took_its_task(yard, forge):
    task_id = yard.create()
    yard.dispatch()
    assert yard.db.write_sync(leave_machine, forge.row.id) == 1
    assert status(yard, task_id) == ("queued", None)
    assert forge.take() == []


def test_a_project_that_goes_ends_its_tasks(yard, forge):
    running, job_id = yard.started(forge)
    waiting = yard.create()
    project_id = yard.task(running).project_id
    assert yard.db.write_sync(EndsTasksOfProjects().end_tasks, project_id, "The project is deleted.") == 2
    assert status(yard, waiting) == status(yard, running) == ("cancelled", "cancelled")
    assert forge.beat() == (set(), {job_id})


def test_a_start_of_the_server_gives_everybody_a_fresh_window(yard, forge):
    task_id, job_id = yard.started(forge)
    assigned = yard.create()
    yard.dispatch()
    yard.clock.advance(3600)
    yard.restart()
    yard.look()
    assert status(yard, task_id) == ("running", None)
    assert status(yard, assigned) == ("assigned", None)
    yard.clock.advance(31)
    yard.look()
    assert status(yard, task_id) == ("suspended", "worker_disconnected")
    assert status(yard, assigned) == ("queued", None)
    connects(yard, forge)
    yard.look()
    assert status(yard, task_id) == ("running", None)
    yard.clock.advance(31)
    yard.look()
    yard.clock.advance(570)
    yard.look()
    assert status(yard, task_id) == ("failed", "worker_lost")
    assert job_id in forge.held


def test_a_start_of_the_server_is_no_word_of_a_machine_that_is_away(yard, forge):
    task_id, _ = yard.started(forge)
    yard.clock.advance(31)
    yard.look()
    assert status(yard, task_id) == ("suspended", "worker_disconnected")
    yard.clock.advance(500)
    yard.restart()
    for seconds in (0, 29, 500):
        yard.clock.advance(seconds)
        yard.look()
        assert status(yard, task_id) == ("suspended", "worker_disconnected"), "its window is a fresh one"
    assert "worker_reconnected" not in yard.words(task_id)
    forge.beat()
    yard.look()
    assert status(yard, task_id) == ("running", None)


def test_a_strict_start_fails_what_ran_on_machines_that_were_offline(yard, forge):
    yard.settings(bootReconcile="strict")
    silent, _ = yard.started(forge)
    gated, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(seconds=3600))
    yard.clock.advance(170)
    fresh, _ = yard.started(yard.machine("other"))
    yard.clock.advance(11)
    yard.restart()
    assert status(yard, silent) == ("failed", "worker_lost")
    assert status(yard, fresh) == ("running", None)
    assert status(yard, gated) == ("suspended", "stage_gate")


async def test_a_task_that_cannot_be_given_up_at_a_strict_start_keeps_dispatching_from_nothing(
    yard, forge, monkeypatch
):
    yard.settings(bootReconcile="strict")
    stubborn, _ = yard.started(forge)
    silent, _ = yard.started(forge)
    yard.clock.advance(181)
    done, failing = jobs.give_up, yard.task(stubborn).job_id

    def give_up(tx, job_id, *said):
        if job_id == failing:
            raise LookupError
        return done(tx, job_id, *said)

    monkeypatch.setattr(jobs, "give_up", give_up)
    looked = asyncio.Event()

    class Looking(Dispatching):
        async def look(self, began):
            looked.set()
            return await super().look(began)

    loop = asyncio.create_task(Looking(yard.db, Ledger()).run())
    try:
        await asyncio.wait_for(looked.wait(), 60)
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
    assert status(yard, silent) == ("failed", "worker_lost")
    assert status(yard, stubborn)[0] == "running"


# -- the six rows (contract: tasks §4.5)


def lost(yard, forge):
    """A task that runs on a machine whose line was cut."""
    task_id, job_id = yard.started(forge)
    yard.clock.advance(31)
    yard.look()
    assert status(yard, task_id) == ("suspended", "worker_disconnected")
    return task_id, job_id


def given_up(yard, forge):
    task_id, job_id = lost(yard, forge)
    yard.clock.advance(600)
    yard.look()
    assert status(yard, task_id) == ("failed", "worker_lost")
    return task_id, job_id


def test_suspended_and_running_is_back_to_running(yard, forge):
    task_id, job_id = lost(yard, forge)
    assert connects(yard, forge) == ({job_id}, set())
    yard.look()
    assert status(yard, task_id) == ("running", None)


def test_suspended_and_completed_is_accepted(yard, forge):
    task_id, job_id = lost(yard, forge)
    connects(yard, forge)
    assert forge.end(job_id, result={"branch": "b", "commit": "c" * 40}) is not None
    assert status(yard, task_id) == ("completed", None)
    assert yard.task(task_id).commit_sha == "c" * 40


def test_failed_and_running_is_stopped(yard, forge):
    task_id, _job_id = given_up(yard, forge)
    assert connects(yard, forge) == (set(), set()), "nothing is adopted: the welcome calls it lost"
    assert status(yard, task_id) == ("failed", "worker_lost")


def test_failed_and_completed_is_restored(yard, forge):
    task_id, job_id = given_up(yard, forge)
    connects(yard, forge)
    assert forge.end(job_id, result={"branch": "b", "commit": "c" * 40}) is not None
    task = yard.task(task_id)
    assert (task.status, task.commit_sha, task.error_code, task.error_message) == ("completed", "c" * 40, None, None)
    assert yard.words(task_id)[-4:] == ["worker_reconnected", "stage_change", "stage_change", "status_change"]
    assert {one.status for one in yard.stages(task_id)} == {"completed"}


def test_a_task_that_was_retried_is_not_restored(yard, forge):
    task_id, job_id = given_up(yard, forge)
    yard.retry(task_id)
    forge.end(job_id, result={"branch": "b"})
    assert status(yard, task_id) == ("queued", None)


def test_cancelled_and_anything_is_stopped(yard, forge):
    task_id, job_id = lost(yard, forge)
    yard.cancel(task_id)
    assert connects(yard, forge) == ({job_id}, {job_id})
    assert forge.end(job_id, result={"branch": "b"}) is not None
    assert status(yard, task_id) == ("cancelled", "cancelled")


@pytest.mark.parametrize("suspended", [False, True])
def test_live_and_not_listed_has_failed(yard, forge, suspended):
    task_id, _job_id = lost(yard, forge) if suspended else yard.started(forge)
    connects(yard, forge, naming=False)
    assert status(yard, task_id) == ("failed", "worker_lost")


# -- attempts that nobody holds any more, and questions that outlast the lease


def gone_at_a_gate(yard, forge):
    """Nobody answered, and the machine that had asked is away."""
    task_id, _ = yard.started(forge)
    forge.say(next(iter(forge.held)), "gate", gate(seconds=600))
    forge.connected = False
    yard.clock.advance(601)
    yard.look()
    assert status(yard, task_id) == ("failed", "gate_timeout")
    return task_id


@pytest.mark.parametrize("how", ["gate", "cancel"])
def test_the_attempt_of_a_machine_that_is_gone_is_given_up_after_the_grace(yard, forge, how):
    yard.settings(reconnectGraceSec=900)
    if how == "gate":
        task_id = gone_at_a_gate(yard, forge)
        yard.retry(task_id)
        other = yard.machine("other")
        assert yard.dispatch() == []
        assert yard.task(task_id).queued_reason == "Its attempt before is being stopped."
    else:
        task_id, _ = yard.started(forge)
        yard.cancel(task_id)
        yard.clock.advance(601)
    job_id = yard.task(task_id).job_id
    yard.look()
    assert yard.db.read_sync(jobs.get, job_id).state == "running", "its grace is not over"
    yard.clock.advance(300)
    yard.look()
    assert yard.db.read_sync(jobs.get, job_id).state == "failed"
    if how == "gate":
        assert yard.dispatch() == [task_id]
        assert len(other.take()) == 1
    else:
        assert status(yard, task_id) == ("cancelled", "cancelled")


def test_an_attempt_that_is_being_stopped_and_beats_is_left_to_its_machine(yard, forge):
    task_id, job_id = yard.started(forge)
    yard.cancel(task_id)
    for _ in range(40):
        yard.clock.advance(29)
        assert forge.beat() == (set(), {job_id})
        yard.look()
    assert yard.db.read_sync(jobs.get, job_id).state == "running"


def test_a_question_of_a_day_outlives_a_machine_that_is_away_so_long(yard, forge):
    yard.project("SLOW", pipeline=[{"name": "ship", "command": "/ship", "confirm": True, "confirmTimeout": 86_400}])
    task_id = yard.create(project="SLOW")
    yard.dispatch()
    (job_id,) = forge.take()
    forge.say(job_id, "gate", gate(seconds=86_400))
    for _ in range(23):
        yard.clock.advance(3600)
        yard.look()
        yard.db.write_sync(jobs.requeue_lapsed)
        assert status(yard, task_id) == ("suspended", "stage_gate")
    lease = yard.db.read_sync(jobs.get, job_id).lease_seconds
    assert lease * 0.8 > 86_400, "its worker does not stop before, either"
    yard.answer(task_id, result="confirm")
    assert connects(yard, forge) == ({job_id}, set())
    assert forge.say(job_id, "gate-check", gate())["result"] == "confirm"
