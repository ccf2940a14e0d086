"""The views across the rooms: jobs."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any, get_args
from urllib.parse import urlencode

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.ledger import JobView
from quarterdeck.console.views.shell import Crumb, Pages
from quarterdeck.kernel.audit import Outcome
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post
from quarterdeck.kernel.jobs import State

PAGE = 50
STATES = tuple(one.value for one in State)
OUTCOMES: tuple[str, ...] = get_args(Outcome)


@get("/jobs", opt=needs("deploy:operator-work.list"))
async def jobs(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    state, before = request.query_params.get("state", ""), request.query_params.get("before", "")
    state = state if state in STATES else ""
    view = await desk.ports.jobs(desk.who, state=state, before=before, limit=PAGE)
    return desk.page(
        "pages/jobs.html",
        here="jobs",
        crumbs=(Crumb("Jobs"),),
        topics="" if before or state else "jobs",
        view=view,
        state=state,
        states=STATES,
        command=commands.list_work(state),
        pages=turn("/console/jobs", view.older, before, state=state),
    )


@get("/jobs/{ref:str}", opt=needs("deploy:operator-work.show"))
async def job(request: Request[Any, Any, Any]) -> Response[bytes]:
    ref = part(request, "ref")
    return await _job(request, ref)


async def _job(request: AnyRequest, ref: str, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.job(desk.who, ref)
    return desk.page(
        "pages/job.html",
        here="jobs",
        crumbs=(Crumb("Jobs", "/console/jobs"), Crumb(view.row.kind)),
        problem=problem,
        view=view,
        command=commands.work(view.row, "show"),
    )


async def _acted(request: AnyRequest, deed: Awaitable[str | None], flash: str) -> Response[bytes]:
    """Lead to the job that was made, else to the one that something was done to."""
    ref = part(request, "ref")
    return await act(deed, lambda made: f"/console/jobs/{made or ref}", flash, partial(_job, request, ref))


@post("/jobs/{ref:str}/cancel", opt=needs("deploy:operator-work.cancel"))
async def cancel_job(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref = await open_desk(request), part(request, "ref")
    return await _acted(request, desk.ports.cancel_job(desk.who, ref), "job-canceled")


@post("/jobs/{ref:str}/retry", opt=needs("deploy:operator-work.retry"))
async def retry_job(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref = await open_desk(request), part(request, "ref")
    return await _acted(request, desk.ports.retry_job(desk.who, ref), "job-retried")


@get("/jobs/{ref:str}/recover", opt=needs("deploy:operator-work.mark-recovered"))
async def ask_recover(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.job(desk.who, part(request, "ref"))
    return ask(
        desk,
        here="jobs",
        crumbs=_crumbs(view, "Mark as recovered"),
        title=f"Mark “{view.row.kind}” as recovered?",
        texts=("It counts as done from now on. Nothing is run, and what it is about is not touched.",),
        reason="What you have done instead",
        action=f"{view.row.href}/recover",
        back=view.row.href,
        keep="Leave it",
        button="Mark as recovered",
        blocked="" if view.may_recover else "Only work that failed can be marked as recovered.",
        command=commands.work(view.row, "recover"),
    )


@post("/jobs/{ref:str}/recover", opt=needs("deploy:operator-work.mark-recovered"))
async def recover(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref = await open_desk(request), part(request, "ref")
    reason = (await read_form(request)).get("reason", "")
    return await _acted(request, desk.ports.recover_job(desk.who, ref, reason), "job-recovered")


@get("/jobs/{ref:str}/give-up", opt=needs("deploy:operator-work.dead-letter"))
async def ask_give_up(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.job(desk.who, part(request, "ref"))
    return ask(
        desk,
        here="jobs",
        crumbs=_crumbs(view, "Give up"),
        title=f"Give “{view.row.kind}” up?",
        texts=("It is not tried again. What it has left behind stays until somebody clears it away.",),
        reason="Why",
        action=f"{view.row.href}/give-up",
        back=view.row.href,
        keep="Leave it",
        button="Give it up",
        danger=True,
        blocked="" if view.may_give_up else "Only work that failed can be given up.",
        command=commands.work(view.row, "dead-letter"),
    )


@post("/jobs/{ref:str}/give-up", opt=needs("deploy:operator-work.dead-letter"))
async def give_up(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref = await open_desk(request), part(request, "ref")
    reason = (await read_form(request)).get("reason", "")
    return await _acted(request, desk.ports.give_up_job(desk.who, ref, reason), "job-given-up")


def _crumbs(view: JobView, deed: str) -> tuple[Crumb, ...]:
    return (Crumb("Jobs", "/console/jobs"), Crumb(view.row.kind, view.row.href), Crumb(deed))


def turn(base: str, older: str | None, before: str, **filters: str) -> Pages:
    """Neighbours of a keyset page, with the filters kept in the address."""
    kept = {name: value for name, value in filters.items() if value}
    first = base + ("?" + urlencode(kept) if kept else "")
    return Pages(
        older=f"{base}?{urlencode({**kept, 'before': older})}" if older else None, newer=first if before else None
    )
