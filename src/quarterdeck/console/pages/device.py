"""The page at which a person lets a program in that asked with a code (infra contract §2.1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Request, Response

from quarterdeck.console.desk import AnyRequest, console_of, note_of, read_form, request_id, signed_in, status_of
from quarterdeck.console.pages.doors import DOOR
from quarterdeck.console.permissions import SIGNED_IN, needs
from quarterdeck.console.render import see
from quarterdeck.console.router import before_failure, show_failure
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.routing import Routes
from quarterdeck.kernel.http.shared_signature import get, post

ADDRESS = "/cli/login"
LOOKS = 5
"""How often the page looks again by itself, three seconds apart, while no program has asked: one does so at once."""


@get("/", opt=needs(SIGNED_IN))
async def device(request: Request[Any, Any, Any]) -> Response[bytes]:
    told = request.query_params.get("looked", "0")
    looked = int(told) if told in {str(count) for count in range(LOOKS)} else LOOKS
    return await _device(request, request.query_params.get("device_code", ""), looked=looked)


async def _device(
    request: AnyRequest, code: str, problem: Problem | None = None, *, looked: int = LOOKS
) -> Response[bytes]:
    console = console_of(request)
    shown = await console.ports.device_login(signed_in(request), code)
    answer = console.renderer.page(
        request,
        "pages/device.html",
        status=status_of(problem) if problem else 200,
        values={
            "layout": "layouts/door.html",
            "host": request.url.netloc,
            "device": shown,
            "problem": note_of(problem, request_id()) if problem else None,
        },
    )
    if shown.state == "unknown" and looked < LOOKS:
        answer.headers["Refresh"] = f"3; url={_address(code)}&looked={looked + 1}"
    return answer


@post("/", opt=needs(SIGNED_IN, rate=DOOR))
async def answer_device(request: Request[Any, Any, Any]) -> Response[bytes]:
    form = await read_form(request)
    code, who, ports = form.get("device_code", ""), signed_in(request), console_of(request).ports
    try:
        if form.get("answer") == "approve":
            await ports.approve_device(who, code)
        elif form.get("answer") == "refuse":
            await ports.refuse_device(who, code)
        else:
            raise Invalid("Neither button was pressed.", hint="Let it in, or refuse it.")
    except Problem as problem:
        return await _device(request, code, problem)
    return see(_address(code))


def _address(code: str) -> str:
    return f"{ADDRESS}?device_code={quote(code, safe='')}"


HANDLERS: tuple[Any, ...] = (device, answer_device)


def device_router() -> Routes:
    """The page's routes; its address is the infra contract's, so it stands outside of `/console`."""
    return Routes(
        path=ADDRESS,
        route_handlers=HANDLERS,
        exception_handlers={Exception: show_failure},
        opt={"before_failure": before_failure},
        include_in_schema=False,
    )
