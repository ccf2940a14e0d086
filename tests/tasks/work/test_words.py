"""What workers say is kept without the project's secrets, and of a bounded length."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import text

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.work.happenings import LONGEST
from support.taskyard import gate

TOKEN, VALUE = "ghp_not_a_real_token_0001", "value-of-a-variable-0002"
WORKSPACE = {"path": "/w", "branch": "b", "base_branch": "main", "head_commit": "a" * 40}
TABLES = ("tasks_tasks", "tasks_gates", "tasks_stages", "tasks_tunnels", "domain_events", "notify_notifications")


@pytest.fixture
def forge(yard):
    row_id = yard.project().id

    def verb(tx):
        row = tx.get(TaskProject, row_id)
        row.git_token = tx.vault.seal("tasks_projects", row.uid, "git_token", TOKEN)
        values = msgspec.json.encode({"API_KEY": VALUE, "PLACE": "staging"}).decode()
        row.environment = tx.vault.seal("tasks_projects", row.uid, "environment", values)

    yard.act(verb)
    return yard.machine()


def kept(yard):
    """All that is kept of tasks, and of what is told of them."""
    return yard.db.read_sync(lambda tx: str([tx.execute(text(f"SELECT * FROM {one}")).all() for one in TABLES]))


def test_no_word_of_a_worker_shows_a_secret(yard, forge):
    task_id, job_id = yard.started(forge)
    leak = f"Use {TOKEN} and {VALUE}?"
    forge.say(job_id, "agent", {"type": "claude", "version": f"1.0 {VALUE}"})
    forge.say(job_id, "note", {"type": "error", "message": leak, "data": {"seen": [{VALUE: leak}], "code": "x"}})
    forge.say(job_id, "gate", gate(0, "choice", prompt=leak, choices=[leak, "no"], fallback=leak))
    forge.say(job_id, "stage", {"index": 0, "status": "failed", "message": leak, "error": leak})
    forge.end(job_id, "failed", error_code=f"broken {VALUE}", error_message=leak)
    assert yard.task(task_id).error_message == "Use **** and ****?"
    (asked,) = yard.gates(task_id)
    assert (asked.prompt, asked.choices) == ("Use **** and ****?", ["Use **** and ****?", "no"])
    assert TOKEN not in kept(yard)
    assert VALUE not in kept(yard)


@pytest.mark.parametrize("code", ["rejected", "worker_lost"])
def test_no_end_of_an_attempt_shows_a_secret(yard, forge, code):
    task_id = yard.create()
    yard.dispatch()
    (job_id,) = forge.take()
    forge.end(job_id, "failed", error_code=code, error_message=f"It said {VALUE}.")
    assert yard.task(task_id).status in {"cancelled", "queued"}
    assert VALUE not in kept(yard)


def test_an_answer_that_the_pipeline_offers_is_kept_as_it_stands_there(yard, forge):
    choices = ["staging", "production"]
    stage = {
        "name": "ship",
        "command": "ship",
        "choices": choices,
        "onTimeout": "fallback",
        "fallbackResult": "staging",
    }
    task_id = yard.create(pipeline=[stage])
    yard.dispatch()
    (job_id,) = forge.take()
    asked = gate(0, "choice", prompt="To staging?", choices=choices, on_timeout="fallback", fallback="staging")
    forge.say(job_id, "gate", asked)
    (row,) = yard.gates(task_id)
    assert (row.prompt, row.choices, row.fallback) == ("To ****?", choices, "staging")
    yard.answer(task_id, index=0, result="staging")
    assert forge.say(job_id, "gate-check", asked)["result"] == "staging"


def test_words_are_cut_and_what_no_database_holds_is_replaced(yard, forge):
    task_id, job_id = yard.started(forge)
    odd, long = "a\0b\ud800", "\u20ac" * (LONGEST + 1)
    forge.say(job_id, "workspace", WORKSPACE | {"path": "/w\0"})
    forge.say(job_id, "usage", {"session": "s\0", "input_tokens": 1})
    forge.say(job_id, "note", {"type": "log", "message": odd, "data": {odd: odd}})
    forge.say(job_id, "gate", gate(0, "input", prompt=odd + long))
    forge.say(job_id, "stage", {"index": 0, "status": "failed", "message": long, "error": odd + long})
    forge.end(job_id, "failed", error_code="agent_exited", error_message=long)
    (asked,) = yard.gates(task_id)
    assert (asked.prompt[:4], len(asked.prompt)) == ("a\ufffdb?", LONGEST)
    assert len(yard.stages(task_id)[0].error) == len(yard.task(task_id).error_message) == LONGEST


TOO_LONG = [
    ("workspace", WORKSPACE | {"path": "/" + "w" * 1000}),
    ("workspace", WORKSPACE | {"branch": "b" * 251}),
    ("workspace", WORKSPACE | {"size": 2**63}),
    ("stage", {"index": 2**31, "status": "running"}),
    ("stage", {"index": 0, "status": "running", "number": 2**31}),
    ("gate", gate(seconds=10**12)),
    ("gate", gate(0, "choice", choices=["x" * 10_001])),
    ("messages", {"after": 2**63}),
    ("delivered", {"branch": "b", "commit": "c" * 65, "pushed": True}),
    ("delivered", {"branch": "b", "commit": "c", "pushed": True, "merge_request_url": "u" * 1001}),
    ("delivered", {"branch": "b", "commit": "c", "pushed": True, "insertions": 2**31}),
    ("tunnel", {"state": "CONNECTED", "kind": "vscode", "url": "u" * 1001}),
    (
        "note",
        {"type": "log", "message": "m", "data": {"x": "y" * LONGEST, **{str(n): "z" * 4000 for n in range(4)}}},
    ),
]


def test_what_is_too_long_to_keep_is_refused_on_either_database(yard, forge):
    task_id, job_id = yard.started(forge)
    before = kept(yard)
    for kind, data in TOO_LONG:
        with pytest.raises(Invalid) as refused:
            forge.say(job_id, kind, data)
        assert refused.value.code == "report_invalid", (kind, data)
    assert kept(yard) == before
    assert yard.task(task_id).status == "running"


def test_a_result_that_does_not_read_completes_the_task_without_it(yard, forge):
    task_id, job_id = yard.started(forge)
    branch = yard.task(task_id).branch
    forge.end(job_id, result={"branch": "b" * 251, "commit": "c"})
    task = yard.task(task_id)
    assert (task.status, task.branch, task.commit_sha) == ("completed", branch, None)
