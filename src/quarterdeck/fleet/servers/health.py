"""How each server is, from what was last seen of it: for lists, which ask no machine."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import sightings
from quarterdeck.fleet.servers.model import Server, Sighting
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.fleet.targets.connectivity import LEAST_FREE_BYTES
from quarterdeck.fleet.targets.facts import Room
from quarterdeck.kernel.db import Tx

Status = Literal["healthy", "degraded", "unreachable", "unknown"]


@dataclass(frozen=True, slots=True)
class Health:
    """`message` says why it is not healthy. `seen` is None for the machine of the control plane, and for one that was
    never looked at; `room` is the disk that has least of it.
    """

    server: Server
    status: Status
    message: str = ""
    seen: Sighting | None = None
    room: Room | None = None


def of(tx: Tx, rows: Sequence[Server], here: Room | None = None) -> list[Health]:
    """Of these servers, in their order. `here` is the disk of the control plane's own machine."""
    mine = select(Sighting).where(Sighting.server_id.in_([row.id for row in rows]))
    seen = {one.server_id: one for one in tx.scalars(mine)}
    ways = access.of_servers(tx, list(rows))
    return [
        _here(row, here) if row.provider == LOCAL else _there(tx, row, seen.get(row.id), signed=row.id in ways)
        for row in rows
    ]


def _here(server: Server, room: Room | None) -> Health:
    status, why = _judged(server, room)
    return Health(server, status, why, room=room)


def _there(tx: Tx, server: Server, seen: Sighting | None, *, signed: bool) -> Health:
    room = _room(seen)
    if not signed:
        say = f"Nothing says how to sign in to it: qd server credential {shlex.quote(server.name)}"
        return Health(server, "unknown", say, seen, room)
    if seen is None:
        return Health(server, "unknown", f"It was never looked at: {sightings.test_of(server)}")
    if seen.message is not None:
        return Health(server, "unreachable", f"Out of reach{sightings.since(seen, tx.now)}. {seen.message}", seen, room)
    failed = [message for check, _, message in seen.failed or [] if check not in sightings.TOLD_APART]
    status, why = _judged(server, room)
    if failed and not why:
        status, why = "degraded", failed[0]
    return Health(server, status, why, seen, room)


def _judged(server: Server, room: Room | None) -> tuple[Status, str]:
    if room is not None and room.free < LEAST_FREE_BYTES:
        return "degraded", f"Only {sightings.gib(room.free)} are free on {room.mount}."
    if server.proxy_status == "failed":
        return "degraded", f"Its edge does not run: {server.proxy_error_message or server.proxy_error_code or 'unsaid'}"
    return "healthy", ""


def _room(seen: Sighting | None) -> Room | None:
    if seen is None or seen.disk_free is None:
        return None
    return Room(seen.disk_free, seen.disk_size, seen.disk_mount or "/")
