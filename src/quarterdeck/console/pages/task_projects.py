"""Projects as tasks need them: repository, agent, stages, and who belongs to them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import task_commands
from quarterdeck.console.desk import AnyRequest, Desk, act, open_desk, part, read_form, status_of
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.console.views.tasks import TaskProjectView
from quarterdeck.console.words import counted
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, MANAGE = "tasks:projects.view", "tasks:projects.manage"
HERE = (Crumb("Tasks", "/console/tasks"), Crumb("Projects", "/console/tasks/projects"))
NAMES = (
    "name", "repoUrl", "sshUrl", "defaultBranch", "agentType", "description", "setupCommand", "cleanupCommand",
    "maxTasks", "budgetUsd", "customAgent",
)  # fmt: skip
CUSTOM = (
    'Required where the agent is custom. At the least {"argv": ["my-agent"]}; readyPattern, "^my-agent>", is a line '
    "that is there once it takes input."
)


@get("/tasks/projects", opt=needs(VIEW))
async def task_projects(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/task_projects.html",
        here="tasks",
        crumbs=(HERE[0], Crumb("Projects")),
        rows=await desk.ports.task_projects(desk.who),
        command=task_commands.list_projects(),
    )


@get("/tasks/projects/new", opt=needs(MANAGE))
async def new_task_project(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _new(await open_desk(request), {})


async def _new(desk: Desk, typed: Mapping[str, str], problem: Problem | None = None) -> Response[bytes]:
    key = Field("key", "Key", typed.get("key", ""), required=True, hint="Short, such as WEB. It stays for good.",
                error=_told(problem, "key"))  # fmt: skip
    return desk.page(
        "pages/new_task_project.html",
        here="tasks",
        crumbs=(*HERE, Crumb("New project")),
        problem=problem,
        fields=(key, *_fields(typed, problem)),
        command=task_commands.create_project(),
    )


@post("/tasks/projects/new", opt=needs(MANAGE))
async def creating_task_project(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.create_task_project(desk.who, {name: form.get(name, "") for name in ("key", *NAMES)})
    return await act(deed, lambda key: f"/console/tasks/projects/{key}", "project-created", partial(_new, desk, form))


@get("/tasks/projects/{key:str}", opt=needs(VIEW))
async def task_project(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _project(request)


async def _project(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.task_project(desk.who, part(request, "key"))
    return desk.page(
        "pages/task_project.html",
        here="tasks",
        crumbs=(*HERE, Crumb(view.key)),
        problem=problem,
        view=view,
        status=status_of(problem) if problem else 200,
        fields=_fields(typed or _values(view), problem),
        command=task_commands.change_project(view),
        adding=task_commands.add_member(view),
        token=task_commands.git_token(view),
        token_field=Field(
            "token",
            "Git token" if not view.has_token else "Another git token",
            "",
            "password",
            required=True,
            error=_told(problem, "token"),
            attributes={"autocomplete": "off"},
            hint="Fetches, pushes, and opens merge requests. It is sealed, and never shown again.",
        ),
    )


def _values(view: TaskProjectView) -> dict[str, str]:
    budget = f"{view.budget:g}" if view.budget is not None else ""
    values = (view.name, view.repo_url, view.ssh_url, view.branch, view.agent, view.description, view.setup,
              view.cleanup, str(view.most_tasks or ""), budget, view.custom_agent)  # fmt: skip
    return dict(zip(NAMES, values, strict=True))


def _told(problem: Problem | None, name: str) -> str:
    field = str(problem.details.get("field", "")) if problem else ""
    return problem.message if problem and (field == name or field.startswith((f"{name}[", f"{name}."))) else ""


def _fields(values: Mapping[str, str], problem: Problem | None) -> tuple[Field, ...]:
    def field(name: str, label: str, kind: str = "text", **more: Any) -> Field:
        return Field(name, label, values.get(name, ""), kind, error=_told(problem, name), **more)

    return (
        field("name", "Name"),
        field("repoUrl", "Repository, by HTTPS", hint="Cloned with the project's git token, if it has one."),
        field("sshUrl", "Repository, by SSH", hint="Cloned with the machine's own key."),
        field("defaultBranch", "Branch to start from", placeholder="main"),
        field("agentType", "Agent", placeholder="claude"),
        field("description", "What it is for"),
        field("setupCommand", "Command before the first stage"),
        field("cleanupCommand", "Command after an attempt"),
        field("maxTasks", "Tasks at a time, at most", placeholder="as many as there are places",
              attributes={"inputmode": "numeric"}),
        field("budgetUsd", "Budget of a task in US dollars", hint="For those that name none.",
              attributes={"inputmode": "decimal"}),
        field("customAgent", "Program of the agent custom, as JSON", "area", full=True, hint=CUSTOM),
    )  # fmt: skip


@post("/tasks/projects/{key:str}", opt=needs(VIEW))
async def change_task_project(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Change it; its maintainers may."""
    desk, key, form = await open_desk(request), part(request, "key"), await read_form(request)
    typed = {name: form.get(name, "") for name in NAMES}
    deed = desk.ports.change_task_project(desk.who, key, typed)
    refused = partial(_project, request, typed=typed)
    return await act(deed, f"/console/tasks/projects/{key}", "project-changed", refused)


@post("/tasks/projects/{key:str}/members", opt=needs(VIEW))
async def change_members(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, key, form = await open_desk(request), part(request, "key"), await read_form(request)
    if gone := form.get("remove", ""):
        deed: Awaitable[None] = desk.ports.take_out_of_project(desk.who, key, gone)
        told = "member-removed"
    else:
        deed = desk.ports.put_into_project(desk.who, key, form.get("developer", ""), form.get("role", "member"))
        told = "member-added"
    return await act(deed, f"/console/tasks/projects/{key}", told, partial(_project, request))


@post("/tasks/projects/{key:str}/git-token", opt=needs(VIEW))
async def change_git_token(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Keep the token, or forget the one that there is."""
    desk, key, form = await open_desk(request), part(request, "key"), await read_form(request)
    token = None if form.get("deed") == "remove" else form.get("token", "")
    deed = desk.ports.keep_git_token(desk.who, key, token)
    told = "git-token-removed" if token is None else "git-token-kept"
    return await act(deed, f"/console/tasks/projects/{key}", told, partial(_project, request))


@get("/tasks/projects/{key:str}/delete", opt=needs(MANAGE))
async def ask_delete_task_project(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _ask_delete(request)


async def _ask_delete(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.task_project(desk.who, part(request, "key"))
    return ask(
        desk,
        here="tasks",
        crumbs=(*HERE, Crumb(view.key, view.href), Crumb("Delete")),
        failed=problem,
        title=f"Take tasks from {view.key}?",
        texts=(
            "Its repository, pipeline, git token and members are lost. What it deploys stays.",
            f"{counted(view.tasks, 'task')} of it will be out of sight until it takes tasks again.",
        ),
        action=f"{view.href}/delete",
        back=view.href,
        keep="Keep it",
        button=f"Delete {view.key}",
        danger=True,
        must_equal=view.key,
        choice=("force", "Cancel its tasks that have not ended"),
        command=task_commands.delete_project(view),
    )


@post("/tasks/projects/{key:str}/delete", opt=needs(MANAGE))
async def delete_task_project(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, key, form = await open_desk(request), part(request, "key"), await read_form(request)

    async def deed() -> None:
        view = await desk.ports.task_project(desk.who, key)
        if form.get("confirmation", "") != view.key:
            raise Invalid(f"That is not the key of {view.key}.", hint="Type it as it stands there.")
        await desk.ports.delete_task_project(desk.who, view.key, force=form.get("force") == "yes")

    return await act(deed(), "/console/tasks/projects", "project-deleted", partial(_ask_delete, request))


HANDLERS: tuple[Any, ...] = (
    task_projects,
    new_task_project,
    creating_task_project,
    task_project,
    change_task_project,
    change_members,
    change_git_token,
    ask_delete_task_project,
    delete_task_project,
)
