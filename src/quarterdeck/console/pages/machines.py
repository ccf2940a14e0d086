"""Machines that run agents: their list, and one of them with its tasks."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, Response, get, post

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.shell import Crumb
from quarterdeck.kernel.errors import Problem

VIEW, DRAIN = "tasks:machines.view", "tasks:machines.drain"


@get("/tasks/machines", opt=needs(VIEW))
async def machines(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/machines.html",
        here="tasks",
        crumbs=(Crumb("Tasks", "/console/tasks"), Crumb("Machines")),
        rows=await desk.ports.machines(desk.who),
        command=commands.list_machines(),
    )


@get("/tasks/machines/{machine:str}", opt=needs(VIEW))
async def machine(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _machine(request)


async def _machine(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.machine(desk.who, part(request, "machine"))
    crumbs = (Crumb("Tasks", "/console/tasks"), Crumb("Machines", "/console/tasks/machines"), Crumb(view.name))
    return desk.page(
        "pages/machine.html",
        here="tasks",
        crumbs=crumbs,
        problem=problem,
        view=view,
        command=commands.machine(view, "undrain" if view.draining else "drain"),
    )


@post("/tasks/machines/{machine:str}/drain", opt=needs(DRAIN))
async def drain_machine(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Give it no more tasks, or give it tasks again."""
    desk, uid = await open_desk(request), part(request, "machine")
    drain = (await read_form(request)).get("deed") != "undrain"
    deed = desk.ports.drain_machine(desk.who, uid, drain=drain)
    told = "machine-drains" if drain else "machine-takes"
    return await act(deed, f"/console/tasks/machines/{uid}", told, partial(_machine, request))


HANDLERS: tuple[Any, ...] = (machines, machine, drain_machine)
