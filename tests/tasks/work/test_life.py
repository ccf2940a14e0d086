"""The whole life of a task with a worker that speaks by hand."""

from __future__ import annotations

import pytest

from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound, Problem
from quarterdeck.kernel.jobs import Fenced
from support.taskyard import gate


@pytest.fixture
def forge(yard):
    yard.project()
    return yard.machine()


def test_a_task_from_the_queue_to_its_merge_request(yard, forge):
    task_id = yard.create("Fix the Lögin, now!")
    task = yard.task(task_id)
    assert (task.status, task.attempt, task.branch) == ("queued", 1, f"quarterdeck/{task_id}-fix-the-login-now")
    assert yard.dispatch() == [task_id]
    assert yard.task(task_id).status == "assigned"
    (job_id,) = forge.take()
    order = forge.orders[job_id]
    assert order["task_id"] == task_id
    assert order["repository"]["url"] == "https://git.example.com/web.git"
    assert [stage["name"] for stage in order["pipeline"]] == ["plan", "build"]
    assert order["developer"]["name"] == "Ada"
    forge.say(
        job_id, "workspace", {"path": "/w/1", "branch": order["branch"], "base_branch": "main", "head_commit": "a" * 40}
    )
    assert yard.task(task_id).status == "assigned", "no stage has begun"
    for index in (0, 1):
        forge.say(job_id, "stage", {"index": index, "status": "running"})
        assert yard.task(task_id).current_stage == index
        forge.say(job_id, "stage", {"index": index, "status": "completed"})
    forge.say(job_id, "agent", {"type": "claude", "session": "s-1"})
    forge.say(job_id, "deliver", {"branch": order["branch"], "commit": "b" * 40})
    url = "https://git.example.com/web/pulls/7"
    forge.say(
        job_id,
        "delivered",
        {"branch": order["branch"], "commit": "b" * 40, "pushed": True, "merge_request_url": url, "files_changed": 2},
    )
    assert forge.end(job_id, result={"branch": order["branch"], "commit": "b" * 40, "pushed": True}) is not None
    task = yard.task(task_id)
    assert (task.status, task.commit_sha, task.merge_request_url) == ("completed", "b" * 40, url)
    assert task.agent_session == "s-1"
    assert task.finished_at is not None
    assert [one.status for one in yard.stages(task_id)] == ["completed", "completed"]
    assert yard.words(task_id) == [
        "status_change", "status_change", "assigned", "workspace_ready", "status_change", "stage_change",
        "stage_change", "stage_change", "stage_change", "log", "log", "git_push", "mr_created", "status_change",
    ]  # fmt: skip


def test_a_repeated_report_counts_once(yard, forge):
    task_id, job_id = yard.started(forge)
    report = {"index": 0, "status": "completed"}
    forge.say(job_id, "stage", report)
    told = yard.words(task_id)
    forge.again(job_id, "stage", report)
    forge.say(job_id, "stage", report)
    assert yard.words(task_id) == told
    assert forge.say(job_id, "gate", gate(1)) == forge.again(job_id, "gate", gate(1))
    forge.say(job_id, "gate", gate(1))
    assert len(yard.gates(task_id)) == 1


def test_a_report_that_is_none_is_refused_and_changes_nothing(yard, forge):
    task_id, job_id = yard.started(forge)
    before = yard.words(task_id)
    for kind, data in (
        ("nonsense", {}),
        ("stage", {"index": "no"}),
        ("stage", {"index": 9, "status": "running"}),
        ("gate", {"index": 0}),
    ):
        with pytest.raises(Invalid):
            forge.say(job_id, kind, data)
        forge.held[job_id][1] -= 1
    assert yard.words(task_id) == before


@pytest.mark.parametrize("state", ["queued", "assigned", "running", "suspended"])
def test_cancelling_in_each_live_state(yard, forge, state):
    if state == "queued":
        task_id = yard.create()
    elif state == "assigned":
        task_id = yard.create()
        yard.dispatch()
    else:
        task_id, job_id = yard.started(forge)
        if state == "suspended":
            forge.say(job_id, "gate", gate())
    assert yard.task(task_id).status == state
    assert yard.cancel(task_id).status == "cancelled"
    task = yard.task(task_id)
    assert (task.error_code, task.error_message) == ("cancelled", "Cancelled by ada.")
    assert yard.dispatch() == []
    assert forge.take() == [], "what was assigned is gone from the ledger"
    if state in {"running", "suspended"}:
        lost, stopping = forge.beat()
        assert (lost, stopping) == (set(), {job_id})
        assert forge.end(job_id, "canceled") is not None
        assert yard.task(task_id).error_message == "Cancelled by ada."
        assert all(one.closed_at is not None for one in yard.gates(task_id))
    with pytest.raises(Conflict) as refused:
        yard.cancel(task_id)
    assert refused.value.code == "task_not_cancellable"


def test_a_failed_task_is_retried_from_a_stage_with_its_session(yard, forge):
    task_id, job_id = yard.started(forge)
    with pytest.raises(Conflict) as refused:
        yard.retry(task_id)
    assert refused.value.code == "task_not_retryable"
    forge.say(job_id, "workspace", {"path": "/w/1", "branch": "b", "base_branch": "main", "head_commit": "a" * 40})
    forge.say(job_id, "agent", {"type": "claude", "session": "s-1"})
    forge.say(job_id, "stage", {"index": 0, "status": "completed"})
    forge.say(job_id, "stage", {"index": 1, "status": "running"})
    forge.end(job_id, "failed", error_code="stage_timeout", error_message="Stage build took too long.")
    task = yard.task(task_id)
    assert (task.status, task.error_code) == ("failed", "stage_timeout")
    assert [one.status for one in yard.stages(task_id)] == ["completed", "failed"]
    with pytest.raises(Invalid) as unknown:
        yard.retry(task_id, from_stage=2)
    assert unknown.value.code == "stage_unknown"
    assert yard.retry(task_id, from_stage=1).status == "queued"
    task = yard.task(task_id)
    assert (task.attempt, task.error_code, task.finished_at) == (2, None, None)
    assert [one.status for one in yard.stages(task_id)] == ["completed", "pending"]
    yard.machine("other", slots=8)
    yard.dispatch()
    assert yard.task(task_id).worker_id == forge.row.id, "the worktree is there"
    (second,) = forge.take()
    order = forge.orders[second]
    assert (order["attempt"], order["from_stage"], order["agent"]["resume"]) == (2, 1, "s-1")


def test_another_machine_begins_without_the_session(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "workspace", {"path": "/w/1", "branch": "b", "base_branch": "main", "head_commit": "a" * 40})
    forge.say(job_id, "agent", {"type": "claude", "session": "s-1"})
    forge.end(job_id, "failed", error_code="agent_exited")
    other = yard.machine("other")
    yard.retry(task_id, machine_uid=other.row.uid)
    yard.dispatch()
    (second,) = other.take()
    assert other.orders[second]["agent"].get("resume") is None


def test_the_attempt_before_has_to_end_first(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "gate", gate(seconds=60))
    yard.clock.advance(61)
    forge.beat()
    yard.look()
    assert yard.task(task_id).error_code == "gate_timeout"
    yard.retry(task_id)
    assert yard.dispatch() == []
    assert yard.task(task_id).queued_reason == "Its attempt before is being stopped."
    assert forge.beat() == (set(), {job_id})
    forge.end(job_id, "canceled")
    assert yard.task(task_id).status == "queued"
    assert yard.dispatch() == [task_id]


def test_the_budget_stops_the_attempt(yard, forge):
    task_id, job_id = yard.started(forge, budget_usd=2.0)
    assert forge.say(job_id, "usage", {"input_tokens": 10, "output_tokens": 5, "cost_usd": 1.5}) == {"spent": False}
    forge.end(job_id, "failed", error_code="agent_exited")
    yard.retry(task_id)
    yard.dispatch()
    (second,) = forge.take()
    assert forge.say(second, "usage", {"input_tokens": 7, "output_tokens": 1, "cost_usd": 0.6}) == {"spent": True}
    task = yard.task(task_id)
    assert (task.input_tokens, task.output_tokens) == (17, 6)
    assert task.cost_usd == pytest.approx(2.1)
    forge.end(second, "failed", error_code="budget_spent")
    assert yard.task(task_id).error_code == "budget_spent"


def test_a_usage_limit_pauses_and_goes_on_by_itself(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.say(job_id, "workspace", {"path": "/w/1", "branch": "b", "base_branch": "main", "head_commit": "a" * 40})
    forge.say(job_id, "agent", {"type": "claude", "session": "s-1"})
    forge.say(job_id, "stage", {"index": 0, "status": "completed"})
    forge.say(job_id, "stage", {"index": 1, "status": "running"})
    until = yard.clock.now().replace(hour=2).isoformat()
    told = {"code": "rate_limited", "retryAfterSeconds": 7200}
    forge.say(job_id, "note", {"type": "error", "message": "Limit until 2.", "level": "error", "data": told})
    forge.say(job_id, "stage", {"index": 1, "status": "failed", "error": "rate_limited"})
    forge.end(job_id, "failed", error_code="rate_limited")
    task = yard.task(task_id)
    assert (task.status, task.suspend_reason, task.resume_at.isoformat()) == ("suspended", "rate_limited", until)
    yard.clock.advance(7190)
    yard.look()
    assert yard.task(task_id).status == "suspended"
    yard.clock.advance(11)
    yard.look()
    assert yard.task(task_id).status == "queued"
    forge.connected = False
    assert yard.dispatch() == []
    assert "it has the worktree" in yard.task(task_id).queued_reason
    forge.connected = True
    yard.dispatch()
    (second,) = forge.take()
    order = forge.orders[second]
    assert (order["from_stage"], order["agent"]["resume"], order["attempt"]) == (1, "s-1", 2)


def test_follow_ups_reach_the_agent_in_order_and_once_it_has_them(yard, forge):
    from quarterdeck.tasks.work import messages

    task_id, job_id = yard.started(forge)
    first = yard.act(messages.send, yard.access, task_id, "Mind the tests.").id
    second = yard.act(messages.send, yard.access, task_id, "And the docs.").id
    told = forge.say(job_id, "messages", {"after": 0})["messages"]
    assert [(one["id"], one["text"], one["by"]) for one in told] == [
        (first, "Mind the tests.", "ada"),
        (second, "And the docs.", "ada"),
    ]
    assert forge.say(job_id, "messages", {"after": second})["messages"] == []
    found, total = yard.act(messages.listed, yard.access, task_id, None, 10)
    assert total == 2
    assert all(one.delivered_at is not None for one in found)
    yard.cancel(task_id)
    with pytest.raises(Conflict) as refused:
        yard.act(messages.send, yard.access, task_id, "Too late.")
    assert refused.value.code == "task_ended"


def test_a_stale_attempt_delivers_nothing(yard, forge):
    task_id, job_id = yard.started(forge)
    yard.clock.advance(700)
    yard.look()
    yard.look()
    assert yard.task(task_id).error_code == "worker_lost"
    with pytest.raises(Fenced):
        forge.say(job_id, "deliver", {"branch": "b", "commit": "c" * 40})


def test_what_cannot_be_asked_for(yard, forge):
    for wrong, code in (
        ({"text": "   "}, "validation_error"),
        ({"branch": "../x"}, "branch_invalid"),
        ({"pipeline": [{"name": "a b", "command": "x"}]}, "pipeline_invalid"),
        ({"priority": 101}, "validation_error"),
    ):
        with pytest.raises(Invalid) as refused:
            yard.create(**wrong)
        assert refused.value.code == code
    for wrong, code in (
        ({"project": "NONE"}, "project_not_found"),
        ({"machine": "nobody"}, "worker_not_found"),
        ({"depends_on": (99,)}, "task_not_found"),
        ({"developer_id": 999}, "developer_not_found"),
    ):
        with pytest.raises(NotFound) as missing:
            yard.create(**wrong)
        assert missing.value.code == code


def test_a_task_is_for_somebody_who_may_have_one_in_the_project(yard):
    project = yard.project()
    bob, carol = yard.person("bob", project=project), yard.person("carol")
    with pytest.raises(Problem) as refused:
        yard.create(by=bob, developer_id=carol.id)
    assert refused.value.code == "developer_not_in_project"
    assert yard.task(yard.create(by=bob, developer_id=yard.ada.id)).developer_id == yard.ada.id
    dora = yard.person("dora", project=project)
    assert yard.task(yard.create(by=bob, developer_id=dora.id)).developer_id == dora.id


def test_what_a_machine_says_of_an_agent_has_bounds(yard, forge):
    _task_id, job = yard.started(forge)
    for kind, said in (
        ("agent", {"type": "codex", "session": "--dangerously-bypass-approvals-and-sandbox"}),
        ("usage", {"cost_usd": -1000.0}),
        ("usage", {"input_tokens": 10**30}),
        ("usage", {"output_tokens": -1}),
    ):
        with pytest.raises(Problem) as refused:
            forge.say(job, kind, said)
        assert refused.value.code == "report_invalid"


def test_an_attempt_is_retried_by_its_task_alone(yard, forge):
    task_id, job_id = yard.started(forge)
    forge.end(job_id, "failed", error_code="agent_exited", retriable=True)
    with pytest.raises(Conflict) as refused:
        yard.act(jobs.retry, job_id)
    assert refused.value.hint == f"Retry the task, as with: qd task retry {task_id}"
    assert refused.value.details["reason"] == "task_retried_as_a_whole"
    newest = yard.db.read_sync(lambda tx: jobs.find(tx, kind="task.run"))
    assert newest.id == job_id, "no job that could only fail"
    yard.retry(task_id)
    assert yard.dispatch() == [task_id]


def test_a_worker_notes_nothing_in_the_name_of_the_server(yard, forge):
    task_id, job_id = yard.started(forge)
    before = len(yard.words(task_id))
    for word in ("status_change", "confirm_resolved", "control_taken", "mr_created", "git_push", "made"):
        forge.say(job_id, "note", {"type": word, "message": "Forged.", "data": {"to": "completed", "code": ["odd"]}})
    assert yard.words(task_id)[before:] == ["log"] * 6
    for own in ("log", "error", "notify"):
        forge.say(job_id, "note", {"type": own, "message": "Its own."})
    assert yard.words(task_id)[-3:] == ["log", "error", "notify"]
