"""`qd machine`, `qd project tasks`, `qd notifications`, `qd search` and the figures of `qd status`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cli.conftest import Result, failed
from cli.contract_server import ContractServer
from cli.installation import Installation
from fakes.tasks_api import AT, MACHINE, Refusal, TasksApi, machine, note
from quarterdeck.cli.commands import completion

Command = Callable[..., Result]
OTHER = "9c0d6c70-1111-4222-8333-0d7a1f2b3c4d"


def test_machines_are_listed_with_what_is_free_on_them(qd: Command, tasks: TasksApi) -> None:
    lost = machine("ant-2", OTHER) | {"status": "offline", "cpuPercent": None, "lastHeartbeatAt": None}
    sick = {"degraded": [{"agent": "codex", "reason": "rate_limit", "until": AT}]}
    tasks.machines_known = [tasks.machines_known[0] | sick, lost]
    lines = qd("machine", "list").out.splitlines()
    assert lines[0].split() == ["MACHINE", "STATE", "SLOTS", "CPU", "MEMORY", "DISK", "SEEN", "AGENTS"]
    assert lines[1].startswith("ant-1    ▲ degraded  1 of 2  12 %  40 %    71 %")
    assert lines[1].endswith("claude codex")
    assert "✗ offline" in lines[2]
    assert qd("machine", "list", "--status", "offline", "-o", "name").out == f"{OTHER}\n"
    assert len(json.loads(qd("machine", "list", "--json").out)["items"]) == 2
    assert qd("machine", "list", "--status", "asleep").code == 2
    tasks.machines_known = []
    assert "qd worker --help" in qd("machine", "list").err


@pytest.mark.parametrize("written", ["ant-1", "ANT-1", MACHINE])
def test_a_machine_is_shown_with_what_it_works_on(qd: Command, tasks: TasksApi, written: str) -> None:
    tasks.machines_known[0]["degraded"] = [{"agent": "codex", "reason": "auth_failure", "until": AT}]
    tasks.add(42)
    tasks.add(43, "completed")
    out = qd("machine", "show", written).out
    for part in (
        "ant-1   ▲ degraded", MACHINE, "ant-1.lan linux x86_64", "Ryzen, 8 cores, 32 GiB", "1 of 2 in use",
        "claude 2.0.14, codex", "codex: auth_failure, until 2026-05-31 12:00:00",
        "#42  ● running  WEB  Add a dark theme",
    ):  # fmt: skip
        assert part in out, part
    assert "#43" not in out
    assert json.loads(qd("machine", "show", written, "--json").out)["id"] == MACHINE


def test_a_machine_is_drained_and_taken_into_use_again(qd: Command, tasks: TasksApi) -> None:
    assert "qd machine undrain ant-1" in qd("machine", "drain", "ant-1", "--reason", "new disk").out
    assert tasks.bodies("drain") == [{"reason": "new disk"}]
    failed(qd("machine", "drain", "ant-1"), 6, "ant-1 is draining.", "qd machine list")
    assert qd("machine", "undrain", "ant-1").out == "ant-1 takes tasks again.\n"
    failed(qd("machine", "drain", "ant-9"), 5, "There is no machine ant-9. Did you mean ant-1?", "qd machine list")

    def refuse(*_: str) -> None:
        raise Refusal(403, "Only leads may drain machines.", "FORBIDDEN")

    tasks.before["drain"] = refuse
    failed(qd("machine", "drain", "ant-1"), 4, "Only leads may drain machines.", "Ask somebody")


def test_a_machine_goes_for_good_only_with_its_name(qd: Command, tasks: TasksApi) -> None:
    failed(qd("machine", "decommission", "ant-1", "--yes"), 2, "--confirm ant-1")
    failed(qd("machine", "decommission", "ant-1", "--confirm", "ant-2"), 2, "Nothing was changed.")
    plan = qd("machine", "decommission", "ant-1", "--plan").out
    assert plan == f"DELETE /api/admin/machines/{MACHINE}   (machines.decommission)\n"
    assert tasks.changes() == []
    result = qd("machine", "decommission", "ant-1", "--confirm", "ant-1", "--json")
    assert json.loads(result.out) == {"success": True}
    assert tasks.machines_known[0]["status"] == "decommissioned"
    failed(qd("machine", "show", "ant-1"), 5, "There is no machine ant-1.")


def test_a_machine_that_may_not_be_seen_goes_by_its_id_alone(qd: Command, tasks: TasksApi) -> None:
    def refuse() -> None:
        raise Refusal(403, "Machines are seen by leads.", "FORBIDDEN")

    tasks.before["machines"] = refuse
    failed(qd("task", "create", "x", "--on", "ant-1"), 4, "Machines are seen by leads.")
    assert qd("task", "create", "x", "--on", MACHINE).code == 0
    assert tasks.bodies("create") == [{"description": "x", "projectKey": "WEB", "machineId": MACHINE}]


def test_projects_are_listed_and_shown_with_their_pipeline(qd: Command, tasks: TasksApi) -> None:
    assert qd("project", "tasks", "list", "-o", "name").out == "WEB\n"
    assert "Web shop" in qd("project", "tasks", "list").out
    out = qd("project", "tasks", "show", "WEB").out
    assert "  1  ship           asks for one of staging, production, then /ship {choice}\n" in out
    assert "git token   none" in out
    tasks.projects_known, kept = [], tasks.projects_known
    assert "No project of yours takes tasks." in qd("project", "tasks", "list").err
    tasks.projects_known = kept
    failed(qd("project", "tasks", "show", "NOPE"), 5, "There is no project NOPE.", "qd project tasks list")
    failed(qd("project", "tasks", "shwo"), 2, "There is no command project tasks shwo", "qd project tasks show")
    failed(qd("project", "tasks"), 2, "Say what to do", "qd project tasks --help")


def test_a_project_is_changed_in_what_is_named_alone(qd: Command, tasks: TasksApi) -> None:
    assert qd("project", "tasks", "set", "WEB", "--agent", "codex", "--branch", "trunk").code == 0
    assert tasks.bodies("put_project") == [{"defaultBranch": "trunk", "agentType": "codex"}]
    failed(qd("project", "tasks", "set", "WEB"), 2, "Say what to change.")


def test_a_pipeline_goes_out_and_in_again_as_it_was(qd: Command, tasks: TasksApi, tmp_path: Path) -> None:
    before = tasks.projects_known[0]["pipeline"]
    printed = qd("project", "tasks", "pipeline", "WEB").out
    assert yaml.safe_load(printed) == before
    assert json.loads(qd("project", "tasks", "pipeline", "WEB", "--json").out) == before
    file = tmp_path / "pipeline.yaml"
    file.write_text(printed)
    assert qd("project", "tasks", "pipeline", "WEB", "--file", str(file)).out == "The pipeline of WEB has 2 stages.\n"
    assert qd("project", "tasks", "pipeline", "WEB", "--file", "-", stdin=f"pipeline:\n{printed}").code == 0
    assert tasks.bodies("put_project") == [{"pipeline": before}] * 2
    assert qd("project", "tasks", "pipeline", "WEB", "--file", "-", stdin="[]").code == 0
    assert tasks.bodies("put_project")[-1] == {"pipeline": None}
    file.write_text("- {name: a, command: /a, confirm: true, input: true}")
    wrong = qd("project", "tasks", "pipeline", "WEB", "--file", str(file))
    assert (wrong.code, "pipeline[0]: a stage waits for one of confirm, choices and input." in wrong.err) == (2, True)
    assert "Try:   Change stage 1, then send it again." in wrong.err
    for text, said in (
        ("- {name: a, comand: x}", "the stage a has comand, which is not known. Did you mean command?"),
        ("- {name: a}", "the stage a has no command."),
        ("- {command: x}", "the stage 1 has no name."),
        ("- {name: a, command: x, timeout: soon}", "the stage a: timeout: Expected `int`"),
        ("- {name: a, command: '{nope}'}", "{nope} names nothing"),
        ("- {name: a, command: x, confirm: true, input: true}", "one of confirm, choices and input"),
    ):
        for more in ((), ("--plan",)):
            failed(qd("project", "tasks", "pipeline", "WEB", "--file", "-", *more, stdin=text), 2, said)
    failed(qd("project", "tasks", "pipeline", "WEB", "--file", "-", stdin="develop"), 2, "is no list of stages")


def test_members_come_and_go_by_name(qd: Command, tasks: TasksApi) -> None:
    assert qd("project", "tasks", "add-member", "WEB", "bob").out == "bob is member of WEB.\n"
    failed(qd("project", "tasks", "add-member", "WEB", "bob@example.com"), 6, "a member already", "qd")
    failed(qd("project", "tasks", "add-member", "WEB", "bbo"), 5, "There is no person bbo. Did you mean bob?")
    assert tasks.bodies("add_member")[0] == {"developerId": 2, "role": "member"}
    assert "maintainer" in qd("project", "tasks", "members", "WEB").out
    failed(qd("project", "tasks", "remove-member", "WEB", "bob"), 2, "Add --yes")
    assert qd("project", "tasks", "remove-member", "WEB", "2", "--yes").out == "bob is no member of WEB any more.\n"
    failed(qd("project", "tasks", "remove-member", "WEB", "ada", "--yes"), 6, "the last maintainer", "qd")
    assert tasks.queries("remove_member") == [{"developerId": "2"}, {"developerId": "1"}]


def test_a_git_token_is_never_a_word_nor_in_a_plan(qd: Command, tasks: TasksApi, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("glpat-secret\n")
    refused = qd("project", "tasks", "git-token", "WEB", "glpat-secret")
    failed(refused, 2, "a file or stdin")
    assert "glpat-secret" not in refused.err
    assert "glpat" not in qd("project", "tasks", "git-token", "WEB", f"@{file}", "--plan").out
    assert qd("project", "tasks", "git-token", "WEB", f"@{file}").code == 0
    assert qd("project", "tasks", "git-token", "WEB", "-", stdin="other\n").code == 0
    assert tasks.bodies("put_token") == [{"token": "glpat-secret"}, {"token": "other"}]
    assert qd("project", "tasks", "git-token", "WEB", "--remove", "--yes").code == 0
    assert tasks.projects_known[0]["hasGitToken"] is False
    failed(qd("project", "tasks", "git-token", "WEB"), 2, "@FILE")


def test_notifications_are_listed_and_marked_as_read(qd: Command, tasks: TasksApi) -> None:
    tasks.notes = [note(3), note(2, title="Completed"), note(1, read=True)]
    lines = qd("notifications").out.splitlines()
    assert lines[1].startswith("3   ◆ new  ")
    assert lines[1].endswith("#42    Answer needed: Stage review waits.")
    assert len(lines) == 3
    assert len(json.loads(qd("notifications", "--all", "--json").out)["items"]) == 3
    assert qd("notifications", "read", "3").out == "Marked notification 3 as read.\n"
    assert qd("notifications", "read-all").out == "Marked 1 as read.\n"
    assert "qd notifications --all" in qd("notifications").err
    failed(qd("notifications", "read", "99"), 5, "There is no notification 99.", "qd notifications --all")
    failed(qd("notifications", "read"), 2, "its number", "qd notifications read 17")
    assert tasks.queries("notifications")[1] == {"all": "true", "limit": "20"}


def test_search_finds_things_of_each_kind(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42, description="Paint the ant-1 page")
    lines = qd("search", "ant-1").out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["task", "#42"], ["machine", "ant-1"]]
    assert qd("search", "web", "shop", "-o", "name").out == "WEB\n"
    assert json.loads(qd("search", "ant-1", "--json").out)["machines"][0]["id"] == MACHINE
    assert "Nothing is found for zebra." in qd("search", "zebra").err
    failed(qd("search"), 2, "Say what to look for.")


def test_the_status_has_the_figures_of_tasks_for_who_may_see_them(
    qd: Command, server: ContractServer, installation: Installation, tasks: TasksApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDECK_URL", server.url)
    monkeypatch.setenv("QUARTERDECK_TOKEN", "good-token")
    server.answers["organizations.current-context"] = {
        "loginMethods": [],
        "user": {"userId": "usr_1", "email": "ada@example.com"},
        "currentOrganization": {"organizationId": "org_1", "name": "Saltmarsh", "slug": "saltmarsh", "role": "owner"},
        "organizations": [],
    }  # fmt: skip
    figures = tasks._stats({}, None)
    server.outside["GET", "/api/web/dashboard/stats"] = figures
    out = qd("status").out
    assert "Tasks: 2 active, 1 suspended, 1 queued; today 4 completed, 0 failed." in out
    assert "Machines: 1 of 3 online, 2 of 6 slots in use." in out
    assert json.loads(qd("status", "--json").out)["tasks"] == figures


def test_a_terminal_is_completed_beside_what_is_deployed(
    server: ContractServer, installation: Installation, tasks: TasksApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDECK_URL", server.url)
    monkeypatch.setenv("QUARTERDECK_TOKEN", "good-token")
    installation.exists("storefront/production/shop")
    server.outside["GET", "/api/web/tasks"] = {"items": [tasks.add(42)], "nextCursor": None, "total": 1}
    assert completion.found(["attach", ""]) == ["42", "storefront/production/shop"]


def test_live_names_are_completed(tasks: TasksApi) -> None:
    tasks.add(42)
    tasks.add(7, "completed")
    assert completion.found(["task", "cancel", ""]) == ["42", "7"]
    assert completion.found(["task", "create", "x", "--on", ""]) == ["ant-1"]
    assert completion.found(["task", "list", "-p", "W"]) == ["WEB"]
    assert completion.found(["task", "list", "--status", "r"]) == ["running"]
    assert completion.found(["machine", "show", "a"]) == ["ant-1"]
    assert completion.found(["project", "tasks", "sh"]) == ["show"]
    assert completion.found(["project", "tasks", "show", ""]) == ["WEB"]
    assert "--pipeline" not in completion.found(["project", "tasks", "set", "WEB", "--"])
    assert "--agent" in completion.found(["project", "tasks", "set", "WEB", "--a"])
    assert completion.found(["notifications", "r"]) == ["read", "read-all"]
    assert completion.found(["config", "get", ""]) == ["default-project", "server"]
