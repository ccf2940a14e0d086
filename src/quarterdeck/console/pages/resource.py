"""One deployable thing: its overview, and the deeds that stand above every tab."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, Desk, open_desk, part, place_of
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.ports import Place
from quarterdeck.console.render import see
from quarterdeck.console.views.resources import ResourceHead
from quarterdeck.console.views.shell import Crumb
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

BASE = "/projects/{project:str}/{environment:str}/{resource:str}"
LOGS = "deploy:deployments.logs"
TABS = (
    ("", "Overview"),
    ("/deployments", "Deployments"),
    ("/logs", "Logs"),
    ("/variables", "Variables"),
    ("/settings", "Settings"),
)


def crumbs_of(head: ResourceHead, *more: Crumb) -> tuple[Crumb, ...]:
    return (
        Crumb("Projects", "/console/projects"),
        Crumb(head.project_name, f"/console/projects/{head.project}"),
        Crumb(head.environment_name, f"/console/projects/{head.project}/{head.environment}"),
        Crumb(head.name, head.href),
        *more,
    )


def topic_of(head: ResourceHead) -> str:
    return f"resource:{head.project}/{head.environment}/{head.slug}"


def tab_page(
    desk: Desk, template: str, head: ResourceHead, tab: str, problem: Problem | None = None, **values: Any
) -> Response[bytes]:
    """A tab of the resource; every tab follows the resource's own state."""
    label = dict(TABS)[tab]
    topics = values.pop("topics", topic_of(head))
    return desk.page(
        template,
        here="projects",
        crumbs=crumbs_of(head, *((Crumb(label),) if tab else ())),
        topics=topics,
        problem=problem,
        head=head,
        tabs=TABS,
        tab=tab,
        **values,
    )


@get(BASE, opt=needs("deploy:resources.show"))
async def resource(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await show(request, place_of(request))


async def show(request: AnyRequest, place: Place, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.resource(desk.who, place)
    topics = topic_of(view.head)
    if view.log and not view.log.ended and desk.viewer.may(LOGS):
        topics += f",log:{view.log.stream}"
    return tab_page(
        desk,
        "pages/resource.html",
        view.head,
        "",
        problem,
        topics=topics,
        log_after=view.log.last if view.log else 0,
        view=view,
        command=commands.redeploy(view.head),
    )


@post(BASE + "/deploy", opt=needs("deploy:deployments.redeploy"))
async def deploy(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Starts a deployment and leads to the page where it is seen."""
    desk, place = await open_desk(request), place_of(request)
    try:
        number = await desk.ports.deploy(desk.who, place)
    except Problem as problem:
        return await show(request, place, problem)
    return see(f"{place.href}/deployments/{number}", "deploying")


CONTROLS = {
    "stop": (
        "Stop",
        "It stops answering until it is started again. Nothing is removed.",
        "Keep it running",
        "stopping",
    ),
    "start": ("Start", "The version that served last is started again.", "Leave it stopped", "starting"),
    "restart": (
        "Restart",
        "It stops and starts with the same version. Requests fail meanwhile.",
        "Leave it",
        "restarting",
    ),
}


@get(BASE + "/control/{operation:str}", opt=needs("deploy:resources.runtime.restart"))
async def ask_control(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    head = await desk.ports.resource_head(desk.who, place_of(request))
    word, text, keep, _ = CONTROLS.get(part(request, "operation"), CONTROLS["restart"])
    operation = word.lower()
    return ask(
        desk,
        crumbs=crumbs_of(head, Crumb(word)),
        title=f"{word} {head.project_name} / {head.name}?",
        texts=(text,),
        action=f"{head.href}/control/{operation}",
        back=head.href,
        keep=keep,
        button=word,
        danger=operation == "stop",
        command=commands.control(head, operation),
    )


@post(BASE + "/control/{operation:str}", opt=needs("deploy:resources.runtime.restart"))
async def control(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place = await open_desk(request), place_of(request)
    word, _, _, flash = CONTROLS.get(part(request, "operation"), CONTROLS["restart"])
    try:
        await desk.ports.control(desk.who, place, word.lower())
    except Problem as problem:
        return await show(request, place, problem)
    return see(place.href, flash)
