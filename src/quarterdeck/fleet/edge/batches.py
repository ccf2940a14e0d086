"""Changes of the route set that wait while one is being loaded go together into the next load, and loads keep a
distance: a reload costs visitors about one request, so what meets within a moment shares one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec
import structlog

from quarterdeck.fleet.edge.routes import Route

BREATH_SECONDS = 0.4
"""From one load to the next. The first change after a quiet time does not wait."""
log = structlog.get_logger("quarterdeck.edge")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of single routes."""

    put: tuple[Route, ...] = ()
    remove: tuple[str, ...] = ()


def changed(routes: Mapping[str, Route], changes: Iterable[Change]) -> dict[str, Route]:
    """The route set after the changes, in their order."""
    result = dict(routes)
    for change in changes:
        for route_id in change.remove:
            result.pop(route_id, None)
        result.update((route.id, route) for route in change.put)
    return result


class Batches:
    """`apply` loads changes together and raises when they cannot be loaded.

    If a batch fails, each of its changes is tried alone, so that one person's bad route does not refuse another's.
    """

    def __init__(self, apply: Callable[[list[Change]], Awaitable[bool]], breath: float = BREATH_SECONDS) -> None:
        self._apply = apply
        self._breath = breath
        self._rested_at = 0.0
        self._waiting: list[tuple[Change, asyncio.Future[bool]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, change: Change) -> bool:
        """Whether the proxy had to be reloaded for it. A caller that is canceled leaves its change in the batch."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, done))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await done

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(max(0.0, self._rested_at - asyncio.get_running_loop().time()))
            batch, self._waiting = self._waiting, []
            if len(batch) > 1:
                reloaded = await self._together([change for change, _ in batch])
                if reloaded is not None:
                    for _, done in batch:
                        _settle(done, reloaded)
                    continue
            for change, done in batch:
                try:
                    _settle(done, await self._loaded([change]))
                except Exception as error:  # noqa: BLE001 - it belongs to the caller who waits for it
                    _settle(done, error)

    async def _together(self, changes: list[Change]) -> bool | None:
        """None when they cannot be loaded, for whatever reason: each caller then hears its own."""
        try:
            return await self._loaded(changes)
        except Exception as error:  # noqa: BLE001 - a caller whose change was taken must get an answer
            log.info("edge_batch_taken_apart", changes=len(changes), reason=type(error).__name__)
            return None

    async def _loaded(self, changes: list[Change]) -> bool:
        reloaded = await self._apply(changes)
        if reloaded:
            self._rested_at = asyncio.get_running_loop().time() + self._breath
        return reloaded


def _settle(done: asyncio.Future[bool], outcome: bool | Exception) -> None:
    if done.done():
        return
    if isinstance(outcome, Exception):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
