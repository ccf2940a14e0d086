"""Discovered secrets: which there are, without their values."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response

from quarterdeck.console import secret_commands
from quarterdeck.console.desk import open_desk
from quarterdeck.console.pages.infra_specs import number
from quarterdeck.console.pages.secret_requests import HERE
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.secret_places import FoundAsked
from quarterdeck.console.views.secrets import FOUND, PROVIDERS
from quarterdeck.console.views.shell import Crumb, Pages
from quarterdeck.kernel.http.shared_signature import get

VIEW = "broker:secret.list"
PAGE = 50
STATUSES = ("present", "missing")


@get("/secrets/found", opt=needs(VIEW))
async def found(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, query = await open_desk(request), request.query_params
    said = {word: query.get(word, "")[:500].strip() for word in ("cluster", "provider", "prefix", "label", "status")}
    if said["status"] not in STATUSES:
        said["status"] = ""
    start = number(query.get("from", ""))
    view = await desk.ports.found_secrets(desk.who, FoundAsked(**said, start=start), PAGE)
    kept = {word: value for word, value in said.items() if value}

    def at(place: int) -> str:
        return f"{FOUND}?{urlencode({**kept, **({'from': str(place)} if place else {})})}".removesuffix("?")

    return desk.page(
        "pages/secret_found.html",
        here="secrets",
        crumbs=(HERE, Crumb("Found")),
        view=view,
        asked=said,
        narrowed=bool(kept),
        providers=tuple(PROVIDERS.items()),
        names=PROVIDERS,
        statuses=STATUSES,
        pages=Pages(
            older=at(start + PAGE) if start + PAGE < view.total else None,
            newer=at(max(0, start - PAGE)) if start else None,
        ),
        command=secret_commands.list_found(),
    )


HANDLERS: tuple[Any, ...] = (found,)
