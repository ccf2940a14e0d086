"""Infrastructure jobs: the list, one of them with its log, cancelling, doing it once more, choosing its runner."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.response import Stream

from quarterdeck.console import infra_commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form
from quarterdeck.console.pages.infra_specs import HERE, number
from quarterdeck.console.pages.plain_logs import plain
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.infra import JOBS
from quarterdeck.console.views.infra_jobs import DEEDS, InfraJobsAsked
from quarterdeck.console.views.shell import Crumb, Pages
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, CANCEL = "infra:jobs.view", "infra:jobs.cancel"
LIST = Crumb("Jobs", JOBS)
JOB = "/infra/jobs/{job:str}"
PAGE, LINES = 30, 5000
STATUSES = ("queued", "claimed", "processing", "success", "failed", "cancelled")


@get("/infra/jobs", opt=needs(VIEW))
async def jobs(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, query = await open_desk(request), request.query_params
    status, kind = query.get("status", ""), query.get("type", "")
    asked = InfraJobsAsked(
        status=status.upper() if status in STATUSES else "",
        job_type=kind if kind in DEEDS else "",
        spec=query.get("spec", "")[:64],
        words=query.get("q", "")[:200].strip(),
        mine=query.get("mine") == "yes",
        offset=min(number(query.get("from", "")), 1_000_000),
    )
    view = await desk.ports.infra_jobs(desk.who, asked, PAGE)
    filters = {"status": asked.status.lower(), "type": asked.job_type, "spec": asked.spec, "q": asked.words,
               "mine": "yes" if asked.mine else ""}  # fmt: skip
    narrowed = any(filters.values()) or asked.offset > 0
    return desk.page(
        "pages/infra_jobs.html",
        here="infra",
        crumbs=(HERE, Crumb("Jobs")),
        topics="" if narrowed else "infra-jobs",
        view=view,
        rows=view.rows,
        asked=filters,
        narrowed=narrowed,
        statuses=STATUSES,
        types=tuple(DEEDS.items()),
        pages=_turn(filters, asked.offset, view.total),
        command=infra_commands.list_jobs(asked.status),
    )


def _turn(filters: dict[str, str], offset: int, total: int) -> Pages:
    kept = {name: value for name, value in filters.items() if value}

    def at(start: int) -> str:
        query = urlencode({**kept, **({"from": start} if start else {})})
        return f"{JOBS}?{query}" if query else JOBS

    return Pages(
        older=at(offset + PAGE) if offset + PAGE < total else None,
        newer=at(max(offset - PAGE, 0)) if offset else None,
    )


@get(JOB, opt=needs(VIEW))
async def job(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _job(request)


async def _job(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_job(desk.who, part(request, "job"), LINES)
    topics = f"infra-job:{view.row.uid},log:{view.log.stream}" if view.row.live else ""
    return desk.page(
        "pages/infra_job.html",
        here="infra",
        crumbs=(HERE, LIST, Crumb(f"{view.row.title} {view.row.about[0]}")),
        topics=topics,
        log_after=view.log.last,
        problem=problem,
        view=view,
        log=view.log,
        command=infra_commands.job(view.row, "logs"),
    )


@get(JOB + "/log", opt=needs(VIEW))
async def raw_log(request: Request[Any, Any, Any]) -> Stream:
    desk = await open_desk(request)
    pages = await desk.ports.whole_infra_log(desk.who, part(request, "job"))
    return plain(desk, pages, lambda line: line.text)


@get(JOB + "/cancel", opt=needs(CANCEL))
async def ask_cancel_infra_job(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _cancelling(request)


async def _cancelling(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_job(desk.who, part(request, "job"), 0)
    row = view.row
    risky = ("It may be changing resources now. Terraform is told to stop and given time to end by itself; "
             "what it has made by then may be in no state.")  # fmt: skip
    return ask(
        desk,
        here="infra",
        crumbs=(HERE, LIST, Crumb(f"{row.title} {row.about[0]}", row.href), Crumb("Cancel")),
        failed=failed,
        title=f"Cancel: {row.title.lower()} {row.about[0]}?",
        texts=(risky if view.confirm else "Nothing was changed by it. It can be asked for again.",),
        action=f"{row.href}/cancel",
        back=row.href,
        keep="Let it go on",
        button="Cancel job",
        danger=True,
        must_equal=view.confirm,
        blocked="" if view.may_cancel else "It has ended, or it is for others to cancel.",
        command=infra_commands.job(row, "cancel"),
    )


@post(JOB + "/cancel", opt=needs(CANCEL))
async def cancel_infra_job(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "job")
    deed = desk.ports.cancel_infra_job(desk.who, uid, form.get("reason", ""), form.get("confirmation", ""))
    return await act(deed, f"{JOBS}/{uid}", "infra-job-canceled", partial(_cancelling, request))


@post(JOB + "/rerun", opt=needs(VIEW))
async def rerun(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid = await open_desk(request), part(request, "job")
    deed = desk.ports.rerun_infra_job(desk.who, uid)
    return await act(deed, lambda made: f"{JOBS}/{made}", "infra-job-again", partial(_job, request))


@post(JOB + "/pin", opt=needs(VIEW))
async def pin(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "job")
    deed = desk.ports.pin_infra_job(desk.who, uid, form.get("runner", ""))
    return await act(deed, f"{JOBS}/{uid}", "infra-job-pinned", partial(_job, request))


HANDLERS: tuple[Any, ...] = (jobs, job, raw_log, ask_cancel_infra_job, cancel_infra_job, rerun, pin)
