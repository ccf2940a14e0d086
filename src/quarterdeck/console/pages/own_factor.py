"""One's own second factor: begun, confirmed, its recovery codes, its end. Secrets are shown in one answer each."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from markupsafe import Markup

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, read_form, status_of
from quarterdeck.console.pages.doors import DOOR
from quarterdeck.console.permissions import SIGNED_IN, needs
from quarterdeck.console.views.account import Enrolment
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

HERE = "/console/me/second-factor"
WRONG = {"second_factor_code_wrong": "code", "password_wrong": "password"}
"""At which field of a form a refusal belongs."""


@get("/me/second-factor", opt=needs(SIGNED_IN))
async def own_factor(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request)


@post("/me/second-factor", opt=needs(SIGNED_IN))
async def begin_factor(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answers the secret itself: an address to come back to would show it twice."""
    desk = await open_desk(request)
    await read_form(request)
    try:
        begun = await desk.ports.begin_factor(desk.who)
    except Problem as problem:
        return await _page(request, problem)
    return await _page(request, enrolment=begun)


@post("/me/second-factor/confirm", opt=needs(SIGNED_IN, rate=DOOR))
async def confirm_factor(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    try:
        codes = await desk.ports.confirm_factor(desk.who, form.get("code", ""))
    except Problem as problem:
        begun = await desk.ports.begun_factor(desk.who, form.get("secret", ""))
        return await _page(request, problem, enrolment=begun)
    return await _page(request, codes=codes)


@post("/me/second-factor/codes", opt=needs(SIGNED_IN, rate=DOOR))
async def renew_codes(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    try:
        codes = await desk.ports.renew_codes(desk.who, form.get("code", ""))
    except Problem as problem:
        return await _page(request, problem, form="renew")
    return await _page(request, codes=codes)


@post("/me/second-factor/off", opt=needs(SIGNED_IN, rate=DOOR))
async def switch_off_factor(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.switch_off_factor(desk.who, password=form.get("password", ""), code=form.get("code", ""))
    return await act(deed, HERE, "factor-off", lambda problem: _page(request, problem, form="off"))


async def _page(
    request: AnyRequest,
    problem: Problem | None = None,
    *,
    form: str = "confirm",
    enrolment: Enrolment | None = None,
    codes: tuple[str, ...] = (),
) -> Response[bytes]:
    """`form` is the one that `problem` belongs to."""
    desk = await open_desk(request)
    view = await desk.ports.sign_in_view(desk.who)
    beside = WRONG.get(problem.code or "") if problem else None
    if form == "confirm" and enrolment is None:
        beside = None

    def wrong(where: str, name: str) -> str:
        return f"{problem.message} {problem.hint or ''}".strip() if problem and (where, name) == (form, beside) else ""

    def code(where: str, label: str, hint: str = "") -> Field:
        more = {"autocomplete": "one-time-code", "maxlength": "32", "spellcheck": "false", "autocapitalize": "none"}
        keys = {"inputmode": "numeric"} if where == "confirm" else {}
        return Field("code", label, required=True, hint=hint, error=wrong(where, "code"), attributes={**more, **keys})

    either = "From your authenticator, or a recovery code."
    return desk.page(
        "pages/own_factor.html",
        here="me",
        crumbs=(Crumb("You", "/console/me"), Crumb("Second factor")),
        problem=None if beside else problem,
        status=status_of(problem) if problem else 200,
        view=view,
        enrolment=enrolment,
        picture=_picture(enrolment) if enrolment else "",
        codes=codes,
        confirm=code("confirm", "Code"),
        renew=code("renew", "Code", either),
        off=code("off", "Code", either),
        password=Field(
            "password",
            "Password",
            kind="password",
            required=True,
            error=wrong("off", "password"),
            attributes={"autocomplete": "current-password"},
        ),
        on_command=commands.FACTOR_ON,
        codes_command=commands.FACTOR_CODES,
        off_command=commands.FACTOR_OFF,
    )


def _picture(enrolment: Enrolment) -> Markup:
    """The QR code as an SVG of its own, dark on white in both themes: scanners want it so."""
    import segno

    made = segno.make(enrolment.address, micro=False)
    text = made.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None)
    return Markup(text)  # noqa: S704 - made of squares


HANDLERS: tuple[Any, ...] = (own_factor, begin_factor, confirm_factor, renew_codes, switch_off_factor)
