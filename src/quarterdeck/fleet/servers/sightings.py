"""What was last seen of each server behind SSH: the doctor tells it without asking the machine, and what to do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import select

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers.model import Server, Sighting
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.fleet.targets.connectivity import LEAST_FREE_BYTES, Examined
from quarterdeck.fleet.targets.facts import Room
from quarterdeck.kernel.answers import whole
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.text import shown
from quarterdeck.workspace.projects import organization_of

MOST = 500
OLD = timedelta(days=7)
"""After that a look says little about today."""
UNSURE = frozenset({"docker-engine", "disk", "edge-ports", "sudo"})
"""Checks of which the sighting tells more than passed or failed, or which keep nothing from being deployed there."""
TOLD_APART = frozenset({"disk", "edge-ports", "sudo"})
"""Checks that say nothing of how a server is now: the disk is judged by itself, and the others work in another way."""
Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Known:
    """All that is written down of a server behind SSH."""

    server: Server
    reachable: bool
    fingerprint: str | None
    seen: Sighting | None


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    severity: Severity
    message: str


def reached(tx: Tx, server_id: int) -> None:
    """It let us in just now."""
    row = _row(tx, server_id)
    if row is not None:
        row.looked_at = row.reached_at = tx.now
        row.code = row.message = row.missed_at = None


def missed(tx: Tx, server_id: int, problem: Problem) -> None:
    """It was not reached just now, or did not let us in."""
    row = _row(tx, server_id)
    if row is not None:
        _miss(row, tx.now)
        row.code = problem.code
        row.message = f"{problem.message} {problem.hint or ''}".strip()


def examined(tx: Tx, server_id: int, found: Examined) -> None:
    """What a connectivity test has found. What could not be looked at keeps what was seen before."""
    row = _row(tx, server_id)
    if row is None:
        return
    failed = [check for check in found.checks if check.status == "failed"]
    row.looked_at = tx.now
    if found.status == "unreachable":
        _miss(row, tx.now)
        row.code = next((check.facts.get("code") for check in failed), None) or "server_unreachable"
        row.message = " ".join(check.message for check in failed) or "It was not reached."
        return
    row.reached_at, row.code, row.message, row.missed_at = tx.now, None, None, None
    row.failed = [[check.name, check.facts.get("code", ""), check.message] for check in failed]
    for check in found.checks:
        if check.name == "docker-engine":
            row.engine = check.facts.get("version")
        free = whole(check.facts.get("freeBytes", "")) if check.name == "disk" else None
        if free is not None:
            size = whole(check.facts.get("sizeBytes", ""))
            _disk_seen(row, Room(free, size, check.facts.get("mount", "/")))


def measured(tx: Tx, server_id: int, room: Room | None) -> None:
    """It was reached just now, and this is the disk that has least room there, where that could be told."""
    reached(tx, server_id)
    row = _row(tx, server_id)
    if row is not None and room is not None:
        _disk_seen(row, room)


def _disk_seen(row: Sighting, room: Room) -> None:
    row.disk_free, row.disk_size, row.disk_mount = room.free, room.size, shown(room.mount, 255)


def known(tx: Tx) -> list[Known]:
    """The active servers behind SSH of the caller's organization, by name; at most 500."""
    wanted = select(Server).where(
        Server.organization_id == organization_of(tx),
        Server.provider != LOCAL,
        Server.lifecycle == "active",
        Server.uninstalling_at.is_(None),
    )
    rows = list(tx.scalars(wanted.order_by(Server.name, Server.id).limit(MOST)))
    seen = {one.server_id: one for one in tx.scalars(select(Sighting).where(Sighting.server_id.in_(_ids(rows))))}
    ways, keys = access.of_servers(tx, rows), access.host_keys(tx, rows)
    return [
        Known(row, row.id in ways, keys[row.id].fingerprint if row.id in keys else None, seen.get(row.id))
        for row in rows
    ]


def findings(one: Known, now: datetime) -> list[Finding]:
    """What is known of a server in one line, then what is wrong with it and what mends that."""
    server, seen = one.server, one.seen
    name = server.name
    test = test_of(server)
    if not one.reachable:
        say = f"Nothing says how to sign in to {name}. Say it: qd server credential {shlex.quote(name)}"
        return [Finding("ssh_credential_missing", "warning", say)]
    if seen is None:
        return [Finding("server_never_seen", "warning", f"{name} was never looked at. Look at it: {test}")]
    if seen.message is not None:
        before = f"last reached at {wire_time(seen.reached_at)}" if seen.reached_at else "it was never reached"
        say = f"{name} was not reached at {wire_time(seen.looked_at)} ({before}). {seen.message} Look again: {test}"
        return [Finding(seen.code or "server_unreachable", "error", say)]
    found = [Finding("server_seen", "info", f"{name}: {'; '.join(_facts(one))}.")]
    found += [
        Finding(code or "server_lacks", "warning" if check in UNSURE else "error", f"{name}: {message}")
        for check, code, message in seen.failed or []
        if check != "disk"
    ]
    if seen.disk_free is not None and seen.disk_free < LEAST_FREE_BYTES:
        say = f"{name} has only {gib(seen.disk_free)} free on {seen.disk_mount}. "
        found.append(Finding("disk_full", "error", f"{say}See what could go: qd server prune {shlex.quote(name)}"))
    if server.proxy_status == "failed":
        why = server.proxy_error_message or server.proxy_error_code or "the reason is not known."
        say = f"The edge of {name} is not running: {why} Bring it up: qd server edge {shlex.quote(name)}"
        found.append(Finding(server.proxy_error_code or "edge_proxy_failed", "error", say))
    if now - (seen.reached_at or seen.looked_at) > OLD:
        found.append(Finding("server_seen_long_ago", "info", f"That is some days old. Look again: {test}"))
    return found


def test_of(server: Server) -> str:
    """The command that looks whether it is reached."""
    return f"qd server test {shlex.quote(server.name)}"


def since(seen: Sighting | None, now: datetime) -> str:
    """When it was first missed, as the end of a sentence: ` since 14:05 UTC`, with the day where that was not today.
    Empty where nobody knows.
    """
    if seen is None or seen.missed_at is None:
        return ""
    moment = seen.missed_at.astimezone(UTC)
    day = "" if moment.date() == now.astimezone(UTC).date() else f"{moment:%Y-%m-%d} "
    return f" since {day}{moment:%H:%M} UTC"


def _facts(one: Known) -> list[str]:
    server, seen = one.server, one.seen
    edge = f"edge {server.proxy_kind} {server.proxy_status}" if server.proxy_kind != "none" else "no edge"
    facts = [f"host key {one.fingerprint}" if one.fingerprint else "host key not pinned yet", edge]
    if seen is not None:
        if seen.reached_at is not None:
            facts.insert(0, f"last reached at {wire_time(seen.reached_at)}")
        engine = f"Docker {seen.engine}" if seen.engine else "no Docker engine seen"
        facts.append("Docker is not to be used" if server.engine_use == "refused" else engine)
        if seen.disk_free is not None:
            facts.append(f"{gib(seen.disk_free)} free on {seen.disk_mount}")
    return facts


def told(tx: Tx) -> list[Finding]:
    """What is known of every active server behind SSH of the caller's organization, by name."""
    return [finding for one in known(tx) for finding in findings(one, tx.now)]


def _miss(row: Sighting, now: datetime) -> None:
    row.looked_at = now
    row.missed_at = row.missed_at or now


def gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"


def _row(tx: Tx, server_id: int) -> Sighting | None:
    """The one row of a server, made at the first look; None for a server that is gone or is this machine."""
    found = tx.first(select(Sighting).where(Sighting.server_id == server_id))
    if found is not None:
        return found
    server = tx.get(Server, server_id)
    if server is None or server.provider == LOCAL:
        return None
    tx.lock(f"sighting:{server_id}")
    again = tx.first(select(Sighting).where(Sighting.server_id == server_id))
    return again or tx.add(
        Sighting(
            uid=tx.ids.uid(), server_id=server_id, looked_at=tx.now, reached_at=None, missed_at=None, code=None,
            message=None, failed=None, engine=None, disk_free=None, disk_size=None, disk_mount=None,
        )
    )  # fmt: skip


def _ids(rows: Sequence[Server]) -> list[int]:
    return [row.id for row in rows]
