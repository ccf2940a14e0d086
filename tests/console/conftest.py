from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from litestar import Litestar
from litestar.datastructures import State
from litestar.testing import TestClient

from console.ledgerside import NOW
from console.portside import Portside
from quarterdeck.console.desk import Console
from quarterdeck.console.pages.device import device_router
from quarterdeck.console.render import Renderer
from quarterdeck.console.router import console_router
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.http.application import prepare
from support.remembering import alike


def recognise(app: Any) -> Any:
    """Stands where the HTTP frame will: a session cookie becomes a principal."""

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            cookies = dict(scope["headers"]).get(b"cookie", b"").decode()
            scope["user"] = "mara" if "qd_session=mara" in cookies else None
        await app(scope, receive, send)

    return middleware


@cache
def routed() -> Litestar:
    return Litestar(
        [console_router(), device_router()],
        middleware=[recognise],
        after_exception=[prepare],
        openapi_config=None,
        logging_config=None,
    )


def build_app(ports: Portside, renderer: Renderer | None = None) -> Litestar:
    return alike(routed(), State({"console": Console(ports, renderer or Renderer(HeldClock(NOW)))}))


@pytest.fixture
def ports() -> Portside:
    return Portside()


@pytest.fixture
def client(ports: Portside) -> Iterator[TestClient[Litestar]]:
    with TestClient(build_app(ports), base_url="http://deck.example", raise_server_exceptions=True) as client:
        client.headers["origin"] = "http://deck.example"
        client.cookies.set("qd_session", "mara")
        client.follow_redirects = False
        yield client
