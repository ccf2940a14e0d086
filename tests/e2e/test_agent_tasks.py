"""The life of agent tasks with real processes: server, worker, agent, git server."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from websockets.sync.client import connect

from e2e.agency import agency
from real.git_server import git

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge]


@pytest.fixture(scope="module")
def there(place, database_url, worker_kind):
    with agency(place, database_url, own=worker_kind == "in-process") as made:
        yield made


def shown(there, number: int, wanted: bytes) -> bytes:
    """What somebody who watches the terminal sees, from the replay on, until `wanted` stands there."""
    token = there.client.post(f"/api/web/tasks/{number}/pty-token", {"mode": "watch"})
    seen = b""
    address = there.deck.url.replace("http", "ws", 1) + token["wsPath"]
    bearer = str(there.client._http.headers["Authorization"]).removeprefix("Bearer ")
    with connect(address, proxy=None) as socket:
        socket.send(json.dumps({"type": "auth", "token": bearer, "channelToken": token["channelToken"]}))
        while wanted not in seen:
            said = socket.recv(timeout=60)
            if isinstance(said, bytes):
                seen += said
    return seen


def test_a_task_goes_through_each_kind_of_gate_and_delivers_its_branch(there):
    key = there.project()
    number = there.create(key)
    there.await_task(number, "suspended", reason="stage_gate", stage=0)
    there.answer(number, stageIndex=0, result="confirm")
    there.await_task(number, "suspended", reason="stage_gate", stage=1)
    assert b"planning the page" in shown(there, number, b"planning the page")
    there.qd("task", "choose", str(number), "blue", "--stage", "1")
    there.await_task(number, "suspended", reason="stage_gate", stage=2)
    before = there.client.get(f"/api/web/tasks/{number}/diff")
    assert (before["stageIndex"], before["commitSha"]) == (2, None)
    there.answer(number, stageName="name", approved=True, result="Ada")
    task = there.await_task(number, "completed", "failed")
    assert task["status"] == "completed", there.told(number)
    assert [one["status"] for one in task["stages"]] == ["completed"] * 3
    text = there.lines(number)
    assert "colour blue" in text
    assert "called Ada" in text
    assert git(there.origin, "log", "-1", "--format=%H", task["branch"]) == task["commitSha"]
    assert "made.txt" in git(there.origin, "ls-tree", "--name-only", task["branch"])
    delivered = there.client.get(f"/api/web/tasks/{number}/diff")
    assert (delivered["commitSha"], delivered["stageIndex"]) == (task["commitSha"], None)
    assert "+++ b/made.txt" in there.qd("task", "diff", str(number))
    words = {one["type"] for one in there.events(number)}
    assert {"assigned", "workspace_ready", "confirm_requested", "confirm_resolved", "git_push"} <= words
    answer = there.client._http.post(f"/api/web/tasks/{number}/confirm-stage", json={"stageIndex": 2, "result": "Eve"})
    assert answer.status_code == 409


def test_a_task_waits_out_a_killed_server_at_its_gate_and_goes_on(there):
    number = there.create(there.project())
    there.await_task(number, "suspended", reason="stage_gate", stage=0)
    there.deck.stop(graceful=False)
    there.deck.start()
    there.client.sign_in()
    if there.own:  # the attempt lived in the process that was killed
        task = there.await_task(number, "failed")
        assert task["errorCode"] == "worker_lost", there.told(number)
        assert there.client.post(f"/api/web/tasks/{number}/retry", {})["attempt"] == 2
        there.await_task(number, "suspended", reason="stage_gate", stage=0)
    there.answer(number, stageIndex=0, result="confirm")
    task = there.await_task(number, "suspended", reason="stage_gate", stage=1)
    assert task["attempt"] == (2 if there.own else 1)
    there.client.post(f"/api/web/tasks/{number}/cancel")
    there.await_task(number, "cancelled")


def test_an_agent_that_is_killed_fails_its_task_which_is_retried(there):
    stages = [{"name": "work", "command": "do say hello\ndo {description}\ndo done", "timeout": 60}]
    number = there.create(there.project(stages), "crash")
    task = there.await_task(number, "failed", "completed")
    assert (task["status"], task["errorCode"]) == ("failed", "agent_exited"), there.told(number)
    retried = there.client.post(f"/api/web/tasks/{number}/retry", {})
    assert retried["attempt"] == 2
    task = there.await_task(number, "failed")
    assert task["attempt"] == 2


def test_a_worker_that_is_killed_loses_its_attempt_and_no_task(there):
    stages = [{"name": "work", "command": "do say hello\ndo {description}\ndo done", "timeout": 60}]
    number = there.create(there.project(stages), "sleep 40")
    there.await_task(number, "running")
    there.until(lambda: "hello" in there.lines(number), "its first line", lambda: there.told(number))
    there.kill_worker()
    there.start_worker()
    task = there.await_task(number, "failed")
    assert task["errorCode"] == "worker_lost", there.told(number)
    left = [int(one.name) for one in Path("/proc").glob("[0-9]*") if agents_line(int(one.name))]
    assert left == [], "nothing of the lost attempt runs"
    there.client.post(f"/api/web/tasks/{number}/retry", {})
    there.await_task(number, "running")
    there.client.post(f"/api/web/tasks/{number}/cancel")
    there.await_task(number, "cancelled")


def agents_line(pid: int) -> bool:
    try:
        return b"fakes/agent/program.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_what_is_asked_of_the_machine_is_done_when_it_is_back(there):
    """A graceful end of the worker finishes nothing by force: what it gives back is told as such."""
    number = there.create(there.project())
    there.await_task(number, "suspended", reason="stage_gate", stage=0)
    leave(there)
    task = there.await_task(number, "failed", "queued")
    there.start_worker()
    if task["status"] == "failed":
        there.client.post(f"/api/web/tasks/{number}/retry", {})
    there.await_task(number, "suspended", reason="stage_gate", stage=0)
    there.client.post(f"/api/web/tasks/{number}/cancel")
    there.await_task(number, "cancelled")


def leave(there) -> None:
    """The worker ends by a second SIGTERM; the server, which waits for nobody's agent, by its first, and is back."""
    if there.own:
        there.deck.stop()
        there.start_worker()
        return
    assert there.worker is not None
    before = there.log.read_text().count("draining")
    there.worker.send_signal(signal.SIGTERM)
    there.until(lambda: there.log.read_text().count("draining") > before, "the worker heard the first signal")
    there.worker.send_signal(signal.SIGTERM)
    there.worker.wait(60)
    there.worker = None
