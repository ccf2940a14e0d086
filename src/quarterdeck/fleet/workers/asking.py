"""Requests of a worker to its server, by the standard library alone: an idle worker holds no HTTP client.

Proxies are those of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), as for the control channel.
"""

from __future__ import annotations

import asyncio
import http.client
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

import msgspec

from quarterdeck.kernel.errors import Problem, Unavailable
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.unreadable import UNREADABLE

SECONDS = 20.0
LARGEST = 1 << 20


class Refused(Problem):
    """The server's answer was no: `status` and its code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message, code=code)
        self.status = status


async def post(url: str, body: Any, token: str | None = None) -> dict[str, Any]:
    """The answer of a POST of JSON. Raises `Refused` for one of 4xx, `Unavailable` where there is none to rely on."""
    return await asyncio.to_thread(_post, url, msgspec.json.encode(body), token)


def _post(url: str, body: bytes, token: str | None) -> dict[str, Any]:
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - http(s), checked
    try:
        # The module's own opener would keep the proxies of its first use.
        with urllib.request.build_opener().open(request, timeout=SECONDS) as answer:
            found = msgspec.json.decode(answer.read(LARGEST), type=dict[str, Any])
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error.code, error.read(LARGEST)) from None
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"The server does not answer: {why(error)}.", code="server_unreachable") from None
    except UNREADABLE:
        raise Unavailable("What answers there is no Quarterdeck server.", code="server_unreachable") from None
    return found


def why(error: BaseException) -> str:
    """What kept a connection from being made, in the words of the system where it has some."""
    cause = getattr(error, "reason", None)
    if isinstance(cause, BaseException):
        return why(cause)
    if isinstance(error, OSError) and error.strerror:
        return shown(error.strerror)
    return shown(str(error) or type(error).__name__)


def _refused(status: int, body: bytes) -> Problem:
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE:
        told = {}
    message = told.get("message")
    text = shown(
        message
        if isinstance(message, str)
        else f"What answers there says {status}, and is no Quarterdeck server or one of another release."
        if status == HTTPStatus.NOT_FOUND
        else f"The server answers {status}."
    )
    # A proxy on the way answers with codes, too, but not with ours.
    if status >= 500 or status in {404, 407, 408, 413, 429} or "code" not in told:
        return Unavailable(text, code="server_unreachable")
    return Refused(status, str(told["code"]).lower(), text)
