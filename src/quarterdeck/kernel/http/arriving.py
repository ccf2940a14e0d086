"""Requests whose body comes later than their head: the head was let in, the act happens when the last byte is here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from litestar import Request

from quarterdeck.kernel.http.sse import STILL_ADMITTED

MOMENT = 0.05
"""Seconds: a body that is here within them came with its head. Nobody is asked for twice because of it."""


class ArrivingRequest(Request[Any, Any, Any]):
    """Asks for its caller again where the body took longer than a moment: it may trickle in for minutes, and what the
    guard decided before that holds no longer. Raises as the guard does.
    """

    async def stream(self) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        began = clock()
        async for chunk in super().stream():
            yield chunk
        still = self.scope["state"].get(STILL_ADMITTED)
        if still is not None and clock() - began > MOMENT:
            await still()
