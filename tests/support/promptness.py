"""How long something takes: the best of some tries, since whatever else the machine does only adds."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

TRIES = 8


async def best(attempt: Callable[[], Awaitable[object]], enough: float) -> float:
    """Seconds of the fastest try; no more tries are made once one took no longer than `enough`."""
    found = float("inf")
    for _ in range(TRIES):
        began = time.monotonic()
        await attempt()
        found = min(found, time.monotonic() - began)
        if found <= enough:
            break
    return found
