"""Coming in by a mail: an invitation, a forgotten password, another address.

A mail's link carries its token behind a `#`, which browsers keep to themselves: the page's script puts it into the
form, and without scripts a person pastes it. So it travels in bodies only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from litestar import Request, Response

from quarterdeck.console.desk import AnyRequest, check_own_page, console_of, note_of, read_form, request_id, status_of
from quarterdeck.console.pages.doors import DOOR, enter
from quarterdeck.console.permissions import PUBLIC, needs
from quarterdeck.console.render import see
from quarterdeck.console.views.shell import Field, Note
from quarterdeck.identity.coming_in import AskedIn
from quarterdeck.identity.passwords import LEAST
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post
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


LINK = Door(
    "accept-invitation",
    "Accept the invitation",
    "Look who asks you in, and where to, before you accept.",
    "Look at the invitation",
    (replace(TOKEN, attributes={**TOKEN.attributes, "data-at-once": ""}),),
)
NAME = Field("name", "Your name", hint="Empty leaves it as it is.", attributes={"autocomplete": "name"})
PASSWORD = Field(
    "password",
    "Password",
    kind="password",
    required=True,
    hint="You have an account here: its password proves that it is you.",
    attributes={"autocomplete": "current-password"},
)
CHOSEN = (
    replace(
        PASSWORD,
        hint=f"Choose one of at least {LEAST} characters. A password manager may make one.",
        attributes={"autocomplete": "new-password", "minlength": str(LEAST)},
    ),
    Field(
        "again",
        "The same password again",
        kind="password",
        required=True,
        attributes={"autocomplete": "new-password"},
    ),
)


def letter(asked: AskedIn) -> Door:
    """An invitation that was looked at: who, where to, and what is asked of somebody who is new or was here before."""
    return Door(
        "accept-invitation",
        f"Join {asked.organization}",
        f"{asked.by or 'Somebody'} asks you into {asked.organization}. Your account here is {asked.email}.",
        "Accept and sign in",
        (replace(TOKEN, kind="hidden"), NAME, *(CHOSEN if asked.new else (PASSWORD,))),
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
    return _page(request, LINK)


@post("/accept-invitation", opt=needs(PUBLIC, rate=DOOR))
async def accepting(request: Request[Any, Any, Any]) -> Response[bytes]:
    """With the token alone it shows the invitation; what is typed there accepts it."""
    form, door, ports = await read_form(request), LINK, console_of(request).ports
    form["token"] = _token(form)
    try:
        check_own_page(request)
        door = letter(await ports.look_at_invitation(form["token"]))
        if "password" not in form:
            return _page(request, door, form)
        if form.get("again", form["password"]) != form["password"]:
            raise Invalid("The two passwords differ.", hint="Type the same one twice.", field="again")
        made = await ports.accept_invitation(
            token=form["token"], name=form.get("name", ""), password=form["password"], request=request
        )
    except Problem as problem:
        return _page(request, door, form, problem)
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
