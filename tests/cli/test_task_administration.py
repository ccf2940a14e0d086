"""`qd machine token`, `qd machine set`, projects of tasks made and deleted, `qd task diff` and `qd task budget`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from cli.conftest import Result, failed
from fakes.tasks_api import AT, MACHINE, Refusal, TasksApi

Command = Callable[..., Result]
DOCS = Path(__file__).parents[2] / "docs"


def test_a_token_is_alone_on_stdout_with_what_to_do_beside_it(qd: Command, tasks: TasksApi) -> None:
    made = qd("machine", "token", "create", "forge", "--expires", "7d")
    assert made.out == "ovw_1_secret\n"
    assert "It is shown this once" in made.err
    line = "--token @worker.token --capability tasks --slots 2 --data-dir /var/lib/quarterdeck-worker"
    assert f"qd worker --server {tasks.url} {line}\n" in made.err
    assert f"Only this machine reaches {tasks.url}." in made.err
    assert line in " ".join((DOCS / "guides/run-your-first-agent.md").read_text().replace("\\\n", "").split())
    assert tasks.bodies("new_token") == [{"label": "forge", "expiresInHours": 168}]
    assert json.loads(qd("machine", "token", "create", "--json").out)["token"] == "ovw_2_secret"
    assert tasks.bodies("new_token")[1] == {}
    for wrong in ("0h", "9000h", "soon"):
        failed(qd("machine", "token", "create", "--expires", wrong), 2, "no time within a year")
    plan = qd("machine", "token", "create", "x", "--plan").out
    assert plan == 'POST /api/admin/worker-tokens   (machine-tokens.create)\n  {"label": "x"}\n'

    tasks.public_url = "https://deck.example.com"
    said = qd("machine", "token", "create", "y").err
    assert f"qd worker --server https://deck.example.com {line}\n" in said
    assert "Only this machine" not in said

    def refuse() -> None:
        raise Refusal(403, "A token of a program cannot do this.", "SESSION_REQUIRED")

    tasks.before["new_token"] = refuse
    failed(qd("machine", "token", "create"), 4, "A token of a program cannot do this.", "qd login")


def test_tokens_are_listed_with_their_state_shown_and_revoked(qd: Command, tasks: TasksApi) -> None:
    assert "There is no token yet." in qd("machine", "token", "list").err
    for label in ("forge", "forge", "ant"):
        qd("machine", "token", "create", label, "--expires", "24h")
    tasks.tokens_known[0] |= {"status": "used", "machineId": MACHINE}
    lines = qd("machine", "token", "list").out.splitlines()
    assert lines[0].split() == ["ID", "TOKEN", "STATE", "MACHINE", "UNTIL", "MADE", "BY"]
    assert lines[1].split()[:4] == ["3", "ant", "◌", "unused"]
    assert "✓ used" in lines[3]
    assert "ant-1" in lines[3]
    assert qd("machine", "token", "list", "-o", "name").out == "3\n2\n1\n"
    assert qd("machine", "token", "show", "1").out == f"1   ✓ used   ant-1  {MACHINE}\n"
    failed(qd("machine", "token", "revoke", "forge"), 2, "Add --yes")
    assert qd("machine", "token", "revoke", "forge", "--yes").out == "Token 2 enrols nobody any more.\n"
    assert [row["status"] for row in tasks.tokens_known] == ["used", "revoked", "unused"]
    failed(qd("machine", "token", "revoke", "amt", "--yes"), 5, "There is no token amt. Did you mean ant?")


def test_a_machine_is_renamed_and_bounded(qd: Command, tasks: TasksApi) -> None:
    assert qd("machine", "set", "ant-1", "--rename", "forge", "--slots", "4").out == "Changed forge.\n"
    assert tasks.bodies("put_machine") == [{"name": "forge", "maxSlots": 4}]
    assert tasks.machines_known[0]["name"] == "forge"
    failed(qd("machine", "set", "forge"), 2, "Say what to change.")
    assert qd("machine", "set", "forge", "--slots", "65").code == 2


def test_a_project_is_made_and_goes_only_with_its_key(qd: Command, tasks: TasksApi, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("- {name: plan, command: /plan}")
    repo = "https://git.example.com/docs.git"
    made = qd("project", "tasks", "create", "DOCS", "--repo", repo, "--agent", "codex", "--pipeline", str(file))
    assert made.out == "Made DOCS.\n"
    assert "qd project tasks add-member DOCS NAME" in made.err
    assert tasks.bodies("post_project") == [
        {"key": "DOCS", "name": "DOCS", "repoUrl": repo, "agentType": "codex",
         "pipeline": [{"name": "plan", "command": "/plan"}]}
    ]  # fmt: skip
    failed(qd("project", "tasks", "create", "DOCS", "--repo", repo), 6, "exists", "qd project tasks list")
    failed(qd("project", "tasks", "create", "X"), 2, "needs --repo")
    tasks.add(42)
    failed(qd("project", "tasks", "delete", "DOCS", "--yes"), 2, "--confirm DOCS")
    failed(qd("project", "tasks", "delete", "DOCS", "--confirm", "DOCS"), 6, "Not all tasks", "DOCS --force")
    gone = qd("project", "tasks", "delete", "DOCS", "--force", "--confirm", "DOCS")
    assert gone.out == "DOCS takes no tasks any more.\n"
    assert [row["key"] for row in tasks.projects_known] == ["WEB"]


def test_the_agent_custom_is_described_by_a_file_and_the_refusal_says_how(qd: Command, tasks: TasksApi, tmp_path: Path):
    file = tmp_path / "agent.yaml"
    repo = "https://git.example.com/docs.git"
    custom = ("project", "tasks", "create", "DOCS", "--repo", repo, "--agent", "custom")

    def refuse(*_: str) -> None:
        raise Refusal(400, "customAgent: the agent custom is a program, and none is described.", "PROJECT_INVALID")

    tasks.before["post_project"] = tasks.before["put_project"] = refuse
    failed(
        qd(*custom), 2, f"Try:   qd project tasks create DOCS --repo {repo} --agent custom --custom-agent agent.yaml"
    )
    failed(qd("project", "tasks", "set", "WEB", "--agent", "custom"), 2, "set WEB --agent custom --custom-agent")
    tasks.before.clear()
    known = len(tasks.bodies("post_project"))
    for text, told in (
        ("[a]", "does not describe an agent"), ("oneShot: true", "has no argv"),
        ("{argv: [a], paste: flut}", "paste: "),
        ("{argv: [a], readyPatern: x}", "Did you mean readyPattern?"),
        ("{argv: [a], readyPattern: '('}", "readyPattern: it is no regular expression"),
    ):  # fmt: skip
        file.write_text(text)
        failed(qd(*custom, "--custom-agent", str(file)), 2, told)
    assert len(tasks.bodies("post_project")) == known
    guide = (DOCS / "guides/run-your-first-agent.md").read_text()
    (example,) = re.findall(r"```yaml\n(argv: .*?)```", guide, re.DOTALL)
    file.write_text(example)
    assert qd(*custom, "--custom-agent", str(file)).code == 0
    assert tasks.bodies("post_project")[-1]["customAgent"]["oneShot"] is True
    told = '{"argv": ["house-agent"], "readyPattern": "^house>"}'
    assert qd("project", "tasks", "set", "WEB", "--custom-agent", "-", stdin=told).code == 0
    assert tasks.bodies("put_project")[-1] == {"customAgent": json.loads(told)}


def test_what_is_empty_takes_a_value_of_a_project_away(qd: Command, tasks: TasksApi) -> None:
    assert qd("project", "tasks", "set", "WEB", "--setup", "", "--budget", "0", "--max-tasks", "0").code == 0
    assert qd("project", "tasks", "set", "WEB", "--setup", "npm ci", "--budget", "2.5").code == 0
    assert tasks.bodies("put_project") == [
        {"setupCommand": None, "budgetUsd": None, "maxTasks": 0},
        {"setupCommand": "npm ci", "budgetUsd": 2.5},
    ]


def test_a_diff_is_printed_as_it_is(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42)
    failed(qd("task", "diff", "42"), 5, "Nothing is known yet", "qd task show 42")
    patch = "diff --git a/a b/a\n@@ -1 +1 @@\n-one\x0bhalf\n+two\u2028\n"
    tasks.diffs[42] = {
        "taskId": 42, "attempt": 1, "stageIndex": None, "baseCommit": "a" * 40, "commitSha": "b" * 40,
        "filesChanged": 1, "insertions": 1, "deletions": 1, "patch": patch, "truncated": True, "createdAt": AT,
    }  # fmt: skip
    shown = qd("task", "diff", "#42")
    assert shown.out == patch
    assert f"1 file, +1 -1, delivered as {'b' * 12}" in shown.err
    assert "the first 512 KiB" in shown.err
    assert json.loads(qd("task", "diff", "42", "--json").out)["insertions"] == 1


def test_a_task_gets_another_budget(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42, "failed")
    raised = qd("task", "budget", "42", "10")
    assert raised.out == "Task #42 may cost 10.00 USD.\n"
    assert "qd task retry 42" in raised.err
    assert qd("task", "budget", "42", "--unlimited").out == "Task #42 has no budget any more.\n"
    assert tasks.bodies("budget") == [{"budgetUsd": 10.0}, {"budgetUsd": None}]
    failed(qd("task", "budget", "42"), 2, "Give an amount, or --unlimited.")
