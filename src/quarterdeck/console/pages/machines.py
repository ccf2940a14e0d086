"""Machines that run agents: their list, and one of them with its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands, task_commands
from quarterdeck.console.desk import AnyRequest, act, address_of, open_desk, part, read_form, status_of
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.console.views.tasks import MachineView
from quarterdeck.fleet.workers import starting
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, DRAIN, MANAGE = "tasks:machines.view", "tasks:machines.drain", "tasks:machines.manage"


@get("/tasks/machines", opt=needs(VIEW))
async def machines(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/machines.html",
        here="tasks",
        crumbs=(Crumb("Tasks", "/console/tasks"), Crumb("Machines")),
        rows=await desk.ports.machines(desk.who),
        command=commands.list_machines(),
        worker=starting.line(address_of(request)),
    )


@get("/tasks/machines/{machine:str}", opt=needs(VIEW))
async def machine(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _machine(request)


async def _machine(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.machine(desk.who, part(request, "machine"))
    values = typed or {"name": view.name, "slots": str(view.at_most)}
    field = str(problem.details.get("field", "")) if problem else ""
    told = {field: problem.message} if problem else {}
    crumbs = (Crumb("Tasks", "/console/tasks"), Crumb("Machines", "/console/tasks/machines"), Crumb(view.name))
    return desk.page(
        "pages/machine.html",
        here="tasks",
        crumbs=crumbs,
        problem=None if field in {"name", "maxSlots"} else problem,
        status=status_of(problem) if problem else 200,
        view=view,
        may_manage=desk.viewer.may(MANAGE) and not view.gone,
        fields=(
            Field("name", "Name", values.get("name", ""), required=True, error=told.get("name", ""),
                  attributes={"maxlength": "200"}),
            Field("slots", "Tasks at a time, at most", values.get("slots", ""), required=True,
                  error=told.get("maxSlots", ""), hint="Never more than its worker offers.",
                  attributes={"inputmode": "numeric"}),
        ),
        command=commands.machine(view, "undrain" if view.draining else "drain"),
        changing=task_commands.change_machine(view),
    )  # fmt: skip


def _crumbs(view: MachineView, last: str) -> tuple[Crumb, ...]:
    return (Crumb("Tasks", "/console/tasks"), Crumb("Machines", "/console/tasks/machines"),
            Crumb(view.name, view.href), Crumb(last))  # fmt: skip


@post("/tasks/machines/{machine:str}", opt=needs(MANAGE))
async def change_machine(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid, form = await open_desk(request), part(request, "machine"), await read_form(request)
    slots = form.get("slots", "")

    async def deed() -> None:
        if not slots.isascii() or not slots.isdigit() or len(slots) > 4:
            raise Invalid("A number of tasks is 0 to 64.", hint="Give a number within.", field="maxSlots")
        await desk.ports.change_machine(desk.who, uid, name=form.get("name", ""), slots=int(slots))

    refused = partial(_machine, request, typed=form)
    return await act(deed(), f"/console/tasks/machines/{uid}", "saved", refused)


@get("/tasks/machines/{machine:str}/drain", opt=needs(DRAIN))
async def ask_drain_machine(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.machine(desk.who, part(request, "machine"))
    return ask(
        desk,
        here="tasks",
        crumbs=_crumbs(view, "Drain"),
        title=f"Drain {view.name}?",
        texts=("It gets no new tasks. What it has is finished.",),
        action=f"{view.href}/drain",
        back=view.href,
        keep="Leave it",
        button=f"Drain {view.name}",
        reason="Why, for those who wonder",
        blocked="It is draining already." if view.draining else "",
        command=commands.machine(view, "drain"),
    )


@get("/tasks/machines/{machine:str}/decommission", opt=needs(MANAGE))
async def ask_decommission_machine(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _ask_decommission(request)


async def _ask_decommission(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.machine(desk.who, part(request, "machine"))
    running = sum(one.state[0] in {"running", "suspended", "assigned"} for one in view.tasks)
    return ask(
        desk,
        here="tasks",
        crumbs=_crumbs(view, "Decommission"),
        failed=problem,
        title=f"Decommission {view.name}?",
        texts=(
            "It is sent away for good. What has not begun goes to another machine, and what runs fails.",
            "What waits for a person begins anew there.",
            f"It has {running} {'task' if running == 1 else 'tasks'} now." if running else "It has no tasks now.",
        ),
        action=f"{view.href}/decommission",
        back=view.href,
        keep="Keep it",
        button=f"Decommission {view.name}",
        danger=True,
        must_equal=view.name,
        blocked="It was decommissioned already." if view.gone else "",
        command=task_commands.decommission(view),
    )


@post("/tasks/machines/{machine:str}/decommission", opt=needs(MANAGE))
async def decommission_machine(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid, form = await open_desk(request), part(request, "machine"), await read_form(request)

    async def deed() -> None:
        view = await desk.ports.machine(desk.who, uid)
        if form.get("confirmation", "") != view.name:
            raise Invalid(f"That is not the name of {view.name}.", hint="Type it as it stands there.")
        await desk.ports.decommission_machine(desk.who, uid)

    return await act(deed(), "/console/tasks/machines", "machine-gone", partial(_ask_decommission, request))


@post("/tasks/machines/{machine:str}/drain", opt=needs(DRAIN))
async def drain_machine(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Give it no more tasks, or give it tasks again."""
    desk, uid = await open_desk(request), part(request, "machine")
    form = await read_form(request)
    drain = form.get("deed") != "undrain"
    deed = desk.ports.drain_machine(desk.who, uid, drain=drain, reason=form.get("reason", ""))
    told = "machine-drains" if drain else "machine-takes"
    return await act(deed, f"/console/tasks/machines/{uid}", told, partial(_machine, request))


HANDLERS: tuple[Any, ...] = (
    machines,
    machine,
    change_machine,
    ask_drain_machine,
    drain_machine,
    ask_decommission_machine,
    decommission_machine,
)
