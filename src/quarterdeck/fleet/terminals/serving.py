"""What is said on an open socket of a terminal, from the moment on that it is known who is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from quarterdeck.fleet.terminals import frames
from quarterdeck.fleet.terminals.broker import Broker, Opening
from quarterdeck.fleet.terminals.drawing import PICTURE
from quarterdeck.fleet.terminals.history import SMALLEST, Size
from quarterdeck.fleet.terminals.screen import Screen
from quarterdeck.fleet.terminals.terminal import Line, Terminal
from quarterdeck.fleet.terminals.turns import turns
from quarterdeck.fleet.terminals.viewing import Left, Viewer
from quarterdeck.kernel.errors import Conflict, NotFound, Problem
from quarterdeck.kernel.unreadable import UNREADABLE

WINDOW = 256 << 10
"""Bytes that a worker may send before they are acknowledged."""
ACKED = 32 << 10
WORKER_OPENS = 10.0
AT_ONCE, A_SECOND, BYTES = 1000, 200, 4 << 10
"""Frames that a viewer may send at once, and a second from then on. One that is longer counts for each so many bytes.
Keys, a mouse and a window that is being sized are less; what is pasted is few and long.
"""


class Peer(Protocol):
    """The other end. Every method raises once the connection has ended."""

    async def send(self, frame: Any) -> None: ...

    async def receive(self) -> str | bytes: ...

    async def close(self, code: int, reason: str) -> None: ...


async def serve_viewer(broker: Broker, terminal: Terminal, viewer: Viewer, peer: Peer) -> None:
    """Until one of them leaves; whoever calls this has them depart."""
    await _both(peer, viewer.next, _viewer_says(broker, terminal, viewer, peer))


async def _both(peer: Peer, following: Callable[[], Awaitable[Any]], listening: Coroutine[Any, Any, None]) -> None:
    """Send what comes and listen; where either ends, both do."""

    async def tell() -> None:
        try:
            while True:
                await peer.send(await following())
        except Left as left:
            await peer.close(left.code, left.reason)

    tasks = [asyncio.ensure_future(tell()), asyncio.ensure_future(listening)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


class Allowance:
    """How much a viewer may still send, as of some time of the loop."""

    def __init__(self) -> None:
        self._left, self._since = float(AT_ONCE), asyncio.get_running_loop().time()

    def spend(self, said: str | bytes) -> bool:
        """Whether there was enough for a frame."""
        now = asyncio.get_running_loop().time()
        self._left = min(AT_ONCE, self._left + (now - self._since) * A_SECOND) - 1 - len(said) // BYTES
        self._since = now
        return self._left >= 0


async def _viewer_says(broker: Broker, terminal: Terminal, viewer: Viewer, peer: Peer) -> None:
    allowance = Allowance()
    while True:
        said = await peer.receive()
        if not allowance.spend(said):
            told = f"You sent more than {A_SECOND} frames a second: come again, and send less."
            viewer.dismiss(frames.TOO_MANY, "too many frames", frames.Error(code="TOO_MANY_FRAMES", message=told))
            terminal.depart(viewer)
            await asyncio.Event().wait()  # the other half says goodbye, and nothing is read any more
        if isinstance(said, bytes):
            terminal.typed(viewer, said)
            continue
        try:
            frame = frames.from_viewer(said)
        except UNREADABLE:
            viewer.tell(frames.Error(code="BAD_FRAME", message="This is no frame of a terminal, or has a wrong value."))
            continue
        match frame:
            case frames.Input():
                terminal.typed(viewer, frame.data.encode(errors="replace"))
            case frames.Resize():
                terminal.sized(viewer, Size(frame.cols, frame.rows))
            case frames.Signal():
                terminal.signalled(viewer, frame.name)
            case frames.Ping():
                viewer.tell(frames.Pong())
            case frames.ControlRelease():
                if terminal.holder is viewer:
                    terminal.hold(next(iter(terminal.asking), None))
            case frames.ControlRequest():
                await ask(broker, terminal, viewer, takeover=frame.takeover, holder=frame.session_id)
            case frames.Pong():
                pass


async def ask(broker: Broker, terminal: Terminal, viewer: Viewer, *, takeover: bool, holder: str | None) -> None:
    """Control, at once or when the holder gives it; a refusal is told."""
    try:
        if takeover:
            await broker.take(terminal.subject, viewer, holder)
        elif not viewer.may_control:
            viewer.tell(frames.Error(code="READ_ONLY", message="You may only watch this terminal."))
        else:
            terminal.ask(viewer)
    except Problem as problem:
        viewer.tell(frames.Error(code=problem.code.upper(), message=problem.message))


class WorkerSide:
    """The server's half of a worker's connection."""

    def __init__(self, broker: Broker, peer: Peer, opening: Callable[[frames.PtyOpen], Opening]) -> None:
        self._broker, self._peer, self._opening = broker, peer, opening
        self._skipped = 0
        self._turns = turns()
        self._picture: bytearray | None = None
        self._shown = Screen(*SMALLEST)
        """What the picture shows, as far as it has come."""
        self._anew: frames.ReplayBegin | None = None
        self._since_ack = 0

    async def serve(self, ready: frames.WorkerReady) -> None:
        """Until the program ends, the connection does, or another takes its place."""
        await self._peer.send(ready)
        line = await self._opened()
        if line is None:
            return
        terminal = line.terminal
        try:
            await _both(self._peer, line.next, self._listen(line, terminal))
        finally:
            await self._broker.detach(line)

    async def _opened(self) -> Line | None:
        try:
            async with asyncio.timeout(WORKER_OPENS):
                said = await self._peer.receive()
            frame = frames.from_worker(said) if isinstance(said, str) else None
        except (TimeoutError, *UNREADABLE):
            frame = None
        if not isinstance(frame, frames.PtyOpen):
            await self._peer.close(frames.BAD_FRAME, "pty_open comes first")
            return None
        opening = self._opening(frame)
        head = self._broker.known_offset(opening.subject, opening.attempt, opening.fence)
        try:
            line = await self._broker.open(opening)
        except NotFound as problem:
            await self._peer.close(frames.GONE, problem.message)
            return None
        except Conflict as problem:
            await self._peer.close(frames.FORBIDDEN, problem.message)
            return None
        except Problem as problem:
            await self._peer.close(frames.BAD_FRAME, problem.message)
            return None
        if opening.offset is not None:
            self._skipped = max(head - opening.offset, 0)  # it sends again what is here already
        size = line.terminal.history.size
        if size != opening.size:
            line.size(size)
        return line

    async def _listen(self, line: Line, terminal: Terminal) -> None:
        while True:
            said = await self._peer.receive()
            if isinstance(said, bytes):
                await self._output(line, terminal, said)
                continue
            try:
                frame = frames.from_worker(said)
            except UNREADABLE:
                await self._peer.close(frames.BAD_FRAME, "not a frame of a worker's terminal")
                return
            match frame:
                case frames.Exit():
                    await self._broker.exited(line, frame.code, frame.reason[:40])
                    await asyncio.Event().wait()  # the other half says goodbye
                case frames.Ping():
                    line.put(frames.Pong())
                case frames.Resized():
                    line.resized(Size(frame.cols, frame.rows))
                case frames.ReplayBegin():
                    self._picture, self._anew = bytearray(), frame
                    self._shown = Screen(frame.cols, frame.rows)
                case frames.ReplayEnd() if self._anew is not None and self._picture is not None:
                    anew, picture = self._anew, bytes(self._picture)
                    self._picture = self._anew = None
                    self._skipped = 0
                    line.restart(anew.offset, Size(anew.cols, anew.rows), picture, self._shown)
                case _:
                    pass

    async def _output(self, line: Line, terminal: Terminal, data: bytes) -> None:
        if self._picture is not None:
            if len(self._picture) + len(data) <= PICTURE:
                self._picture += data
                await self._turns.take(data, self._shown.feed)
            return
        self._since_ack += len(data)
        if self._skipped:
            skipped = min(self._skipped, len(data))
            self._skipped -= skipped
            data = data[skipped:]
        await self._turns.take(data, line.output)
        if self._since_ack >= ACKED:
            self._since_ack = 0
            line.put(frames.Ack(offset=terminal.history.head - self._skipped))
