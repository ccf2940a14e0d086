"""Agent tasks: the board, a new one, one task with its gate and terminal, its events and its log."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands, task_commands
from quarterdeck.console.desk import AnyRequest, Desk, act, open_desk, part, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.console.views.tasks import NewTask, NewTaskChoices, TaskView
from quarterdeck.kernel.errors import NotFound, Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, CREATE, ACT = "tasks:tasks.view", "tasks:tasks.create", "tasks:tasks.act"
LINES = 5000
HERE = Crumb("Tasks", "/console/tasks")


def number_of(request: AnyRequest) -> int:
    """The task that the address names."""
    text = part(request, "task")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise NotFound(f"There is no task {text[:40]!r}.", hint="Tasks have numbers, such as 42.")
    return int(text)


@get("/tasks", opt=needs(VIEW))
async def tasks(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    project, mine = request.query_params.get("project", "")[:64], request.query_params.get("mine") == "yes"
    view = await desk.ports.board(desk.who, project=project, mine=mine)
    return desk.page(
        "pages/tasks.html",
        here="tasks",
        crumbs=(Crumb("Tasks"),),
        topics="" if project or mine else "tasks",
        view=view,
        project=project,
        mine=mine,
        command=commands.list_tasks(project),
    )


@get("/tasks/new", opt=needs(CREATE))
async def new_task(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    asked = request.query_params.get("project", "")[:64]
    return await _form(desk, NewTask(asked, request.query_params.get("description", "")[:20_000]))


async def _form(desk: Desk, wanted: NewTask, problem: Problem | None = None) -> Response[bytes]:
    choices = await desk.ports.task_choices(desk.who)
    return desk.page(
        "pages/new_task.html",
        here="tasks",
        crumbs=(HERE, Crumb("New task")),
        problem=problem,
        fields=_fields(wanted, choices, problem),
        choices=choices,
        command=commands.create_task(wanted),
    )


def _fields(wanted: NewTask, choices: NewTaskChoices, problem: Problem | None) -> tuple[Field, ...]:
    wrong = str(problem.details.get("field", "")) if problem else ""
    told = problem.message if problem else ""

    def error(name: str) -> str:
        return told if wrong == name or (name == "pipeline" and wrong.startswith("pipeline")) else ""

    return (
        Field("project", "Project", wanted.project, "select", choices=choices.projects, required=True),
        Field(
            "description", "What shall be changed", wanted.description, "area", required=True, full=True,
            hint="The agent is given this as it stands.", error=error("description"),
        ),
        Field("machine", "Machine", wanted.machine, "select", choices=(("", "Whichever is free"), *choices.machines)),
        Field("agent", "Agent", wanted.agent, "select", choices=(("", "As the project says"), *choices.agents)),
        Field("branch", "Branch", wanted.branch, hint="Without one it is named after the task.", error=error("branch")),
        Field("budget", "Budget in US dollars", wanted.budget, hint="The task stops when it is spent.",
              error=error("budgetUsd"), attributes={"inputmode": "decimal"}),
        Field(
            "pipeline", "Stages, as JSON", wanted.pipeline, "area", full=True, error=error("pipeline"),
            hint="Without any, those of the project.",
        ),
    )  # fmt: skip


@post("/tasks/new", opt=needs(CREATE))
async def creating_task(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    names = ("project", "description", "machine", "agent", "branch", "budget", "pipeline")
    wanted = NewTask(**{name: form.get(name, "") for name in names})
    return await act(
        desk.ports.create_task(desk.who, wanted),
        lambda number: f"/console/tasks/{number}",
        "task-created",
        partial(_form, desk, wanted),
    )


@get("/tasks/{task:str}", opt=needs(VIEW))
async def task(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _task(request, number_of(request))


async def _task(request: AnyRequest, number: int, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.task(desk.who, number)
    return desk.page(
        "pages/task.html",
        here="tasks",
        crumbs=(HERE, Crumb(f"#{number}")),
        topics=f"task:{number}",
        problem=problem,
        view=view,
        command=commands.task(view, "show"),
        answer=commands.answer_gate(view),
    )


@get("/tasks/{task:str}/events", opt=needs(VIEW))
async def task_events(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, number = await open_desk(request), number_of(request)
    view = await desk.ports.task(desk.who, number)
    return desk.page(
        "pages/task_events.html",
        here="tasks",
        crumbs=(HERE, Crumb(f"#{number}", view.row.href), Crumb("Events")),
        topics=f"task-events:{number}" if view.active else "",
        view=view,
        events=await desk.ports.task_events(desk.who, number),
        command=commands.task(view, "show"),
    )


@get("/tasks/{task:str}/diff", opt=needs(VIEW))
async def task_diff(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, number = await open_desk(request), number_of(request)
    view = await desk.ports.task(desk.who, number)
    return desk.page(
        "pages/task_diff.html",
        here="tasks",
        crumbs=(HERE, Crumb(f"#{number}", view.row.href), Crumb("Diff")),
        view=view,
        diff=await desk.ports.task_diff(desk.who, number),
        command=task_commands.diff(view),
    )


@get("/tasks/{task:str}/log", opt=needs(VIEW))
async def task_log(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, number = await open_desk(request), number_of(request)
    view = await desk.ports.task(desk.who, number)
    kept = await desk.ports.task_log(desk.who, number, LINES)
    return desk.page(
        "pages/task_log.html",
        here="tasks",
        crumbs=(HERE, Crumb(f"#{number}", view.row.href), Crumb("Log")),
        topics=f"log:{kept.log.stream}" if view.active else "",
        log_after=kept.log.last,
        view=view,
        log=kept.log,
        command=commands.task(view, "logs"),
    )


@post("/tasks/{task:str}/answer", opt=needs(ACT))
async def answer_gate(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer what the task asks: the first answer counts, and a later one is told who was first."""
    desk, number, form = await open_desk(request), number_of(request), await read_form(request)
    asked = form.get("stage", "")
    index = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else -1
    result = None if form.get("deed") == "reject" else form.get("value") or form.get("choice") or "confirm"
    return await _acted(request, desk.ports.answer_gate(desk.who, number, index, result=result), "gate-answered")


@post("/tasks/{task:str}/say", opt=needs(ACT))
async def say(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, number = await open_desk(request), number_of(request)
    text = (await read_form(request)).get("content", "")
    return await _acted(request, desk.ports.say(desk.who, number, text), "task-told")


@get("/tasks/{task:str}/cancel", opt=needs(ACT))
async def ask_cancel_task(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, number = await open_desk(request), number_of(request)
    view = await desk.ports.task(desk.who, number)
    return ask(
        desk,
        here="tasks",
        crumbs=(HERE, Crumb(f"#{number}", view.row.href), Crumb("Cancel")),
        title=f"Cancel task #{number}?",
        texts=("The agent stops now. Its branch and worktree stay for a while, and nothing more is pushed.",),
        action=f"{view.row.href}/cancel",
        back=view.row.href,
        keep="Let it go on",
        button="Cancel task",
        danger=True,
        blocked="" if view.active else "It has ended already.",
        command=commands.task(view, "cancel"),
    )


@post("/tasks/{task:str}/cancel", opt=needs(ACT))
async def cancel_task(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, number = await open_desk(request), number_of(request)
    return await _acted(request, desk.ports.cancel_task(desk.who, number), "task-canceled")


@post("/tasks/{task:str}/retry", opt=needs(ACT))
async def retry_task(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, number = await open_desk(request), number_of(request)
    asked = (await read_form(request)).get("stage", "0")
    index = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
    return await _acted(request, desk.ports.retry_task(desk.who, number, index), "task-retried")


@post("/tasks/{task:str}/budget", opt=needs(ACT))
async def change_budget(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, number = await open_desk(request), number_of(request)
    dollars = (await read_form(request)).get("budget", "")
    return await _acted(request, desk.ports.change_budget(desk.who, number, dollars), "saved")


async def _acted(request: AnyRequest, deed: Awaitable[None], flash: str) -> Response[bytes]:
    number = number_of(request)
    return await act(deed, f"/console/tasks/{number}", flash, partial(_task, request, number))


def title_of(view: TaskView) -> str:
    """The title of the tab: what a person should know first."""
    if view.gate is not None and not view.gate.why_not:
        return f"◆ Answer needed · #{view.row.id} · Quarterdeck"
    return f"#{view.row.id} {view.row.title} · Tasks · Quarterdeck"


HANDLERS: tuple[Any, ...] = (
    tasks,
    new_task,
    creating_task,
    task,
    task_events,
    task_diff,
    task_log,
    answer_gate,
    say,
    ask_cancel_task,
    cancel_task,
    retry_task,
    change_budget,
)
