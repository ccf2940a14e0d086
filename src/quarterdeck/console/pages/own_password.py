"""Changing one's own password."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, read_form
from quarterdeck.console.pages.doors import DOOR
from quarterdeck.console.permissions import SIGNED_IN, needs
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post

HERE = "/console/me/password"


@get("/me/password", opt=needs(SIGNED_IN))
async def own_password(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request)


@post("/me/password", opt=needs(SIGNED_IN, rate=DOOR))
async def change_password(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    new = form.get("password", "")

    async def deed() -> None:
        if new != form.get("passwordAgain", ""):
            raise Invalid("The two are not the same.", hint="Type the new one twice.", field="passwordAgain")
        await desk.ports.change_password(desk.who, present=form.get("currentPassword", ""), new=new)

    return await act(deed(), HERE, "password-changed", lambda problem: _page(request, problem))


async def _page(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.sign_in_view(desk.who)
    beside = str(problem.details.get("field", "")) if problem else ""
    if problem is not None and problem.code == "password_wrong":
        beside = "currentPassword"

    def one(name: str, label: str, use: str, hint: str = "") -> Field:
        wrong = problem.message if problem and name == beside else ""
        told = problem.hint if problem and wrong and problem.hint else hint
        return Field(
            name, label, kind="password", required=True, error=wrong, hint=told, attributes={"autocomplete": use}
        )

    fields = (
        one("currentPassword", "Current password", "current-password"),
        one("password", "New password", "new-password", "10 to 512 characters. A password manager may make one."),
        one("passwordAgain", "New password again", "new-password"),
    )
    return desk.page(
        "pages/own_password.html",
        here="me",
        crumbs=(Crumb("You", "/console/me"), Crumb("Password")),
        problem=None if beside in {field.name for field in fields} else problem,
        status=400 if problem else 200,
        view=view,
        fields=fields,
        command=commands.OWN_PASSWORD,
    )


HANDLERS: tuple[Any, ...] = (own_password, change_password)
