"""Runners: the list, one of them, how another one comes, and how one goes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import infra_commands
from quarterdeck.console.desk import AnyRequest, Page, act, address_of, open_desk, part, read_form
from quarterdeck.console.pages.infra_specs import HERE, number
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.infra import JOBS, RUNNERS
from quarterdeck.console.views.infra_runners import NewRunner
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, MANAGE = "infra:runners.view", "infra:runners.manage"
LIST = Crumb("Runners", RUNNERS)
RUNNER = "/infra/runners/{runner:str}"
HOURS = (("1", "1 hour"), ("24", "1 day"), ("168", "1 week"), ("720", "30 days"))


@get("/infra/runners", opt=needs(VIEW))
async def runners(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/infra_runners.html",
        here="infra",
        crumbs=(HERE, Crumb("Runners")),
        view=await desk.ports.infra_runners(desk.who),
        command=infra_commands.list_runners(),
    )


@get("/infra/runners/new", opt=needs(MANAGE))
async def new_runner(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _new(request)


async def _new(
    request: AnyRequest,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
    made: NewRunner | None = None,
) -> Response[bytes]:
    desk, said = await open_desk(request), typed or {}
    choices = await desk.ports.infra_spec_choices(desk.who)
    identities = Field("identity", "Only jobs of the cloud identity", said.get("identity", ""), "select",
                       choices=(("", "Any job of the organization"), *choices.identities))  # fmt: skip
    name = {"maxlength": "200", "autocomplete": "off"}
    return desk.page(
        "pages/infra_runner_new.html",
        here="infra",
        crumbs=(HERE, LIST, Crumb("Add a runner")),
        problem=problem,
        made=made,
        address=address_of(request),
        enrolling=(
            Field("label", "For which machine", said.get("label", ""), attributes=name),
            Field("hours", "Good for", said.get("hours", "24"), "select", choices=HOURS),
        ),
        registering=(Field("name", "Name", said.get("name", ""), required=True, attributes=name), identities),
        putting_up=(
            Field("name", "Name", said.get("name", ""), required=True, attributes=name),
            Field("identity", "Cloud identity", said.get("identity", ""), "select", choices=choices.identities,
                  required=True),
            Field("region", "Region", said.get("region", ""), required=True, placeholder="eu-west-1", attributes=name),
        ),
        identities=choices.identities,
        enrol=infra_commands.enrol_runner(),
        register=infra_commands.register_runner(),
        put_up=infra_commands.put_up_runner(),
    )  # fmt: skip


@post("/infra/runners/new", opt=needs(MANAGE))
async def add_runner(request: Request[Any, Any, Any]) -> Response[bytes]:
    """By `deed`: a token of enrolment, a registration, or a stack in a cloud. What is made is shown this once."""
    desk, form = await open_desk(request), await read_form(request)
    deed = form.get("deed", "")
    if deed == "put-up":
        wanted = {name: form.get(name, "") for name in ("name", "identity", "region", "runner")}
        up = desk.ports.put_up_runner(desk.who, **wanted)
        return await act(up, lambda job: f"{JOBS}/{job}", "runner-going-up", partial(_again, request, form))
    try:
        if deed == "register":
            made = await desk.ports.register_runner(
                desk.who, name=form.get("name", ""), identity=form.get("identity", "")
            )
        else:
            made = await desk.ports.mint_runner_token(
                desk.who, label=form.get("label", ""), hours=number(form.get("hours", "24"))
            )
    except Problem as problem:
        return await _new(request, problem, form)
    return await _new(request, made=made)


async def _again(request: AnyRequest, form: Mapping[str, str], problem: Problem) -> Page:
    return await _new(request, problem, form)


@get(RUNNER, opt=needs(VIEW))
async def runner(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _runner(request)


async def _runner(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_runner(desk.who, part(request, "runner"))
    return desk.page(
        "pages/infra_runner.html",
        here="infra",
        crumbs=(HERE, LIST, Crumb(view.row.name)),
        problem=problem,
        view=view,
        reason=Field("reason", "Why it gets no more jobs", "", attributes={"maxlength": "200"}),
        command=infra_commands.runner(view.row, "show"),
    )


@post(RUNNER + "/drain", opt=needs(MANAGE))
async def drain(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "runner")
    draining = form.get("deed") != "undrain"
    deed = desk.ports.drain_runner(desk.who, uid, drain=draining, reason=form.get("reason", ""))
    return await act(
        deed, f"{RUNNERS}/{uid}", "runner-drains" if draining else "runner-takes", partial(_runner, request)
    )


@post(RUNNER + "/default", opt=needs(VIEW))
async def choose(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid = await open_desk(request), part(request, "runner")
    deed = desk.ports.choose_runner(desk.who, uid)
    return await act(deed, f"{RUNNERS}/{uid}", "runner-chosen", partial(_runner, request))


@post(RUNNER + "/update", opt=needs(MANAGE))
async def update(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid = await open_desk(request), part(request, "runner")
    deed = desk.ports.update_runner(desk.who, uid, "")
    return await act(deed, lambda job: f"{JOBS}/{job}", "runner-updating", partial(_runner, request))


@get(RUNNER + "/take-down", opt=needs(MANAGE))
async def ask_take_down(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _end(request, "take-down")


@post(RUNNER + "/take-down", opt=needs(MANAGE))
async def take_down(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "runner")
    deed = desk.ports.take_down_runner(desk.who, uid, form.get("confirmation", ""))
    failed = partial(_end, request, "take-down")
    return await act(deed, lambda job: f"{JOBS}/{job}", "runner-going-down", failed)


@get(RUNNER + "/remove", opt=needs(MANAGE))
async def ask_remove_runner(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _end(request, "remove")


@post(RUNNER + "/remove", opt=needs(MANAGE))
async def remove_runner(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "runner")
    deed = desk.ports.remove_runner(desk.who, uid, form.get("confirmation", ""))
    return await act(deed, RUNNERS, "runner-removed", partial(_end, request, "remove"))


async def _end(request: AnyRequest, how: str, failed: Problem | None = None) -> Response[bytes]:
    """The question before a runner's stack is destroyed, or before it is forgotten."""
    desk = await open_desk(request)
    view = await desk.ports.infra_runner(desk.who, part(request, "runner"))
    row, down = view.row, how == "take-down"
    forgotten = "It is let in no more. Its jobs wait for another runner; nothing that runs there is torn down."
    return ask(
        desk,
        here="infra",
        crumbs=(HERE, LIST, Crumb(row.name, row.href), Crumb("Take down" if down else "Remove")),
        failed=failed,
        title=f"Take down the runner {row.name}?" if down else f"Remove the runner {row.name}?",
        texts=("Another runner destroys what was put up for it, and it is forgotten then." if down else forgotten,),
        action=f"{row.href}/{how}",
        back=row.href,
        keep="Keep it",
        button="Take it down" if down else "Remove runner",
        danger=True,
        must_equal=row.name,
        blocked=_blocked(own=row.own, stack=view.stack, down=down),
        command=infra_commands.runner(row, "destroy" if down else "remove"),
    )


def _blocked(*, own: bool, stack: bool, down: bool) -> str:
    if not own:
        return "It is looked after elsewhere."
    return "It has no stack that was put up from here." if down and not stack else ""


HANDLERS: tuple[Any, ...] = (
    runners,
    new_runner,
    add_runner,
    runner,
    drain,
    choose,
    update,
    ask_take_down,
    take_down,
    ask_remove_runner,
    remove_runner,
)
