"""Tunnels that an attempt carries: they end with it, however it ends, and a lost word about one is asked for."""

from __future__ import annotations

import pytest

from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Conflict
from quarterdeck.tasks.dispatching.loop import Dispatching
from quarterdeck.tasks.tunnels import places, tunnels
from quarterdeck.tasks.work.happenings import TELL
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import retention
from support.taskyard import gate


@pytest.fixture
def forge(yard):
    yard.project()
    return yard.machine(last_seen_at=yard.clock.now())


def begun(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "workspace", {"path": "/w", "branch": "b", "base_branch": "main", "head_commit": "c" * 40})
    yard.act(lambda tx: tunnels.start(tx, tx.get(Task, task_id)).state)
    return task_id, job_id


def connected(yard, forge):
    task_id, job_id = begun(yard, forge)
    forge.say(job_id, "tunnel", {"state": "CONNECTED", "kind": "vscode", "url": "https://x.test/tunnel/a"})
    return task_id, job_id


def shown(yard, task_id):
    def verb(tx):
        tunnel = tunnels.shown(tx, tx.get(Task, task_id))
        return tunnel.state, tunnel.url

    return yard.db.read_sync(verb)


def keeps_worktree(yard, task_id):
    return yard.db.read_sync(lambda tx: retention.held(tx, tx.get(Task, task_id)))


def cancelled(yard, forge, task_id, job_id):
    yard.cancel(task_id)
    forge.end(job_id, "canceled")


def cancelled_on_a_machine_that_is_gone(yard, forge, task_id, _job_id):
    yard.cancel(task_id)
    forge.connected = False
    yard.clock.advance(601)
    yard.look()


def unanswered(yard, forge, _task_id, job_id):
    forge.say(job_id, "gate", gate(seconds=5))
    yard.clock.advance(6)
    forge.beat()
    yard.look()
    forge.end(job_id, "canceled")


def lost(yard, forge, _task_id, _job_id):
    for seconds in (31, 600):
        yard.clock.advance(seconds)
        yard.look()


def lapsed(yard, forge, _task_id, _job_id):
    yard.clock.advance(4 * 3600 + 1)
    yard.db.write_sync(jobs.requeue_lapsed)


@pytest.mark.parametrize("ends", [cancelled, cancelled_on_a_machine_that_is_gone, unanswered, lost, lapsed])
def test_a_tunnel_ends_with_the_attempt_that_carried_it(yard, forge, ends):
    task_id, job_id = connected(yard, forge)
    assert shown(yard, task_id) == ("CONNECTED", "https://x.test/tunnel/a")
    ends(yard, forge, task_id, job_id)
    assert yard.task(task_id).finished_at is not None
    assert shown(yard, task_id) == ("CLOSED", None)
    assert keeps_worktree(yard, task_id) is None


def test_one_with_a_job_of_its_own_outlives_an_attempt(yard, forge):
    task_id, job_id = connected(yard, forge)
    forge.end(job_id, "failed", error_code="agent_exited", error_message="agent_exited")
    yard.act(lambda tx: tunnels.start(tx, tx.get(Task, task_id)).state)
    yard.retry(task_id)
    yard.dispatch()
    (second,) = [one for one in forge.take() if one != job_id and yard.db.read_sync(jobs.get, one).kind == "task.run"]
    forge.end(second, "failed", error_code="agent_exited", error_message="agent_exited")
    assert shown(yard, task_id)[0] == "STARTING"


async def test_an_attempt_is_told_in_the_unit_and_hears_by_asking(yard, forge):
    with yard.db.bus.subscribe(TELL) as inbox:
        task_id, job_id = begun(yard, forge)
        told = await inbox.get(timeout=30)
    assert told.payload[:2] == (job_id, "tunnel")
    assert forge.say(job_id, "tunnel-check", {})["action"] == "start"
    assert forge.say(job_id, "tunnel-check", {})["order"]["path"] == "/w"
    yard.clock.advance(1)
    forge.say(job_id, "tunnel", {"state": "STARTING", "kind": "vscode"})
    assert forge.say(job_id, "tunnel-check", {}) is None
    yard.act(lambda tx: tunnels.stop(tx, tx.get(Task, task_id)).state)
    assert forge.say(job_id, "tunnel-check", {}) == {"action": "stop", "order": None}
    forge.say(job_id, "tunnel", {"state": "CLOSED", "kind": "vscode"})
    assert shown(yard, task_id) == ("CLOSED", None)


class Ledger:
    """Of a server to which no machine is connected."""

    sessions = ()
    may_claim = staticmethod(lambda: True)

    async def tell(self, job_id, kind, data=None):
        pass


def asked(yard, forge):
    """A tunnel of a task that has ended: its number, and the job that waits for the machine."""
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "workspace", {"path": "/w", "branch": "b", "base_branch": "main", "head_commit": "c" * 40})
    cancelled(yard, forge, task_id, job_id)
    return task_id, start(yard, task_id)


def start(yard, task_id):
    yard.act(lambda tx: tunnels.start(tx, tx.get(Task, task_id)).state)
    return yard.db.read_sync(lambda tx: jobs.find(tx, subject=f"task-tunnel:{task_id}", kind="task.tunnel"))


async def test_a_tunnel_that_its_machine_does_not_begin_fails_in_time_and_one_that_it_began_goes_on(yard, forge):
    began, _ = asked(yard, forge)
    claimant = jobs.Claimant(forge.owner, forge.capabilities, ("housekeeping",), 1, forge.row.id, **yard.claiming)
    assert len(yard.db.write_sync(jobs.claim, claimant)) == 1
    waits, job = asked(yard, forge)
    yard.clock.advance(30)
    await Dispatching(yard.db, Ledger()).look(yard.began)
    assert shown(yard, waits)[0] == "STARTING"
    yard.clock.advance(1)
    await Dispatching(yard.db, Ledger()).look(yard.began)
    assert [shown(yard, one)[0] for one in (waits, began)] == ["FAILED", "STARTING"]
    assert yard.db.read_sync(jobs.get, job.id).state == "canceled"
    assert "30 seconds" in yard.db.read_sync(lambda tx: tunnels.shown(tx, tx.get(Task, waits)).error)
    assert yard.words(waits).count("tunnel") == 2
    assert not start(yard, waits).ended, "it may be asked for again"


def test_no_tunnel_is_asked_of_a_machine_that_is_away_or_has_enough_of_them(yard, forge):
    some = [asked(yard, forge)[0] for _ in range(places.MOST)]
    with pytest.raises(Conflict) as refused:
        asked(yard, forge)
    assert refused.value.code == "too_many_tunnels"
    last = yard.task(max(some) + 1).id
    assert yard.db.read_sync(lambda tx: tunnels.shown(tx, tx.get(Task, last))) is None
    begun(yard, forge)  # what an attempt carries takes no place
    yard.act(lambda tx: tunnels.stop(tx, tx.get(Task, some[0])).state)
    assert not start(yard, last).ended
    yard.clock.advance(181)
    with pytest.raises(Conflict) as refused:
        start(yard, some[0])
    assert refused.value.code == "machine_offline"
