"""Agent tasks as the command line finds, names and tells them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from quarterdeck.cli import names, states
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.phases import duration, moment
from quarterdeck.cli.session import Session
from quarterdeck.cli.states import Shown
from quarterdeck.cli.terminal import since
from quarterdeck.kernel.clock import SystemClock

Row = dict[str, Any]
NUMBER = re.compile(r"#?([0-9]{1,18})")
IDENTITY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
STATUSES = ("queued", "assigned", "running", "suspended", "completed", "failed", "cancelled")
ENDED = frozenset({"completed", "failed", "cancelled"})
ANSWERS = {"confirm": "confirm", "choice": "choose", "input": "input"}
"""The kinds of question, and the verb that answers each."""


def number(text: str) -> str:
    """The number of a task that is written 42 or #42. Raises `Failure`."""
    found = NUMBER.fullmatch(text.strip())
    if found is None:
        raise usage(f"{text} is not the number of a task.", "qd task list   (then: qd task show 42)", code="task_id")
    return str(int(found[1]))


@contextmanager
def about(task: str | None = None, **hints: str) -> Iterator[None]:
    """Give a refusal of the tasks surface, which says what happened, what to do next. `hints` by the exit's name."""
    known = {"not_found": "qd task list", "conflict": f"qd task show {task}", "not_allowed": "qd whoami"}
    if task is None:
        known = {}
    try:
        yield
    except Failure as failure:
        if failure.hint is None:
            failure.hint = {**known, **hints}.get(failure.exit.name.lower())
        raise


def shown(task: Row) -> Shown:
    return states.task(str(task["status"]), task.get("suspendReason"))


def is_waiting(task: Row) -> bool:
    """Whether a person is asked."""
    return task["status"] == "suspended" and task.get("suspendReason") == "stage_gate"


def statuses(given: list[str]) -> str | None:
    """States in any case, several at once or with commas between them. Raises `Failure`."""
    words = [word.strip().lower() for text in given for word in text.split(",") if word.strip()]
    words = ["cancelled" if word == "canceled" else word for word in words]
    for word in words:
        if word not in STATUSES:
            near = difflib.get_close_matches(word, STATUSES, n=1)
            raise usage(
                f"{word} is no state of a task: {', '.join(STATUSES)}.",
                f"qd task list --status {near[0] if near else 'running'}",
                code="task_status",
            )
    return ",".join(dict.fromkeys(words)) or None


def project(api: Api, given: str | None) -> str:
    """The key of the project that is meant: the one given, the profile's, or the only one there is."""
    chosen = given or api.profile.default_project
    if chosen:
        return chosen
    keys = [str(row["key"]) for row in api.pages("task-projects.list", {}, 50)]
    if len(keys) == 1:
        return keys[0]
    if not keys:
        raise Failure(
            "You are in no project that takes tasks.",
            exit=Exit.NOT_FOUND,
            code="project_required",
            hint="Ask a maintainer: qd project tasks add-member KEY YOU",
        )
    raise usage(
        f"Say which project: {', '.join(keys)}.",
        f"--project {keys[0]}, or once and for all: qd config set default-project {keys[0]}",
        code="project_required",
    )


def machine(api: Api, text: str) -> Row:
    """The machine that goes by this id or name. Raises `Failure` with near names."""
    try:
        rows = api.pages("machines.list", {}, 1000)
    except Failure as failure:
        if failure.exit is Exit.NOT_ALLOWED and IDENTITY.fullmatch(text):
            return {"id": text, "name": text}  # who may not see machines may still have been told of one
        raise
    rows = [row for row in rows if row["status"] != "decommissioned" or row["id"] == text]
    found = names.pick(rows, text)
    if found is None:
        raise names.missing("machine", text, [str(row["name"]) for row in rows], "qd machine list")
    return found


def pending(api: Api, task: str) -> Row | None:
    """The question that a task asks a person; None when it asks none."""
    asked: Row = api.read("tasks.pending-confirm", taskId=task)
    return asked if asked.get("pending") else None


def answer_line(task: str, asked: Row) -> str:
    """The command that answers a question."""
    verb = ANSWERS.get(str(asked["kind"]), "confirm")
    word = {"choose": "  or  ".join(asked.get("choices") or ["OPTION"]), "input": "TEXT"}.get(verb)
    return f"qd task {verb} {task}" + (f" {word}" if word else "")


def local(text: str | None) -> str:
    """A time of the API in the zone of whoever reads it."""
    return moment(text).astimezone().strftime("%Y-%m-%d %H:%M:%S") if text else ""


def ago(text: str | None) -> str:
    return since((SystemClock().now() - moment(text)).total_seconds()) if text else ""


def lasted(run: Row) -> str:
    """How long a stage took, or has taken until now."""
    if not run.get("startedAt"):
        return ""
    end: datetime = moment(run["finishedAt"]) if run.get("finishedAt") else SystemClock().now()
    return duration(max((end - moment(run["startedAt"])).total_seconds(), 0))


def table(opened: Session, tasks: list[Row]) -> None:
    """Tasks as a list, newest first."""
    terminal = opened.terminal
    rows = [
        [
            f"#{task['id']}",
            terminal.state(shown(task)),
            str(task["projectKey"] or ""),
            str(task.get("currentStageName") or ""),
            str(task.get("machineName") or ""),
            ago(task.get("finishedAt") or task.get("startedAt") or task["createdAt"]),
            str(task["description"]),
        ]
        for task in tasks
    ]
    columns = ["TASK", "STATE", "PROJECT", "STAGE", "MACHINE", "WHEN", "WHAT"]
    terminal.table(tasks, columns, rows, names=[str(task["id"]) for task in tasks])


def page(opened: Session, task: str) -> str:
    """The address of a task's page."""
    return f"{opened.console}/tasks/{task}"
