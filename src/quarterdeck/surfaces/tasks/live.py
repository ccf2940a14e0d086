"""`/ws/events`: what changes, for pages that show tasks, machines and notifications (contract: tasks §1.9)."""

from __future__ import annotations

import asyncio
from typing import Any

from quarterdeck.access import Access
from quarterdeck.identity.sessions import Signer
from quarterdeck.kernel.bus import Bus, Concern, Message
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden, NotFound, Unauthenticated
from quarterdeck.kernel.http.websocket import UNAUTHENTICATED, Socket, socket
from quarterdeck.surfaces.tasks.introducing import Known, admitted, introduced, known, refuse
from quarterdeck.surfaces.tasks.shapes import number
from quarterdeck.surfaces.tasks.wire import terminals as wire
from quarterdeck.tasks import machines
from quarterdeck.tasks.lookup import task_for

TOGETHER = 0.1
"""Seconds that events are gathered for: of one thing the newest is told."""
ASKED_AGAIN = 20.0
"""Seconds of silence after which the caller has to be known still; before each event it is asked anyway."""
LISTENED = ("task", "worker", "notification")


@socket(
    "/ws/events",
    permission="public",
    summary="What changes of what the caller may see; the first frame, `auth`, carries the credential.",
    frames={
        "client": [wire.EventsAuth],
        "server": [wire.EventsReady, wire.TaskUpdated, wire.MachineUpdated, wire.NotificationCame, wire.Resync],
    },
)
async def events(socket: Socket, db: Database, access: Access, signer: Signer, bus: Bus) -> None:
    auth = await introduced(socket, wire.EventsAuth)
    who = known(socket, signer, auth.token)
    await admitted(socket, db, who)
    with bus.subscribe("events") as inbox:
        await socket.send(wire.EventsReady())
        listening = asyncio.ensure_future(_until_gone(socket))
        telling = asyncio.ensure_future(_tell(socket, inbox, db, access, who))
        try:
            done, _ = await asyncio.wait({listening, telling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            telling.cancel()
            await asyncio.gather(listening, telling, return_exceptions=True)
        for task in done:
            task.result()


async def _until_gone(socket: Socket) -> None:
    """Nothing more is expected of the client; it may ping in its own way."""
    while True:
        await socket.receive()


async def _tell(socket: Socket, inbox: Any, db: Database, access: Access, who: Known) -> None:
    missed = 0
    while True:
        first: Message | None = await inbox.get(ASKED_AGAIN)
        if first is not None:
            await asyncio.sleep(TOGETHER)
        concerns = newest([one.payload for one in (*([first] if first else []), *inbox.drain())])
        if first is not None and not concerns and inbox.missed == missed:
            continue
        try:
            await access.ready(db)
            told = await db.read(seen, access, who, concerns)
        except Unauthenticated as problem:
            await refuse(socket, UNAUTHENTICATED, problem.message)
        if inbox.missed != missed:
            missed = inbox.missed
            told = [wire.Resync()]
        for frame in told:
            await socket.send(frame)


def newest(concerns: list[Concern]) -> list[Concern]:
    """Of each thing of ours the newest, in the order of these."""
    found: dict[str, Concern] = {}
    for one in concerns:
        if one.subject is not None and one.subject.partition(":")[0] in LISTENED:
            found.pop(one.subject, None)
            found[one.subject] = one
    return list(found.values())


def seen(tx: Tx, access: Access, who: Known, concerns: list[Concern]) -> list[Any]:
    """The frames of what the caller may see. Raises `Unauthenticated`."""
    caller = who(tx)
    access.load(tx)
    told: list[Any] = []
    for one in concerns:
        kind, _, ref = str(one.subject).partition(":")
        if kind == "task":
            try:
                task = task_for(tx, access, number(ref), "view")
            except (Forbidden, NotFound):
                continue
            told.append(wire.TaskUpdated(task_id=task.id, event=one.what))
        elif kind == "worker":
            here = one.organization_id is not None and one.organization_id == caller.organization_id
            if here and machines.may_see(tx, access):
                told.append(wire.MachineUpdated(machine_id=ref, event=one.what))
        elif ref == str(caller.id) and one.organization_id in {None, caller.organization_id}:
            told.append(wire.NotificationCame(event=one.what))
    return told
