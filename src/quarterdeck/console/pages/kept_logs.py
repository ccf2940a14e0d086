"""Lines of a runtime that are kept beyond their time: one of them, the form that keeps some, and their end."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands, words
from quarterdeck.console.desk import AnyRequest, Desk, act, open_desk, part, place_of, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.pages.resource import BASE, crumbs_of, tab_page, topic_of
from quarterdeck.console.permissions import needs
from quarterdeck.console.ports import Place
from quarterdeck.console.render import secure_headers, see
from quarterdeck.console.views.resources import KeptRow, ResourceHead
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post

LINES, MOST = 5000, 50
COUNTS = tuple((str(count), f"The last {count:,} lines") for count in (100, 500, 1000))
AGES = (*((str(days), f"more than {days} days ago") for days in (30, 90, 365)), ("0", "at any time"))


async def show_logs(
    request: AnyRequest, place: Place, problem: Problem | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    """The tab: what the running thing says, and below it what is kept."""
    desk = await open_desk(request)
    head = await desk.ports.resource_head(desk.who, place)
    log = await desk.ports.runtime_log(desk.who, place, LINES)
    topics = topic_of(head) + (f",log:{log.stream}" if log and not log.ended else "")
    return tab_page(
        desk,
        "pages/logs.html",
        head,
        "/logs",
        problem,
        topics=topics,
        log_after=log.last if log else 0,
        log=log,
        kept=await _kept(desk, place),
        fields=_fields(typed or {}, problem),
        ages=AGES,
        command=commands.logs_of(head),
        keep_command=commands.keep_log(head),
    )


async def _kept(desk: Desk, place: Place) -> tuple[KeptRow, ...]:
    may = desk.viewer.may("deploy:resources.runtime-log-archives.list")
    return await desk.ports.kept_logs(desk.who, place, MOST) if may else ()


def _fields(typed: dict[str, str], problem: Problem | None) -> tuple[Field, ...]:
    wrong = problem.details.get("field") if problem else None
    return (
        Field("lines", "What is kept", typed.get("lines", "1000"), kind="select", choices=COUNTS, required=True,
              error=problem.message if problem and wrong == "lines" else ""),
        Field("reason", "Why", typed.get("reason", ""), placeholder="the failed sale",
              error=problem.message if problem and wrong == "reason" else ""),
        Field("service", "Service", typed.get("service", ""), hint="Of a stack. All of them if left empty."),
    )  # fmt: skip


@post(BASE + "/logs/keep", opt=needs("deploy:resources.runtime-logs.archive"))
async def keep(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, place = await open_desk(request), await read_form(request), place_of(request)
    deed = desk.ports.keep_log(
        desk.who,
        place,
        lines=form.get("lines", ""),
        service=form.get("service", ""),
        reason=form.get("reason", ""),
    )
    return await act(
        deed,
        lambda made: f"{place.href}/logs/kept/{made}",
        "lines-kept",
        lambda problem: show_logs(request, place, problem, form),
    )


@get(BASE + "/logs/kept/{ref:str}", opt=needs("deploy:resources.runtime-log-archives.show"))
async def kept_log(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, place, ref = await open_desk(request), place_of(request), part(request, "ref")
    head = await desk.ports.resource_head(desk.who, place)
    row, log = await desk.ports.kept_log(desk.who, place, ref)
    return desk.page(
        "pages/kept_log.html",
        here="projects",
        crumbs=_crumbs(head, "Kept lines"),
        head=head,
        row=row,
        log=log,
        raw=f"{head.href}/logs/kept/{row.ref}/raw",
        command=commands.kept_log(row),
    )


@get(BASE + "/logs/kept/{ref:str}/raw", opt=needs("deploy:resources.runtime-log-archives.show"))
async def raw_kept_log(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    _, log = await desk.ports.kept_log(desk.who, place_of(request), part(request, "ref"))
    text = "".join(f"{words.machine(line.at)} {line.text}\n" for line in log.lines)
    return Response(
        text.encode(),
        media_type="text/plain; charset=utf-8",
        headers=secure_headers(desk.console.renderer.ids.token(12)),
    )


@get(BASE + "/logs/delete-kept", opt=needs("deploy:resources.runtime-log-archives.prune"))
async def ask_delete_kept(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _ask_delete(request, request.query_params.get("days", ""))


def _days(text: str) -> int:
    if text not in dict(AGES):
        raise Invalid(f"{text[:20]!r} is no age of the list.", hint="Choose one of the list.", field="days")
    return int(text)


async def _ask_delete(request: AnyRequest, days: str, failed: Problem | None = None) -> Response[bytes]:
    desk, place = await open_desk(request), place_of(request)
    head = await desk.ports.resource_head(desk.who, place)
    count = await desk.ports.old_kept_logs(desk.who, place, _days(days))
    return ask(
        desk,
        crumbs=_crumbs(head, "Delete"),
        failed=failed,
        title=f"Delete kept lines of {head.project_name} / {head.name}?",
        texts=(
            f"{words.spelt(count, 'archive')}, kept {dict(AGES)[days]}. Nobody can have these lines back.",
            "The log of what runs is not touched.",
        ),
        action=f"{head.href}/logs/delete-kept",
        back=f"{head.href}/logs",
        keep="Keep them",
        button="Delete kept lines",
        danger=True,
        must_equal=head.slug,
        blocked="" if count else "Nothing was kept before then.",
        hidden={"days": days},
        command=commands.delete_kept_logs(head, days),
    )


@post(BASE + "/logs/delete-kept", opt=needs("deploy:resources.runtime-log-archives.prune"))
async def delete_kept(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, place = await open_desk(request), await read_form(request), place_of(request)
    days = form.get("days", "")
    try:
        await desk.ports.delete_kept_logs(desk.who, place, _days(days), form.get("confirmation", ""))
    except Problem as problem:
        return await _ask_delete(request, days, problem)
    return see(f"{place.href}/logs", "lines-deleted")


def _crumbs(head: ResourceHead, last: str) -> tuple[Crumb, ...]:
    return crumbs_of(head, Crumb("Logs", f"{head.href}/logs"), Crumb(last))


HANDLERS: tuple[Any, ...] = (keep, kept_log, raw_kept_log, ask_delete_kept, delete_kept)
