"""Coming in by a mail: an invitation, a forgotten password, another address.

A mail's link carries its token behind a `#`, which browsers keep to themselves: the page's script puts it into the
form, and without scripts a person pastes it. So it travels in bodies only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from litestar import Request, Response, get, post

from quarterdeck.console.desk import AnyRequest, check_own_page, console_of, note_of, read_form, request_id, status_of
from quarterdeck.console.pages.doors import DOOR, enter
from quarterdeck.console.permissions import PUBLIC, needs
from quarterdeck.console.render import see
from quarterdeck.console.views.shell import Field, Note
from quarterdeck.identity.passwords import LEAST
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.limits import Rate

MAILS = Rate(3, 60)
"""Mails that one address may ask for a minute, as over the API."""
TOKEN = Field(
    "token",
    "Link or token from the mail",
    required=True,
    hint="Paste the whole link, or what stands behind its #.",
    attributes={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "data-from-link": ""},
)
SENT = Note(
    "good",
    "If somebody has this address here, a link is on its way to it.",
    "It is good for one hour and once. Look among the unwanted mails too.",
)
NO_MAIL = Note(
    "warn",
    "Nobody is written to: this installation has no mail server.",
    "Ask an administrator for a new password, or whoever runs the server: quarterdeck admin reset-password NAME.",
)


@dataclass(frozen=True, slots=True)
class Door:
    """What stands on one of these pages; `path` is behind `/console/`."""

    path: str
    title: str
    text: str
    button: str
    fields: tuple[Field, ...]


INVITATION = Door(
    "accept-invitation",
    "Accept the invitation",
    "Somebody asked you in. The mail says who.",
    "Accept and sign in",
    (
        TOKEN,
        Field("name", "Your name", hint="Empty leaves it as it is.", attributes={"autocomplete": "name"}),
        Field(
            "password",
            "Password",
            kind="password",
            required=True,
            hint=f"New here: choose one of at least {LEAST} characters. With an account here: the one you have.",
            attributes={"autocomplete": "new-password"},
        ),
    ),
)
RESET = Door(
    "reset-password",
    "Choose a new password",
    "Every session of yours ends with it.",
    "Set password",
    (
        TOKEN,
        Field(
            "password",
            "New password",
            kind="password",
            required=True,
            hint=f"At least {LEAST} characters. A password manager may make one.",
            attributes={"autocomplete": "new-password", "minlength": str(LEAST)},
        ),
    ),
)
ADDRESS = Door(
    "confirm-address",
    "Confirm your address",
    "Your account is reached by this address from then on.",
    "Confirm",
    (TOKEN,),
)
FORGOTTEN = Door(
    "forgot-password",
    "Forgot your password?",
    "A link to a new one is sent to your address.",
    "Send the link",
    (
        Field(
            "email",
            "E-mail",
            kind="email",
            required=True,
            attributes={"autocomplete": "username", "autocapitalize": "none"},
        ),
    ),
)


@get("/accept-invitation", opt=needs(PUBLIC))
async def invitation(request: Request[Any, Any, Any]) -> Response[bytes]:
    return _page(request, INVITATION)


@post("/accept-invitation", opt=needs(PUBLIC, rate=DOOR))
async def accepting(request: Request[Any, Any, Any]) -> Response[bytes]:
    form = await read_form(request)
    try:
        check_own_page(request)
        made = await console_of(request).ports.accept_invitation(
            token=_token(form), name=form.get("name", ""), password=form.get("password", ""), request=request
        )
    except Problem as problem:
        return _page(request, INVITATION, form, problem)
    return enter(request, made, "/console/") if made else see("/console/sign-in", "invitation-accepted")


@get("/reset-password", opt=needs(PUBLIC))
async def new_password(request: Request[Any, Any, Any]) -> Response[bytes]:
    return _page(request, RESET)


@post("/reset-password", opt=needs(PUBLIC, rate=DOOR))
async def resetting(request: Request[Any, Any, Any]) -> Response[bytes]:
    form = await read_form(request)
    try:
        check_own_page(request)
        await console_of(request).ports.reset_password(token=_token(form), password=form.get("password", ""))
    except Problem as problem:
        return _page(request, RESET, form, problem)
    return see("/console/sign-in", "password-reset")


@get("/confirm-address", opt=needs(PUBLIC))
async def new_address(request: Request[Any, Any, Any]) -> Response[bytes]:
    return _page(request, ADDRESS)


@post("/confirm-address", opt=needs(PUBLIC, rate=DOOR))
async def confirming(request: Request[Any, Any, Any]) -> Response[bytes]:
    form = await read_form(request)
    try:
        check_own_page(request)
        await console_of(request).ports.confirm_address(token=_token(form))
    except Problem as problem:
        return _page(request, ADDRESS, form, problem)
    return see("/console/sign-in", "address-confirmed")


@get("/forgot-password", opt=needs(PUBLIC))
async def forgotten(request: Request[Any, Any, Any]) -> Response[bytes]:
    return _page(request, await _forgotten(request))


@post("/forgot-password", opt=needs(PUBLIC, rate=MAILS))
async def asking(request: Request[Any, Any, Any]) -> Response[bytes]:
    ports, form, door = console_of(request).ports, await read_form(request), await _forgotten(request)
    try:
        check_own_page(request)
        if await ports.sends_mail():
            await ports.forgot_password(email=form.get("email", ""), request=request)
    except Problem as problem:
        return _page(request, door, form, problem)
    return _page(request, door, form, note=SENT)


async def _forgotten(request: AnyRequest) -> Door:
    """Without a mail server it asks for nothing."""
    return FORGOTTEN if await console_of(request).ports.sends_mail() else replace(FORGOTTEN, text="", fields=())


def _token(form: dict[str, str]) -> str:
    """What stands behind the `#` of a link, or the token alone."""
    return form.get("token", "").rpartition("#")[2]


def _page(
    request: AnyRequest,
    door: Door,
    typed: dict[str, str] | None = None,
    problem: Problem | None = None,
    *,
    note: Note | None = None,
) -> Response[bytes]:
    wrong = str(problem.details.get("field", "")) if problem else ""
    fields = [
        replace(
            one,
            value=(typed or {}).get(one.name, "") if one.kind != "password" else "",
            error=problem.message if problem and one.name == wrong else "",
        )
        for one in door.fields
    ]
    shown = note_of(problem, request_id()) if problem else note
    return console_of(request).renderer.page(
        request,
        "pages/by_mail.html",
        status=status_of(problem) if problem else 200,
        values={"door": door, "fields": fields, "shown": shown if door.fields else NO_MAIL},
    )
