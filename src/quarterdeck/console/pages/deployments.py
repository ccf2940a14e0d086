"""The attempts of a resource, and one of them: phases, log, plan, what differs, and the ways on from it."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

from litestar import Request, Response
from litestar.response import Stream

from quarterdeck.console import commands, words
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, place_of
from quarterdeck.console.pages.plain_logs import plain
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.pages.resource import BASE, LOGS, crumbs_of, tab_page
from quarterdeck.console.permissions import needs
from quarterdeck.console.ports import Place
from quarterdeck.console.views.shell import Crumb, Note, Pages
from quarterdeck.kernel.errors import NotFound, Problem
from quarterdeck.kernel.http.shared_signature import get, post

PAGE, LINES = 30, 5000
ONE = BASE + "/deployments/{number:str}"


def number_of(request: AnyRequest) -> int:
    """The version in an address, `42` or `v42`."""
    text = part(request, "number")
    digits = text.removeprefix("v")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise NotFound(f"There is no deployment {text!r} here.", hint="Versions are numbers, such as v42.")
    return int(digits)


@get(BASE + "/deployments", opt=needs("deploy:deployments.list"))
async def deployments(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place = await open_desk(request), place_of(request)
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    head = await desk.ports.resource_head(desk.who, place)
    rows = await desk.ports.deployments(desk.who, place, before, PAGE + 1)
    shown = rows[:PAGE]
    here = f"{head.href}/deployments"
    return tab_page(
        desk,
        "pages/deployments.html",
        head,
        "/deployments",
        rows=shown,
        pages=Pages(
            older=f"{here}?before={shown[-1].number}" if len(rows) > PAGE else None,
            newer=here if before else None,
        ),
    )


@get(ONE, opt=needs("deploy:deployments.show"))
async def deployment(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await show(request, place_of(request), number_of(request))


async def show(request: AnyRequest, place: Place, number: int, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    head = await desk.ports.resource_head(desk.who, place)
    view = await desk.ports.deployment(desk.who, place, number)
    log = await desk.ports.deployment_log(desk.who, place, number, LINES)
    topics = f"deployment:{place.project}/{place.environment}/{place.resource}/{number}"
    if view.row.active and desk.viewer.may(LOGS):
        topics += f",log:{log.stream}"
    return desk.page(
        "pages/deployment.html",
        here="projects",
        crumbs=crumbs_of(head, Crumb("Deployments", f"{head.href}/deployments"), Crumb(f"v{number}")),
        topics=topics,
        log_after=log.last,
        problem=problem,
        head=head,
        deployment=view,
        log=log,
        command=commands.logs(view.row),
    )


@get(ONE + "/log", opt=needs(LOGS))
async def raw_log(request: Request[Any, Any, Any]) -> Stream:
    """The whole log as plain text, masked as it was stored."""
    desk, place = await open_desk(request), place_of(request)
    pages = await desk.ports.whole_deployment_log(desk.who, place, number_of(request))
    return plain(desk, pages, lambda line: f"{words.machine(line.at)} {line.phase or '-'} {line.text}")


@get(ONE + "/cancel", opt=needs("deploy:deployments.cancel"))
async def ask_cancel(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place = await open_desk(request), place_of(request)
    head = await desk.ports.resource_head(desk.who, place)
    view = await desk.ports.deployment(desk.who, place, number_of(request))
    label = f"v{view.row.number}"
    return ask(
        desk,
        crumbs=crumbs_of(head, Crumb(label, view.row.href), Crumb("Cancel")),
        title=f"Cancel the deployment of {label}?",
        texts=(
            f"What {label} has started so far is stopped and removed. {view.serving_note}.".replace("..", ".")
            if view.serving_note
            else f"What {label} has started so far is stopped and removed.",
        ),
        action=f"{view.row.href}/cancel",
        back=view.row.href,
        keep="Let it finish",
        button="Cancel deployment",
        danger=True,
        blocked="" if view.may_cancel else f"{label} has ended already.",
        command=commands.cancel(view.row),
    )


@post(ONE + "/cancel", opt=needs("deploy:deployments.cancel"))
async def cancel(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place, which = await open_desk(request), place_of(request), number_of(request)
    return await _acted(request, desk.ports.cancel(desk.who, place, which), "canceling")


@get(ONE + "/archive", opt=needs("deploy:deployments.archive"))
async def ask_archive(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place = await open_desk(request), place_of(request)
    head = await desk.ports.resource_head(desk.who, place)
    view = await desk.ports.deployment(desk.who, place, number_of(request))
    label = f"v{view.row.number}"
    return ask(
        desk,
        crumbs=crumbs_of(head, Crumb(label, view.row.href), Crumb("Archive")),
        title=f"Archive {label}?",
        texts=(
            f"{label} goes out of the history. What serves is not touched.",
            "Its page and its log stay until they are pruned.",
        ),
        action=f"{view.row.href}/archive",
        back=view.row.href,
        keep="Leave it",
        button=f"Archive {label}",
        blocked=f"{label} has not ended." if view.row.active else "",
        command=commands.archive_deployment(view.row),
    )


@post(ONE + "/archive", opt=needs("deploy:deployments.archive"))
async def archive(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place, which = await open_desk(request), place_of(request), number_of(request)
    deed, refused = desk.ports.archive_deployment(desk.who, place, which), partial(show, request, place, which)
    return await act(deed, f"{place.href}/deployments", "deployment-archived", refused)


@post(ONE + "/retry", opt=needs("deploy:deployments.retry"))
async def retry(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place, which = await open_desk(request), place_of(request), number_of(request)
    return await _acted(request, desk.ports.retry(desk.who, place, which), "retrying")


@get(ONE + "/rollback", opt=needs("deploy:deployments.rollback"))
async def ask_rollback(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What comes back, what differs from today, and what is not rolled back."""
    desk, place = await open_desk(request), place_of(request)
    head = await desk.ports.resource_head(desk.who, place)
    plan = await desk.ports.rollback_plan(desk.who, place, number_of(request))
    label = f"v{plan.target.number}"
    differing = words.counted(len(plan.differences), "value differs", "values differ")
    current = f"v{plan.current.number}" if plan.current else ""
    return ask(
        desk,
        crumbs=crumbs_of(head, Crumb(label, plan.target.href), Crumb("Roll back")),
        title=f"Roll {head.project_name} / {head.name} back to {label}?",
        notes=(
            Note(
                "warn",
                f"{label} brings back {plan.image or 'its exact build'} and the configuration it ran with.",
                " ".join((*plan.kept, f"{differing} from today." if plan.differences else "Nothing else differs.")),
            ),
        ),
        texts=(f"{current} keeps serving until {label} is healthy.",) if current else (),
        differences=plan.differences,
        action=f"{plan.target.href}/rollback",
        back=head.href,
        keep=f"Keep {current}" if current else "Leave it",
        button=f"Roll back to {label}",
        blocked=plan.blocked,
        command=commands.rollback(head, plan.target, plan.latest),
    )


@post(ONE + "/rollback", opt=needs("deploy:deployments.rollback"))
async def roll_back(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place, which = await open_desk(request), place_of(request), number_of(request)
    return await _acted(request, desk.ports.roll_back(desk.who, place, which), "rolling-back")


async def _acted(request: AnyRequest, deed: Awaitable[int | None], flash: str) -> Response[bytes]:
    """Lead to the deployment that was made, else to the one that something was done to."""
    place, which = place_of(request), number_of(request)
    refused = partial(show, request, place, which)
    return await act(deed, lambda made: f"{place.href}/deployments/{made or which}", flash, refused)
