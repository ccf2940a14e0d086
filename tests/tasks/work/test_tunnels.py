"""Tunnels that an attempt carries: they end with it, however it ends, and a lost word about one is asked for."""

from __future__ import annotations

import pytest

from quarterdeck.kernel import jobs
from quarterdeck.tasks.tunnels import tunnels
from quarterdeck.tasks.work.happenings import TELL
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import retention
from support.taskyard import gate


@pytest.fixture
def forge(yard):
    yard.project()
    return yard.machine()


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
