"""Lines of infrastructure jobs, at once and live (contract: infra §1.3, §3.3, §4.7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from quarterdeck.infra.work import lines, reading
from quarterdeck.infra.work.happenings import stream
from quarterdeck.infra.work.lines import Chunk
from quarterdeck.infra.work.transitions import ENDED
from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.http.seats import Seats
from quarterdeck.kernel.http.sse import Event, EventStream, done
from quarterdeck.kernel.logs import Gap, Logs
from quarterdeck.surfaces.infra.jobs import MISSING, VIEW
from quarterdeck.surfaces.infra.wire import jobs as wire
from quarterdeck.surfaces.shared.values import given

PING = 20.0
LOOK = 15.0
"""Seconds after which a follower looks at its job without having been woken."""
QUIET = 0.05
"""Seconds without a line after which a log that is complete has been told."""
SEATS = Seats("logs", per_caller=8, total=200)


def chunk(uid: str, one: Chunk) -> wire.LogChunk:
    return wire.LogChunk(
        id=one.id, job_id=uid, log_chunk=one.text, stream_type=one.stream_type, created_at=wire_time(one.at)
    )


async def logs_of(logs: Logs, uid: str, after: int) -> wire.Logs:
    found, more = await lines.read(logs, uid, after)
    return wire.Logs(logs=[chunk(uid, one) for one in found], more=more)


@route("GET", "/api/cli/jobs/{id}/logs", permission=VIEW, errors=(MISSING,))
async def read(call: Call, query: wire.LogsQuery, logs: Logs) -> wire.Logs:
    """What a job wrote, behind the chunk `after`."""
    uid = await call.read(lambda tx: reading.find(tx, call.path["id"]).uid)
    return await logs_of(logs, uid, query.after)


@route("GET", "/api/stream/jobs/{id}", permission=VIEW, errors=(MISSING, (429, "rate_limited")))
async def follow(call: Call, query: wire.StreamQuery, logs: Logs, bus: Bus) -> EventStream:
    """What a job writes, as it comes; goes on behind `Last-Event-ID` or `after`."""
    uid = await call.read(lambda tx: reading.find(tx, call.path["id"]).uid)
    said = given(query.after)
    after = said if said is not None else _number(call.headers.get("last-event-id"))
    seat = SEATS.take(call.principal.uid)
    source = _follow(call, logs, bus, uid, after)
    return EventStream(source, found=lambda: call.read(reading.find, uid), keep_alive=PING, seat=seat)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _stands(tx: Tx, uid: str) -> tuple[str, bool]:
    """The status of a job, and whether nothing more is to come of it."""
    job = reading.find(tx, uid)
    return job.status, lines.complete(tx, job)


async def _follow(call: Call, logs: Logs, bus: Bus, uid: str, after: int) -> AsyncIterator[Event]:
    source = logs.follow(stream(uid), after)
    with bus.subscribe(stream(uid)) as inbox:
        status, over = await call.read(_stands, uid)
        coming: asyncio.Future[Any] = asyncio.ensure_future(anext(source))
        woken: asyncio.Future[Any] = asyncio.ensure_future(inbox.get(LOOK))
        try:
            while True:
                wait = QUIET if over else lines.LINGER.total_seconds() if status in ENDED else None
                finished, _ = await asyncio.wait({coming, woken}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if coming in finished:
                    item = _result(coming)
                    if item is None:
                        break
                    if not isinstance(item, Gap):
                        for one in lines.chunks(item.lines):
                            yield Event(chunk(uid, one), id=one.id)
                    coming = asyncio.ensure_future(anext(source))
                    continue
                if over:
                    break
                if woken in finished:
                    woken = asyncio.ensure_future(inbox.get(LOOK))
                status, over = await call.read(_stands, uid)
        finally:
            for waiting in (coming, woken):
                waiting.cancel()
            await asyncio.gather(coming, woken, return_exceptions=True)
            with suppress(RuntimeError):
                await source.aclose()  # type: ignore[attr-defined]  # it is a generator
    status, _ = await call.read(_stands, uid)
    yield done({"status": status})


def _result(coming: asyncio.Future[Any]) -> Any:
    """What has come; None at the end of the lines."""
    try:
        return coming.result()
    except StopAsyncIteration:
        return None
