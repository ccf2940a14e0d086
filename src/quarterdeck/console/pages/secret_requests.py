"""Requests for secrets: the inbox, one of them, what is said of it, and the values that are given out once."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import secret_commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form, status_of
from quarterdeck.console.pages.ledger import turn
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import SIGNED_IN, needs
from quarterdeck.console.render import secure_headers
from quarterdeck.console.views.secrets import (
    BOXES,
    FAMILY,
    REQUESTS,
    SECRETS,
    RequestsAsked,
    RequestView,
)
from quarterdeck.console.views.shell import Crumb
from quarterdeck.kernel.errors import Forbidden, Problem
from quarterdeck.kernel.http.shared_signature import get, post

HERE = Crumb("Secrets", SECRETS)
ANYBODY = needs(SIGNED_IN, narrowed=FAMILY)
"""Grants may be narrowed: the room decides, which knows what a request is about."""
APPROVE = "broker:secret.approve"
REQUEST = "/secrets/requests/{asked:str}"
PAGE = 50
STATUSES = ("pending", "approved", "executed", "rejected", "cancelled", "expired", "failed")
ASKED_BY_SCRIPT = "x-console-reveal"


@get("/secrets", opt=ANYBODY)
async def requests(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, query = await open_desk(request), request.query_params
    usual = "" if desk.viewer.may_somewhere(APPROVE) else "mine"
    box = query.get("box", usual)
    box = box if box in BOXES else usual
    status = query.get("status", "") if box in {"mine", "all"} else ""
    status = status if status in STATUSES else ""
    before = query.get("before", "")[:64]
    view = await desk.ports.secret_requests(desk.who, RequestsAsked(box, status, before), PAGE)
    return desk.page(
        "pages/secrets.html",
        here="secrets",
        crumbs=(Crumb("Secrets"),),
        topics="" if box else "secrets",
        view=view,
        box=box,
        boxes=tuple(BOXES.items()),
        chosen=status,
        statuses=STATUSES,
        pages=turn(SECRETS, view.older, before, box=box, status=status),
        command=secret_commands.list_requests(),
    )


@get(REQUEST, opt=ANYBODY)
async def request_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await shown(request)


async def shown(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.secret_request(desk.who, uid_of(request))
    return desk.page(
        "pages/secret_request.html",
        here="secrets",
        crumbs=crumbs_of(view),
        topics=f"secret-request:{view.row.uid}",
        problem=problem,
        view=view,
        command=secret_commands.request(view),
        deciding=secret_commands.request(view, "approve"),
        fetching=secret_commands.values(view),
    )


def uid_of(request: AnyRequest) -> str:
    return part(request, "asked")


def crumbs_of(view: RequestView, *more: str) -> tuple[Crumb, ...]:
    return (HERE, Crumb(view.row.ref, view.row.href), *(Crumb(word) for word in more))


@post(REQUEST + "/say", opt=ANYBODY)
async def say(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Agree, or refuse: what is said counts once."""
    desk, form, uid = await open_desk(request), await read_form(request), uid_of(request)
    agree = form.get("deed") == "approve"
    deed = desk.ports.say_of_secret_request(desk.who, uid, agree=agree, comment=form.get("comment", ""))
    flash = "secret-approved" if agree else "secret-refused"
    return await act(deed, f"{REQUESTS}/{uid}", flash, partial(shown, request))


@post(REQUEST + "/review", opt=ANYBODY)
async def review(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), uid_of(request)
    deed = desk.ports.review_secret_request(desk.who, uid, form.get("comment", ""))
    return await act(deed, f"{REQUESTS}/{uid}", "secret-reviewed", partial(shown, request))


@get(REQUEST + "/cancel", opt=ANYBODY)
async def ask_cancel(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _cancelling(request)


async def _cancelling(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.secret_request(desk.who, uid_of(request))
    return ask(
        desk,
        here="secrets",
        crumbs=crumbs_of(view, "Take it back"),
        failed=failed,
        title=f"Take back the request for {view.row.ref}?",
        texts=("Nobody can approve it any more, and values that wait for it are removed.",),
        action=f"{view.row.href}/cancel",
        back=view.row.href,
        keep="Leave it",
        button="Take it back",
        danger=True,
        blocked="" if view.may_cancel else "It has ended, is being carried out, or is somebody else's.",
        command=secret_commands.request(view, "cancel"),
    )


@post(REQUEST + "/cancel", opt=ANYBODY)
async def cancel(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid = await open_desk(request), uid_of(request)
    await read_form(request)
    deed = desk.ports.cancel_secret_request(desk.who, uid)
    return await act(deed, f"{REQUESTS}/{uid}", "secret-taken-back", partial(_cancelling, request))


@post(REQUEST + "/values/{wrap:str}", opt=ANYBODY)
async def reveal(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A value, once, to the script of the page: it stands in no document that a browser keeps. A form that is sent
    without the script is refused before anything is given out.
    """
    desk, uid = await open_desk(request), uid_of(request)
    try:
        if ASKED_BY_SCRIPT not in request.headers:
            raise Forbidden(
                "Values are shown by a script alone, which removes them again.",
                hint="Switch scripts on for this page, or fetch the value with a program. Nothing was given out.",
            )
        given = await desk.ports.reveal_secret(desk.who, uid, part(request, "wrap"))
    except Problem as problem:
        said = {"error": problem.message, "hint": problem.hint or "", "code": problem.code or ""}
        return _told(said, status_of(problem))
    told = {"key": given.key, "value": given.value, "encoding": given.encoding, "sealed": given.sealed}
    return _told(told, 200)


def _told(said: dict[str, Any], status: int) -> Response[bytes]:
    headers = secure_headers("none") | {"Cache-Control": "no-store"}
    return Response(json.dumps(said).encode(), status_code=status, media_type="application/json", headers=headers)


HANDLERS: tuple[Any, ...] = (requests, request_page, say, review, ask_cancel, cancel, reveal)
