"""An ASGI application behind the door that bounds who has not proved anything, on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import uvicorn

from quarterdeck.kernel.http.doorkeeper import Patience
from quarterdeck.kernel.http.patience import patient


@contextlib.asynccontextmanager
async def behind_the_door(application: Any, patience: Patience, *, backlog: int = 100) -> AsyncIterator[int]:
    """Its port, for as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:
        config = uvicorn.Config(
            application,
            http=patient(patience),
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
            ws="websockets-sansio",
        )
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[assignment,method-assign] - those of the tests
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task
