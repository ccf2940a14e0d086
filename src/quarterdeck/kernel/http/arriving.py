"""Requests whose body comes later than their head: the head was let in, the act happens when the last byte is here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException

from quarterdeck.kernel.http.failures import Refused
from quarterdeck.kernel.http.sse import STILL_ADMITTED

MOMENT = 0.05
"""Seconds: a body that is here within them came with its head. Nobody is asked for twice because of it."""


class ArrivingRequest(Request[Any, Any, Any]):
    """Asks for its caller again where the body took longer than a moment: it may trickle in for minutes, and what the
    guard decided before that holds no longer. Raises as the guard does, and `Refused` where its caller goes before the
    body is whole: that is no failure of ours, and strangers could fill the log with it.
    """

    async def stream(self) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async for chunk in super().stream():
                yield chunk
        except InternalServerException as gone:  # what Litestar makes of a disconnect
            raise Refused(400, "The body of the request ended before it was whole.") from gone
        still = self.scope["state"].get(STILL_ADMITTED)
        if still is not None and clock() - began > MOMENT:
            await still()
