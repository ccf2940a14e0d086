"""What the reader was told: their notifications."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, read_form
from quarterdeck.console.permissions import SIGNED_IN, needs
from quarterdeck.console.views.shell import Crumb
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post


@get("/notifications", opt=needs(SIGNED_IN))
async def notices(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _notices(request)


async def _notices(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    every = request.query_params.get("all") == "yes"
    return desk.page(
        "pages/notices.html",
        here="me",
        crumbs=(Crumb("Your account", "/console/me"), Crumb("Notifications")),
        problem=problem,
        rows=await desk.ports.notices(desk.who, every=every),
        every=every,
        command=commands.notices(every=every),
    )


@post("/notifications", opt=needs(SIGNED_IN))
async def read_notices(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Mark one, or without a number all, as read."""
    desk, asked = await open_desk(request), (await read_form(request)).get("id", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else None
    deed = desk.ports.read_notices(desk.who, number)
    return await act(deed, "/console/notifications", "notices-read", partial(_notices, request))


HANDLERS: tuple[Any, ...] = (notices, read_notices)
