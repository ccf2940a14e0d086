"""Enrolling machines for agent tasks: a token, shown once with the command that uses it, and what became of each."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import task_commands
from quarterdeck.console.desk import AnyRequest, act, address_of, open_desk, part, read_form, status_of
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.enrolling import NewEnrolment
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.fleet.workers import starting
from quarterdeck.kernel.errors import Invalid, NotFound, Problem
from quarterdeck.kernel.http.shared_signature import get, post

MANAGE = "tasks:machines.manage"
HERE = "/console/tasks/machines/enrol"
ABOVE = (Crumb("Tasks", "/console/tasks"), Crumb("Machines", "/console/tasks/machines"))
ENDS = {"1": "In an hour", "24": "In a day", "168": "In a week", "": "Never"}


@get("/tasks/machines/enrol", opt=needs(MANAGE))
async def enrol(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request, {})


@post("/tasks/machines/enrol", opt=needs(MANAGE))
async def create_enrolment(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answers the token itself: an address to come back to would show it twice."""
    desk, form = await open_desk(request), await read_form(request)
    hours = form.get("ends", "")
    try:
        if hours not in ENDS:
            raise Invalid("This is none of the times to choose from.", hint="Choose one.", field="ends")
        made = await desk.ports.create_enrolment(
            desk.who, label=form.get("label", ""), hours=int(hours) if hours else None
        )
    except Problem as problem:
        return await _page(request, form, problem)
    return await _page(request, {}, made=made)


async def _page(
    request: AnyRequest, typed: dict[str, str], problem: Problem | None = None, made: NewEnrolment | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    field = str(problem.details.get("field", "")) if problem else ""

    def wrong(name: str) -> str:
        return problem.message if problem and field == name else ""

    return desk.page(
        "pages/enrol.html",
        here="tasks",
        crumbs=(*ABOVE, Crumb("Enrol")),
        problem=None if field in {"label", "ends"} else problem,
        status=status_of(problem) if problem else 200,
        made=made,
        rows=await desk.ports.enrolments(desk.who),
        fields=(
            Field("label", "What it is called in this list", typed.get("label", ""), error=wrong("label"),
                  placeholder="forge", attributes={"maxlength": "200", "autocomplete": "off"}),
            Field("ends", "It ends unused", typed.get("ends", "24"), kind="select", choices=tuple(ENDS.items()),
                  error=wrong("ends")),
        ),
        worker=starting.line(address_of(request)),
        command=task_commands.create_enrolment(),
    )  # fmt: skip


def _number(request: AnyRequest) -> int:
    text = part(request, "token")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


@get("/tasks/machines/enrol/{token:str}/revoke", opt=needs(MANAGE))
async def ask_revoke_enrolment(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _ask(request)


async def _ask(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk, number = await open_desk(request), _number(request)
    row = next((one for one in await desk.ports.enrolments(desk.who) if one.id == number), None)
    if row is None:
        raise NotFound(f"There is no enrolment token {part(request, 'token')[:20]}.", hint="Look at the list of them.")
    return ask(
        desk,
        here="tasks",
        crumbs=(*ABOVE, Crumb("Enrol", HERE), Crumb("Revoke")),
        failed=problem,
        title=f"Revoke {row.name}?",
        texts=("It enrols nobody from now on. A machine that it has enrolled stays.",),
        action=f"{HERE}/{row.id}/revoke",
        back=HERE,
        keep="Keep it",
        button=f"Revoke {row.name}",
        danger=True,
        blocked="" if row.state == "unused" else f"It is {row.state} already.",
        command=task_commands.revoke_enrolment(row),
    )


@post("/tasks/machines/enrol/{token:str}/revoke", opt=needs(MANAGE))
async def revoke_enrolment(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    await read_form(request)
    return await act(desk.ports.revoke_enrolment(desk.who, _number(request)), HERE, "token-revoked",
                     partial(_ask, request))  # fmt: skip


HANDLERS: tuple[Any, ...] = (enrol, create_enrolment, ask_revoke_enrolment, revoke_enrolment)
