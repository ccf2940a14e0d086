"""Coming in and going out: sign-in, the first administrator, sign-out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from quarterdeck.console.desk import (
    AnyRequest,
    check_own_page,
    console_of,
    inside,
    note_of,
    open_desk,
    read_form,
    request_id,
    status_of,
)
from quarterdeck.console.door_ports import SignedIn, Step
from quarterdeck.console.permissions import PUBLIC, SIGNED_IN, needs
from quarterdeck.console.render import see
from quarterdeck.console.views.shell import Field
from quarterdeck.identity.passwords import LEAST
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.shared.authentication import COOKIES

DOOR = Rate(20, 60)
"""Attempts of one address a minute."""


@get("/sign-in", opt=needs(PUBLIC))
async def sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    console = console_of(request)
    if (await console.ports.bootstrap()).required:
        return see("/console/first-admin")
    return await sign_in_page(request, {"next": request.query_params.get("next", "")})


async def sign_in_page(
    request: AnyRequest, typed: dict[str, str], problem: Problem | None = None, *, step: str = ""
) -> Response[bytes]:
    """With a `step` the form asks for the one-time code alone. That is asked for only once the password was right:
    the page tells nobody else which accounts have a second factor.
    """
    return console_of(request).renderer.page(
        request,
        "pages/sign_in.html",
        status=status_of(problem) if problem else 401 if step else 200,
        values={
            "host": request.url.netloc,
            "providers": await console_of(request).ports.identity_providers(),
            "next": inside(typed.get("next", "")),
            "problem": note_of(problem, request_id()) if problem else None,
            "step": step,
            "login": typed.get("username", ""),
        },
    )


@post("/sign-in", opt=needs(PUBLIC, rate=DOOR))
async def signing_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    console, form = console_of(request), await read_form(request)
    step = form.get("step", "")
    try:
        check_own_page(request)
        if step:
            code = form.get("totpCode", "").replace(" ", "")
            made = await console.ports.second_step(token=step, code=code, request=request)
        else:
            login, password = form.get("username", ""), form.get("password", "")
            opened = await console.ports.sign_in(login=login, password=password, request=request)
            if isinstance(opened, Step):
                return await sign_in_page(request, form, step=opened.token)
            made = opened
    except Problem as problem:
        return await sign_in_page(request, form, problem, step="" if problem.code == "link_invalid" else step)
    return enter(request, made, inside(form.get("next", "")))


@get("/first-admin", opt=needs(PUBLIC))
async def first_admin(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _first_admin(request, {})


async def _first_admin(request: AnyRequest, typed: dict[str, str], problem: Problem | None = None) -> Response[bytes]:
    console = console_of(request)
    bootstrap = await console.ports.bootstrap()
    if not bootstrap.required:
        return see("/console/sign-in")
    wrong = str(problem.details.get("field", "")) if problem else ""
    fields = [
        Field("name", "Your name", typed.get("name", ""), required=True, attributes={"autocomplete": "name"}),
        Field(
            "email",
            "E-mail",
            typed.get("email", ""),
            kind="email",
            required=True,
            attributes={"autocomplete": "username"},
        ),
        Field(
            "password",
            "Password",
            kind="password",
            required=True,
            hint=f"At least {LEAST} characters. A password manager may make one.",
            attributes={"autocomplete": "new-password", "minlength": str(LEAST)},
        ),
    ]
    if bootstrap.token_required:
        fields.append(
            Field(
                "setupToken",
                "Setup token",
                typed.get("setupToken", ""),
                required=True,
                hint="Printed by the server when it started, where this installation can be reached from elsewhere.",
                attributes={"autocomplete": "off", "spellcheck": "false"},
            )
        )
    shown = [replace(one, error=problem.message) if problem and one.name == wrong else one for one in fields]
    return console.renderer.page(
        request,
        "pages/first_admin.html",
        status=status_of(problem) if problem else 200,
        values={
            "host": request.url.netloc,
            "problem": note_of(problem, request_id()) if problem else None,
            "fields": shown,
        },
    )


@post("/first-admin", opt=needs(PUBLIC, rate=DOOR))
async def making_first_admin(request: Request[Any, Any, Any]) -> Response[bytes]:
    console, form = console_of(request), await read_form(request)
    try:
        check_own_page(request)
        made = await console.ports.first_admin(
            email=form.get("email", ""),
            name=form.get("name", ""),
            password=form.get("password", ""),
            setup_token=form.get("setupToken", ""),
            request=request,
        )
    except Problem as problem:
        return await _first_admin(request, form, problem)
    return enter(request, made, "/console/")


@post("/sign-out", opt=needs(SIGNED_IN))
async def sign_out(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    await desk.ports.sign_out(desk.who)
    answer = see("/console/sign-in", "signed-out")
    for name in COOKIES:
        answer.set_cookie(Cookie(name, value="", path="/", max_age=0))
    return answer


def enter(request: AnyRequest, made: SignedIn, address: str) -> Response[bytes]:
    answer = see(address)
    answer.set_cookie(
        Cookie(
            COOKIES[0],
            value=made.token,
            path="/",
            max_age=made.max_age,
            httponly=True,
            samesite="lax",
            secure=console_of(request).secure(request),
        )
    )
    return answer
