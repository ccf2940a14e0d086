"""The first page."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from quarterdeck.console.desk import open_desk
from quarterdeck.console.permissions import SIGNED_IN, needs
from quarterdeck.console.views.shell import Crumb
from quarterdeck.kernel.http.shared_signature import get


@get("/", opt=needs(SIGNED_IN))
async def home(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What needs the reader, what runs now, how things are, and what happened."""
    desk = await open_desk(request)
    view = await desk.ports.home(desk.who)
    return desk.page("pages/home.html", here="home", crumbs=(Crumb("Home"),), topics="home", view=view)
