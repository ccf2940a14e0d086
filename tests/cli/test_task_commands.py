"""`qd task`: what is asked of the tasks surface, and what is said."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Result, failed
from fakes.tasks_api import AT, MACHINE, TOKEN, Refusal, TasksApi, machine, project
from quarterdeck.cli import profiles
from quarterdeck.cli.profiles import Profile

Command = Callable[..., Result]
WHERE = "2026-05-31"


def test_a_task_is_described_in_words_for_the_only_project(qd: Command, tasks: TasksApi) -> None:
    result = qd("task", "create", "Add a dark theme")
    assert (result.code, result.out) == (0, "Created task #42 for WEB.\n")
    assert "qd task logs 42 --follow" in result.err
    assert f"{tasks.url}/console/tasks/42" in result.err
    assert qd("task", "create", "-d", "x", "-p", "WEB", "--on", "ant-1", "-o", "name").out == "43\n"
    assert qd("task", "create", "-", "--on", MACHINE, stdin="Add\na page\n").code == 0
    assert tasks.bodies("create") == [
        {"description": "Add a dark theme", "projectKey": "WEB"},
        {"description": "x", "projectKey": "WEB", "machineId": MACHINE},
        {"description": "Add\na page", "projectKey": "WEB", "machineId": MACHINE},
    ]


def test_the_project_is_that_of_the_profile_where_several_are_mine(
    qd: Command, tasks: TasksApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.projects_known.append(project("API"))
    failed(qd("task", "create", "x"), 2, "Say which project: WEB, API.", "qd config set default-project WEB")
    failed(qd("config", "set", "default-project", "API"), 2, "No profile")
    monkeypatch.delenv("QUARTERDECK_URL")
    with profiles.changing() as store:
        store.current, store.profiles["here"] = "here", Profile(tasks.url, TOKEN)
    assert qd("config", "set", "default-project", "API").out == "default-project is API.\n"
    assert qd("config", "get", "default-project").out == "API\n"
    assert json.loads(qd("config", "list", "--json").out) == {"server": tasks.url, "default-project": "API"}
    assert qd("task", "create", "x").code == 0
    assert tasks.bodies("create")[-1]["projectKey"] == "API"
    assert qd("task", "create", "x", "-p", "WEB").code == 0
    assert tasks.bodies("create")[-1]["projectKey"] == "WEB"
    assert qd("config", "unset", "default-project").code == 0
    assert qd("config", "get", "default-project").out == "\n"
    failed(qd("config", "set", "server", "https://x"), 2, "qd login")


def test_a_file_describes_a_task_whole_and_words_beside_it_count(qd: Command, tasks: TasksApi, tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(
        "description: |\n  Add a dark theme\nproject: WEB\nmachine: ant-1\nagentType: codex\npriority: 5\n"
        "dependsOn: [40, '#41']\nbudget: 2.5\nbranch: dark\npipeline:\n  - {name: develop, command: /develop}\n"
    )
    assert qd("task", "create", "-f", str(file), "--priority", "7").code == 0
    assert tasks.bodies("create") == [
        {
            "description": "Add a dark theme\n", "projectKey": "WEB", "machineId": MACHINE, "agentType": "codex",
            "priority": 7, "dependsOn": [40, 41], "budgetUsd": 2.5, "branch": "dark",
            "pipeline": [{"name": "develop", "command": "/develop"}],
        }
    ]  # fmt: skip
    assert qd("task", "create", "--file", "-", stdin="description: from stdin\n").code == 0
    assert tasks.bodies("create")[1]["description"] == "from stdin"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("descripton: x", "descripton is not known. Did you mean description?"),
        ("- a\n- b", "does not describe a task"),
        ("description: [x", "is no YAML in line"),
        ("description: ''", "description takes a text"),
        ("description: x\npipeline: develop", "pipeline takes a list of stages"),
        ("description: x\npriority: high", "priority takes a whole number"),
        ("description: x\nbudget: -1", "budget takes an amount"),
        ("description: x\ndependsOn: [soon]", "soon is not the number of a task"),
        ("project: WEB", "Say what is wanted."),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(
    qd: Command, tasks: TasksApi, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(text)
    failed(qd("task", "create", "-f", str(file)), 2, said)
    assert tasks.calls == []


def test_a_task_is_not_made_from_nothing_nor_for_a_project_or_a_machine_that_is_not_there(
    qd: Command, tasks: TasksApi
) -> None:
    failed(qd("task", "create"), 2, "Say what is wanted.")
    failed(qd("task", "create", "x", "-d", "y"), 2, "given twice")
    failed(qd("task", "create", "x", "--timeout", "5"), 2, "--follow")
    failed(qd("task", "create", "-f", "/nowhere.yaml"), 2, "cannot be read")
    failed(qd("task", "create", "x", "-p", "NOPE"), 5, "There is no project NOPE.", "qd project tasks list")
    failed(qd("task", "create", "x", "--on", "ant-2"), 5, "no machine ant-2. Did you mean ant-1?")
    assert qd("task", "create", "x", "--plan").out.startswith("POST /api/web/tasks   (tasks.create)\n")
    assert tasks.tasks == {}


def test_the_list_is_narrowed_in_any_case_and_told_in_every_form(qd: Command, tasks: TasksApi) -> None:
    tasks.add(41, "completed", description="First\nthing")
    tasks.add(42, "suspended", suspendReason="worker_disconnected")
    tasks.add(43)
    tasks.ask(43)
    lines = qd("task", "list").out.splitlines()
    assert lines[0].split() == ["TASK", "STATE", "PROJECT", "STAGE", "MACHINE", "WHEN", "WHAT"]
    assert lines[1].startswith("#43   ◆ waits for you  WEB")
    assert "▲ machine lost" in lines[2]
    assert lines[3].endswith("First thing")
    assert qd("task", "list", "--status", "COMPLETED,Failed", "-o", "name").out == "41\n"
    assert qd("task", "list", "--status", "canceled", "--mine", "-p", "WEB").code == 0
    assert tasks.queries("tasks")[1:] == [
        {"status": "completed,failed", "limit": "20"},
        {"status": "cancelled", "projectKey": "WEB", "mine": "true", "limit": "20"},
    ]
    assert [row["id"] for row in json.loads(qd("task", "list", "--json").out)["items"]] == [43, 42, 41]
    failed(qd("task", "list", "--status", "runing"), 2, "runing is no state", "qd task list --status running")


def test_a_list_is_read_page_by_page(qd: Command, tasks: TasksApi) -> None:
    for number in range(1, 231):
        tasks.add(number)
    assert len(qd("task", "list", "--limit", "220", "-o", "name").out.split()) == 220
    assert [query["limit"] for query in tasks.queries("tasks")] == ["100", "100", "20"]


def test_an_empty_list_says_how_to_begin(qd: Command, tasks: TasksApi) -> None:
    assert "qd task create" in qd("task", "list").err
    assert "No task is like that." in qd("task", "list", "--mine").err
    assert json.loads(qd("task", "list", "--json").out) == {"items": []}


@pytest.mark.parametrize("written", ["42", "#42", "042"])
def test_a_task_is_shown_whole_by_its_number_in_both_spellings(qd: Command, tasks: TasksApi, written: str) -> None:
    tasks.add(42, commitSha="9f2c1abdef", budgetUsd=5.0, costUsd=1.25, dependsOn=[7], description="Add\na theme")
    tasks.tasks[42]["stages"][0] |= {"status": "completed", "startedAt": AT, "finishedAt": "2026-05-31T12:02:03.000Z"}
    tasks.ask(42, "choice", choices=["light", "dark"])
    out = qd("task", "show", written).out
    for part in (
        "#42   ◆ waits for you   WEB", "  Add\n  a theme", "ant-1", "overlord/42-dark-theme from main 9f2c1ab",
        "1.25 USD of 5.00", "#7", "0  develop        ✓ completed  2 min 03", "1  review         ◆ waits for you",
        "qd task choose 42 light  or  dark", f"{WHERE} ", f"{tasks.url}/console/tasks/42",
    ):  # fmt: skip
        assert part in out, part
    assert json.loads(qd("task", "show", written, "--json").out) == tasks.tasks[42]


@pytest.mark.parametrize("verb", ["show", "cancel", "retry", "confirm", "logs", "messages"])
def test_what_is_no_number_is_refused_here_and_an_unknown_one_there(qd: Command, tasks: TasksApi, verb: str) -> None:
    for wrong in ("forty-two", "4.2", "", "dep_4k2m9x0q7c1z"):
        failed(qd("task", verb, wrong), 2, "is not the number of a task", "qd task list")
    assert tasks.calls == []
    words = ("--yes",) if verb == "cancel" else ()
    failed(qd("task", verb, "99", *words), 5, "There is no task 99.", "Try:   qd task list")


def test_a_task_is_canceled_after_a_question_and_only_once(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42)
    failed(qd("task", "cancel", "42"), 2, "Add --yes")
    assert qd("task", "cancel", "42", "--yes").out == "Canceled task #42.\n"
    failed(qd("task", "cancel", "42", "--yes"), 6, "has ended already", "qd task show 42")
    assert json.loads(qd("task", "cancel", "42", "--yes", "--json").out)["error"]["code"] == "TASK_ENDED"


def test_a_failed_task_is_tried_again_from_a_stage(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42, "failed")
    assert "qd task logs 42 --follow" in qd("task", "retry", "42", "--from-stage", "1", "--on", "ant-1").out
    assert tasks.bodies("retry") == [{"fromStage": 1, "machineId": MACHINE}]
    failed(qd("task", "retry", "42"), 6, "has not failed")


@pytest.mark.parametrize(
    ("kind", "words", "body"),
    [
        ("confirm", ["confirm", "42"], {"stageIndex": 1, "result": "confirm"}),
        ("confirm", ["confirm", "42", "--reject", "--yes"], {"stageName": "review", "approved": False}),
        ("choice", ["choose", "#42", "dark"], {"stageIndex": 1, "result": "dark"}),
        ("input", ["input", "42", "Blue"], {"stageIndex": 1, "result": "Blue"}),
        ("input", ["input", "42", "-"], {"stageIndex": 1, "result": "two\nlines"}),
    ],
)
def test_the_question_that_waits_is_answered(
    qd: Command, tasks: TasksApi, kind: str, words: list[str], body: dict[str, Any]
) -> None:
    tasks.add(42)
    tasks.ask(42, kind, choices=["light", "dark"] if kind == "choice" else None)
    result = qd("task", *words, stdin="two\nlines\n")
    assert (result.code, result.err) == (0, "")
    assert tasks.bodies("confirm") == [body]
    failed(qd("task", *words, stdin="x"), 6, "waits for no answer", "qd task show 42")


def test_an_answer_to_a_named_stage_is_the_servers_to_judge(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42)
    failed(qd("task", "confirm", "42", "--stage", "1"), 6, "jonas has answered stage 1 already.", "qd task show 42")
    tasks.ask(42)
    failed(qd("task", "choose", "42", "x", "--stage", "0"), 6, "Stage 0 waits for nothing.")
    failed(qd("task", "confirm", "42", "--reject", "--stage", "9", "--yes"), 5, "has no stage 9")
    assert tasks.queries("pending") == []


def test_somebody_who_answers_meanwhile_is_told(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42)
    tasks.ask(42, "input")
    tasks.before["confirm"] = lambda number: tasks.asked.clear()
    failed(qd("task", "input", "42", "Blue"), 6, "jonas has answered stage 1 already.")


def test_an_answer_of_another_kind_says_the_right_command(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42)
    tasks.ask(42, "choice", choices=["light", "dark"])
    failed(qd("task", "confirm", "42"), 2, "waits for a choice, not for a confirmation", "qd task choose 42 light")
    failed(qd("task", "choose", "42", "grey"), 2, "none of the options", "light, dark")
    failed(qd("task", "input", "42", "  "), 2, "The text is empty.")
    assert tasks.bodies("confirm") == []


def test_more_is_said_to_a_task_and_listed(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42)
    assert qd("task", "say", "42", "Leave the footer").out == "Said it to task #42.\n"
    assert qd("task", "say", "42", "-", stdin="And\nthe head\n").code == 0
    tasks.said[42][0]["deliveredAt"] = AT
    lines = qd("task", "messages", "42").out.splitlines()
    assert lines[1] == "2026-05-31 12:00:00  ada  2026-05-31 12:00:00  Leave the footer"
    assert lines[2] == "2026-05-31 12:00:00  ada  not yet              And the head"
    assert [one["text"] for one in json.loads(qd("task", "messages", "42", "--json").out)["items"]] == [
        "Leave the footer", "And\nthe head",
    ]  # fmt: skip


def test_times_are_those_of_the_reader(qd: Command, tasks: TasksApi, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        tasks.add(42)
        assert "started     2026-05-31 17:30:00" in qd("task", "show", "42").out
    finally:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()


def test_a_task_is_followed_to_its_end(qd: Command, tasks: TasksApi, impatient: None) -> None:
    seen: list[str] = []

    def on(number: str) -> None:
        seen.append(number)
        row = tasks.tasks[42]
        if len(seen) == 1:
            tasks.event(42, "Stage develop began")
            tasks.event(42, "chatter", "log")
        elif len(seen) == 2:
            tasks.ask(42, "choice", choices=["light", "dark"])
            tasks.event(42, "Waits", "confirm_requested", "warn")
        elif len(seen) == 4:
            row |= {"status": "completed", "suspendReason": None, "mrUrl": "https://git.example.com/7"}
            tasks.event(42, "Completed", "status_change")

    tasks.before["show"] = on
    result = qd("task", "create", "x", "--follow")
    assert (result.code, result.out) == (0, "https://git.example.com/7\n")
    said = result.err
    assert said.index("develop: Stage develop began") < said.index("review waits for you") < said.index("Completed")
    assert said.count("qd task choose 42 light  or  dark") == 1
    assert "chatter" not in said


def test_a_followed_task_tells_why_it_waits_when_that_changes_and_nothing_twice(
    qd: Command, tasks: TasksApi, impatient: None
) -> None:
    busy, away = "Every machine with custom is busy: CPU or memory above 85 %.", "No machine is online."
    steps = iter([None, busy, busy, away, away, "begins", away, "ends"])

    def on(number: str) -> None:
        row, step = tasks.tasks[42], next(steps)
        row |= {"status": "queued", "queuedReason": step}
        if step == "begins":
            row |= {"status": "running", "queuedReason": None}
        elif step == "ends":
            row |= {"status": "failed", "queuedReason": None, "errorMessage": "It broke."}
            tasks.event(42, "It broke", "status_change", "error")
            tasks.event(42, "It broke", "error", "error")

    tasks.before["show"] = on
    said = qd("task", "create", "x", "--follow").err
    assert [line for line in said.splitlines() if "It waits." in line] == [
        f"  It waits. {busy}", f"  It waits. {away}", f"  It waits. {away}",
    ]  # fmt: skip
    assert said.count("develop: It broke") == 1
    assert "Error: Task #42 failed" in said


def test_a_followed_task_that_fails_tells_why_and_where(qd: Command, tasks: TasksApi, impatient: None) -> None:
    def on(number: str) -> None:
        row = tasks.tasks[42]
        row |= {"status": "failed", "errorCode": "stage_timeout", "errorMessage": "It took longer than 1800 s."}
        row["stages"][0]["status"] = "failed"

    tasks.before["show"] = on
    tasks.before["create"] = lambda: None
    result = qd("task", "create", "x", "--follow", "--json")
    failed(result, 1, "Task #42 failed in stage develop: It took longer than 1800 s.", "qd task retry 42")
    told = json.loads(result.out)
    assert (told["taskId"], told["status"], told["error"]["code"]) == (42, "failed", "stage_timeout")
    tasks.before["show"] = lambda number: tasks.tasks[43].update(status="cancelled")
    failed(qd("task", "create", "x", "--follow"), 1, "Task #43 was canceled.")


def test_watching_ends_in_time_and_says_whether_a_person_is_awaited(
    qd: Command, tasks: TasksApi, impatient: None
) -> None:
    result = qd("task", "create", "x", "--follow", "--timeout", "0.05")
    failed(result, 8, "Task #42 still goes on after 0.05 s.", "qd task logs 42 --follow")
    tasks.before["show"] = lambda number: tasks.ask(int(number))
    failed(qd("task", "create", "x", "--follow", "--timeout", "0.05"), 7, "waits for a person")


def test_the_log_is_shown_from_its_end(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42)
    for index in range(150):
        tasks.line(42, f"line {index}\x1b[31m red")
    out = qd("task", "logs", "42").out.splitlines()
    assert (out[0], out[-1], len(out)) == ("line 50 red", "line 149 red", 100)
    assert qd("task", "logs", "42", "--tail", "1", "--timestamps").out == "2026-05-31 12:00:00  line 149 red\n"
    body = json.loads(qd("task", "logs", "42", "--tail", "2", "--json").out)
    assert (body["total"], [line["seq"] for line in body["items"]]) == (150, [149, 150])
    assert len(qd("task", "logs", "42", "--tail", "3", "-o", "jsonl").out.splitlines()) == 3
    tasks.add(43)
    assert "has said nothing yet" in qd("task", "logs", "43").err


def test_the_log_is_followed_without_a_gap_over_a_cut_connection(qd: Command, tasks: TasksApi, impatient: None) -> None:
    tasks.add(42)
    tasks.line(42, "one")
    asked: list[str] = []

    def on(number: str) -> None:
        asked.append(number)
        if len(asked) == 3:
            raise Refusal(503, "The server starts.", "UNAVAILABLE")
        tasks.line(42, f"more {len(asked)}")
        if len(asked) == 5:
            tasks.tasks[42]["status"] = "completed"

    tasks.before["show"] = on
    result = qd("task", "logs", "42", "--follow")
    assert (result.code, result.out.splitlines()) == (0, ["one", "more 1", "more 2", "more 4", "more 5"])
    assert "The connection was lost; trying again." in result.err
    assert [json.loads(line)["text"] for line in qd("task", "logs", "42", "--follow", "--json").out.splitlines()] == [
        "one", "more 1", "more 2", "more 4", "more 5", "more 6",
    ]  # fmt: skip


def test_ctrl_c_stops_watching_and_says_how_to_come_back(qd: Command, tasks: TasksApi, impatient: None) -> None:
    tasks.add(42)
    tasks.before["show"] = lambda number: os.kill(os.getpid(), signal.SIGINT)
    result = qd("task", "logs", "42", "--follow")
    assert result.code == 130
    assert "Stopped watching; task #42 goes on." in result.err
    assert "qd task logs 42 --follow" in result.err
    assert "qd task cancel 42" in result.err
    assert tasks.tasks[42]["status"] == "running"


def test_no_connection_and_no_credential_have_their_own_ends(
    qd: Command, tasks: TasksApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUARTERDECK_TOKEN", "wrong")
    failed(qd("task", "list"), 3, "Nobody is signed in.", "qd login")
    monkeypatch.setenv("QUARTERDECK_URL", "http://127.0.0.1:9")
    failed(qd("task", "list"), 9, "cannot be reached")
    failed(qd("task", "show", "42"), 9, "cannot be reached")


def test_what_may_not_be_done_is_told_as_that(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42)

    def refuse(*_: str) -> None:
        raise Refusal(403, "You may not cancel the tasks of others.", "FORBIDDEN")

    tasks.before["cancel"] = refuse
    failed(qd("task", "cancel", "42", "--yes"), 4, "You may not cancel", "qd whoami")


def test_machines_are_found_by_name_for_tasks(qd: Command, tasks: TasksApi) -> None:
    tasks.machines_known.append(machine("ant-1", "9c0d6c70-0000-4000-8000-000000000000"))
    failed(qd("task", "create", "x", "--on", "ant-1"), 2, "is the name of 2")
