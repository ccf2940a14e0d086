"""Terminals of tasks: the tokens that open them, the sockets, the recordings (contract: tasks §1.2 and §5)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from quarterdeck.access import Access
from quarterdeck.fleet.terminals import frames, rows, tokens
from quarterdeck.fleet.terminals.broker import Broker, Opening
from quarterdeck.fleet.terminals.history import Size
from quarterdeck.fleet.terminals.model import ChannelToken, TerminalRow
from quarterdeck.fleet.terminals.recording import MEDIA_TYPE
from quarterdeck.fleet.terminals.serving import WINDOW, WorkerSide, ask, serve_viewer
from quarterdeck.fleet.terminals.terminal import Terminal
from quarterdeck.fleet.terminals.viewing import Right, Viewer, Visitor
from quarterdeck.fleet.workers import registration
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity.sessions import Signer
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, NotFound
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.http.websocket import TRY_LATER, Socket, socket
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.introducing import Known, admitted, introduced, known, refuse
from quarterdeck.surfaces.tasks.shapes import at, number
from quarterdeck.surfaces.tasks.wire import terminals as wire
from quarterdeck.tasks.lookup import task_for
from quarterdeck.tasks.settings import settings
from quarterdeck.tasks.terminals import subject

VIEWER_FRAMES = [
    frames.Auth, frames.Input, frames.Resize, frames.Ping, frames.Pong, frames.ControlRequest, frames.ControlRelease,
    frames.Signal,
]  # fmt: skip
SHOWN_FRAMES = [
    frames.Ready, frames.ReplayBegin, frames.ReplayEnd, frames.Control, frames.ControlRequest, frames.Viewers,
    frames.Resized, frames.WorkerState, frames.Exit, frames.Error, frames.Pong,
]  # fmt: skip
WORKER_FRAMES = [
    frames.WorkerAuth, frames.PtyOpen, frames.Exit, frames.ReplayBegin, frames.ReplayEnd, frames.Resized, frames.Ping,
    frames.Pong,
]  # fmt: skip
TOLD_FRAMES = [
    frames.WorkerReady, frames.Input, frames.Resize, frames.Signal, frames.Control, frames.Ack, frames.Exit,
    frames.Pong,
]  # fmt: skip


@route(
    "POST",
    "/api/web/tasks/{id}/pty-token",
    permission="tasks:tasks.view",
    status=201,
    errors=((403, "task_not_yours"), (404, "task_not_found"), (409, "terminal_not_live"), (409, "terminal_elsewhere")),
)
async def pty_token(call: Call, access: Access, terminals: Broker, body: wire.PtyTokenRequest) -> wire.PtyToken:
    """A token that opens the terminal of a task, once and within a minute."""
    wanted = given(body.mode)

    def verb(tx: Tx) -> wire.PtyToken:
        task = task_for(tx, access, number(call.path["id"]), "type" if wanted == "control" else "view")
        mode: tokens.Mode = wanted or ("control" if _right(tx, access, task.id) == "act" else "watch")
        terminals.require_here(tx, subject(task.id))
        life = timedelta(seconds=int(settings.shown(tx)["channelTokenTtlSec"]))
        row, token = tokens.for_viewer(tx, subject(task.id), task.organization_id, mode, life)
        return wire.PtyToken(
            channel_token=token.reveal(),
            expires_at=wire_time(row.expires_at),
            ws_path=f"/ws/pty/{task.id}",
            mode=mode,
        )

    return await call.write(verb)


def _worker(tx: Tx, worker_tokens: AccessTokens, token: str) -> Worker | None:
    """The worker behind an access token that still holds."""
    found = registration.authenticate(tx, worker_tokens, token)
    return None if found is None or found.revoked_at is not None else found


def _right(tx: Tx, access: Access, task_id: int) -> Right:
    """What the caller may with a task. Raises `NotFound`."""
    task_for(tx, access, task_id, "view")
    try:
        task_for(tx, access, task_id, "type")
    except Forbidden:
        return "view"
    return "act"


@route("GET", "/api/web/tasks/{id}/recordings", permission="tasks:tasks.view", errors=((404, "task_not_found"),))
async def recordings(call: Call, access: Access) -> wire.Recordings:
    """The terminals that a task had, newest first."""

    def verb(tx: Tx) -> wire.Recordings:
        task = task_for(tx, access, number(call.path["id"]), "view")
        items = [_recording(task.id, row) for row in rows.of_subject(tx, subject(task.id))]
        return wire.Recordings(items=items, next_cursor=None, total=len(items))

    return await call.read(verb)


def _recording(task_id: int, row: TerminalRow) -> wire.Recording:
    return wire.Recording(
        id=row.uid,
        task_id=task_id,
        attempt=row.attempt,
        cols=row.columns,
        rows=row.rows,
        opened_at=wire_time(row.opened_at),
        ended_at=at(row.ended_at),
        exit_code=row.exit_code,
        reason=row.reason,
        size=row.size,
        truncated=row.truncated,
        path=f"/api/web/tasks/{task_id}/recordings/{row.uid}",
    )


@route(
    "GET",
    "/api/web/tasks/{id}/recordings/{recordingId}",
    permission="tasks:tasks.view",
    errors=((404, "task_not_found"), (404, "recording_not_found")),
)
async def recording(call: Call, access: Access, terminals: Broker) -> Answer[bytes]:
    """What a terminal showed, as an asciicast (version 2)."""

    def verb(tx: Tx) -> TerminalRow:
        task = task_for(tx, access, number(call.path["id"]), "view")
        return rows.recorded(tx, subject(task.id), call.path["recordingId"])

    row = await call.read(verb)
    terminals.write_out(row.subject)
    try:
        text = await asyncio.to_thread(terminals.file(row.uid).read_bytes)
    except FileNotFoundError:
        raise NotFound(
            f"The recording {row.uid} is not on this server's disk.",
            code="recording_not_found",
            hint="It was made by another server process, or removed by hand.",
        ) from None
    return Answer(text, headers={"content-type": MEDIA_TYPE})


@socket(
    "/ws/pty/{taskId}",
    permission="public",
    summary="The live terminal of a task; the first frame, `auth`, carries the credentials. Output is binary.",
    frames={"client": VIEWER_FRAMES, "server": SHOWN_FRAMES},
)
async def viewer(socket: Socket, task_id: str, db: Database, access: Access, signer: Signer, terminals: Broker) -> None:
    auth = await introduced(socket, frames.Auth)
    who = known(socket, signer, auth.token)
    principal = await admitted(socket, db, who)
    await access.ready(db)
    task_number = number(task_id)

    def redeem(tx: Tx) -> tuple[ChannelToken, Right] | None:
        task = task_for(tx, access, task_number, "view")
        token = tokens.redeem_by_user(tx, auth.channel_token, subject(task.id), principal.id)
        return None if token is None else (token, _right(tx, access, task.id))

    try:
        redeemed = await db.write(redeem)
    except NotFound as problem:
        await refuse(socket, frames.GONE, problem.message)
    except Forbidden as problem:
        await refuse(socket, frames.FORBIDDEN, problem.message)
    if redeemed is None:
        await refuse(socket, frames.SPENT, "this channel token is unknown, used, expired, or made for something else")
    token, right = redeemed
    if auth.mode == "control" and (token.mode != "control" or right != "act"):
        await refuse(socket, frames.FORBIDDEN, "this channel token lets you watch")
    visitor = Visitor(principal.id, principal.label, right, token.mode == "control", _asks(access, who, token.subject))
    await _shown(socket, terminals, token.subject, visitor, auth)


def _asks(access: Access, who: Known, about: str) -> Any:
    """Asked again and again while somebody watches."""
    task_id = int(about.partition(":")[2])

    def asks(tx: Tx) -> Right:
        who(tx)
        return _right(tx, access, task_id)

    return asks


async def _shown(socket: Socket, terminals: Broker, about: str, visitor: Visitor, auth: frames.Auth) -> None:
    size = Size(auth.cols, auth.rows) if auth.cols is not None and auth.rows is not None else None
    wants = visitor.controls and auth.mode != "watch"
    try:
        one = terminals.join(about, visitor, controls=wants, since=auth.since_offset, size=size)
    except NotFound as problem:
        await refuse(socket, frames.GONE, problem.message)
    except Conflict as problem:
        await refuse(socket, TRY_LATER, problem.message)
    terminal = terminals.find(about)
    assert terminal is not None  # noqa: S101 - it was joined just now
    try:
        if auth.takeover:
            await ask(terminals, terminal, one, takeover=True, holder=auth.session_id)
        await socket.send(_ready(terminal, one))
        await serve_viewer(terminals, terminal, one, socket)
    finally:
        terminal.depart(one)


def _ready(terminal: Terminal, one: Viewer) -> frames.Ready:
    holder, size = terminal.holder, terminal.history.size
    return frames.Ready(
        task_id=int(terminal.subject.partition(":")[2]),
        session_id=one.session_id,
        mode="control" if holder is one else "watch",
        cols=size.columns,
        rows=size.rows,
        holder=None if holder is None else holder.holder,
        offset=terminal.history.head,
        viewers=len(terminal.viewers),
    )


@socket(
    "/api/workers/pty/{taskId}",
    permission="public",
    summary="Where a worker brings the terminal of an attempt; the first frame, `auth`, carries the credentials.",
    frames={"client": WORKER_FRAMES, "server": TOLD_FRAMES},
)
async def worker(socket: Socket, task_id: str, db: Database, terminals: Broker, worker_tokens: AccessTokens) -> None:
    auth = await introduced(socket, frames.WorkerAuth)
    about = subject(number(task_id) or 0)

    def redeem(tx: Tx) -> tuple[Worker, ChannelToken | None] | None:
        one = _worker(tx, worker_tokens, auth.worker_jwt)
        return None if one is None else (one, tokens.redeem_by_worker(tx, auth.channel_token, about, one.id))

    found = await db.write(redeem)
    if found is None:
        await refuse(socket, frames.UNAUTHENTICATED, "this worker is not known")
    one, token = found
    if token is None or token.attempt is None:
        await refuse(socket, frames.SPENT, "this channel token is unknown, used, expired, or made for something else")
    attempt, fence = token.attempt, token.fence
    socket.proven()

    def opening(opened: frames.PtyOpen) -> Opening:
        return Opening(
            about,
            attempt,
            Size(opened.cols, opened.rows),
            worker_id=one.id,
            offset=opened.offset,
            asks=lambda tx: _worker(tx, worker_tokens, auth.worker_jwt) is not None,
            fence=fence,
        )

    ready = frames.WorkerReady(
        task_id=number(task_id) or 0, offset=terminals.known_offset(about, attempt, fence), window=WINDOW
    )
    await WorkerSide(terminals, socket, opening).serve(ready)
