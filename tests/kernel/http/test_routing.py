"""What the frame leaves out of a start."""

from __future__ import annotations

import subprocess
import sys

from litestar import Request, WebSocket, get, post, put, websocket
from litestar.testing import TestClient

from quarterdeck.kernel.http.routing import Application, Routes

ASKED = """
import sys
from quarterdeck.app import openapi_document
assert openapi_document()["paths"]
print(*sorted(name for name in sys.modules if "pydantic" in name.split(".")))
"""


def test_an_application_is_made_without_libraries_that_nothing_of_ours_uses() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == ""


@get("/thing", sync_to_thread=False)
def read(request: Request[object, object, object]) -> str:
    return request.method


@post("/thing", sync_to_thread=False)
def write() -> str:
    return "written"


@put("/thing", sync_to_thread=False)
def replace() -> str:
    return "replaced"


@websocket("/thing")
async def follow(socket: WebSocket[object, object, object]) -> None:
    await socket.accept()
    await socket.send_text("followed")
    await socket.close()


def test_all_methods_of_an_address_are_served_in_whatever_order_they_are_registered() -> None:
    """In two applications of the same handlers, one beside the other."""
    for handlers in ([read, follow, write, replace], [replace, write, follow, read]):
        app = Application(route_handlers=[Routes(path="/", route_handlers=handlers)], openapi_config=None)
        with TestClient(app) as client:
            assert client.get("/thing").text == "GET"
            assert client.post("/thing").text == "written"
            assert client.put("/thing").text == "replaced"
            assert client.delete("/thing").status_code == 405
            with client.websocket_connect("/thing") as socket:
                assert socket.receive_text() == "followed"
