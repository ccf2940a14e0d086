"""Coming in through an identity provider, and connecting one to one's own account."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from quarterdeck.console.desk import AnyRequest, console_of, inside, open_desk, part, read_form
from quarterdeck.console.pages.doors import DOOR, enter, sign_in_page
from quarterdeck.console.pages.me import me_page
from quarterdeck.console.permissions import PUBLIC, SIGNED_IN, needs
from quarterdeck.console.render import see
from quarterdeck.console.views.shell import Crumb
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

COOKIE = "qd_sign_in"
MINUTES = 10


@get("/sign-in/{provider:str}", opt=needs(PUBLIC, rate=DOOR))
async def begin(request: Request[Any, Any, Any]) -> Response[bytes]:
    wanted = inside(request.query_params.get("next", ""))
    try:
        begun = await console_of(request).ports.begin_external(
            part(request, "provider"), back=_callback(request), address=wanted, member=None
        )
    except Problem as problem:
        return await sign_in_page(request, {"next": wanted}, problem)
    answer = see(begun.address)
    _keep(request, answer, begun.browser)
    return answer


@get("/sign-in/{provider:str}/callback", opt=needs(PUBLIC, rate=DOOR))
async def callback(request: Request[Any, Any, Any]) -> Response[bytes]:
    try:
        done = await console_of(request).ports.finish_external(
            part(request, "provider"),
            back=_callback(request),
            answer={name: value for name, value in request.query_params.items() if isinstance(value, str)},
            browser=request.cookies.get(COOKIE, ""),
            request=request,
        )
    except Problem as problem:
        answer = await sign_in_page(request, {}, problem)
    else:
        address = inside(done.address)
        answer = enter(request, done.signed_in, address) if done.signed_in else see(address, "connected")
    _keep(request, answer, "")
    return answer


@post("/me/accounts/{provider:str}/connect", opt=needs(SIGNED_IN, rate=DOOR))
async def connect(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answers a page with the way to the provider: a form of ours may lead nowhere else (`form-action 'self'`)."""
    desk = await open_desk(request)
    await read_form(request)
    try:
        begun = await desk.ports.begin_external(
            part(request, "provider"), back=_callback(request), address="/console/me", member=desk.who
        )
    except Problem as problem:
        return await me_page(request, problem)
    answer = desk.page(
        "pages/connect.html", here="me", crumbs=(Crumb("You", "/console/me"), Crumb("Connect")), begun=begun
    )
    _keep(request, answer, begun.browser)
    return answer


@post("/me/accounts/{ref:str}/disconnect", opt=needs(SIGNED_IN))
async def disconnect(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    try:
        await desk.ports.disconnect_external(desk.who, part(request, "ref"))
    except Problem as problem:
        return await me_page(request, problem)
    return see("/console/me", "disconnected")


def _callback(request: AnyRequest) -> str:
    public = console_of(request).public_url or str(request.base_url)
    return f"{public.rstrip('/')}/console/sign-in/{part(request, 'provider')}/callback"


def _keep(request: AnyRequest, answer: Response[bytes], browser: str) -> None:
    """Which browser asked, for as long as it may take; nothing takes it away."""
    answer.set_cookie(
        Cookie(
            COOKIE,
            value=browser,
            path="/console/sign-in",
            max_age=60 * MINUTES if browser else 0,
            httponly=True,
            samesite="lax",
            secure=console_of(request).secure(request),
        )
    )
