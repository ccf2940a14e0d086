"""The viewers' side of a terminal of a task, from the contract (tasks §5): one who types, many who watch, replay with
offsets, channel tokens that are good once. The terminal itself is in the test's hand. Beside it, at the same address,
answers the tasks API; connections can be cut as a network does it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from fakes.tasks_api import AT, TOKEN, Row, TasksApi

BAD_FRAME, UNAUTHENTICATED, FORBIDDEN, GONE, TOO_LATE = 4400, 4401, 4403, 4404, 4408
SIZE = {"cols": 80, "rows": 24}
AUTH = {"type", "token", "channelToken", "mode", "takeover", "sessionId", "cols", "rows", "sinceOffset"}
FRAMES = {
    "resize": {"cols", "rows"}, "ping": set(), "pong": set(), "control_request": set(), "control_release": set(),
    "signal": {"name"}, "input": {"data"},
}  # fmt: skip


@dataclass
class Viewer:
    socket: ServerConnection
    session: str
    user: str
    mode: str
    out: asyncio.Queue[bytes | str] = field(default_factory=asyncio.Queue)

    def tell(self, frame: Row) -> None:
        self.out.put_nowait(json.dumps(frame))


class PtyServer:
    """The terminal of task 42. What a test reads: `typed`, `frames`, `hellos`, `modes` of tokens, and `wrong`."""

    def __init__(self, api: TasksApi, *, limit: int = 256 << 10) -> None:
        self.api = api
        self.limit = limit
        self.history = b""
        self.size = dict(SIZE)
        self.typed = b""
        self.frames: list[Row] = []
        self.hellos: list[Row] = []
        self.modes: list[str] = []
        self.wrong: list[str] = []
        self.ended = False
        self.echo = False
        self.refuse: int | None = None
        self.welcome: Callable[[], None] | None = None
        """Called on a thread once somebody has been let in."""
        self.viewers: list[Viewer] = []
        self.holder: Row | None = None
        self._tickets: dict[str, str] = {}
        self._pipes: set[asyncio.StreamWriter] = set()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.url = ""
        api.issue = self._issue

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(20)

    async def _open(self) -> None:
        self._sockets = await serve(self._viewer, "127.0.0.1", 0, max_size=1 << 20)
        self._inner = next(iter(self._sockets.sockets)).getsockname()[1]
        self._front = await asyncio.start_server(self._guest, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._front.sockets[0].getsockname()[1]}"

    async def _close(self) -> None:
        self._front.close()
        self._sockets.close()
        for pipe in [*self._pipes]:
            pipe.transport.abort()
        await self._sockets.wait_closed()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def write(self, data: bytes) -> None:
        """The program writes."""
        self._run(self._now(lambda: self._written(data)))

    def exit(self, code: int | None) -> None:
        """The program ends."""
        self._run(self._now(lambda: self._exited(code)))

    def cut(self) -> None:
        """Every connection of viewers breaks, without a word."""
        self._run(self._now(self._broken))

    def close(self, code: int, message: str = "") -> None:
        """The server ends every viewer's connection with a code."""
        self._run(self._all_closed(code, message))

    def say(self, text: str | Row) -> None:
        """Whatever frame a test wants."""
        told = text if isinstance(text, str) else json.dumps(text)
        self._run(self._now(lambda: [one.out.put_nowait(told) for one in self.viewers]))

    def taken(self, user: str | None) -> None:
        """Somebody else takes the keyboard, or nobody has it any more."""
        holder = None if user is None else {"sessionId": "s-other", "user": user}
        self._run(self._now(lambda: self._hold(holder)))

    def behind(self) -> None:
        """Every viewer was too slow: all is shown again."""
        self._run(self._now(lambda: [self._replay(one, None) for one in self.viewers]))

    def until(self, done: Callable[[], Any], seconds: float = 30) -> Any:
        """Wait until something of the above is so."""
        with self._changed:
            assert self._changed.wait_for(done, seconds), "it did not come to that"
        return done()

    async def _now(self, act: Callable[[], Any]) -> None:
        act()
        self._told()

    def _told(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _issue(self, number: int, mode: str) -> Row:
        ticket = secrets.token_urlsafe(32)
        self._tickets[ticket] = mode
        self.modes.append(mode)
        return {"channelToken": ticket, "expiresAt": AT, "wsPath": f"/ws/pty/{number}", "mode": mode}

    async def _guest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One address for both: sockets below /ws/, everything else is the API's."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            socket = head.startswith(b"GET /ws/")
            there, out = await asyncio.open_connection("127.0.0.1", self._inner if socket else self.api.port)
            out.write(head)
            if socket:
                self._pipes |= {writer, out}
            await asyncio.gather(_piped(reader, out), _piped(there, writer))
            self._pipes -= {writer, out}

    def _broken(self) -> None:
        self.viewers.clear()
        for pipe in [*self._pipes]:
            pipe.transport.abort()
        self._pipes.clear()

    async def _all_closed(self, code: int, message: str) -> None:
        viewers, self.viewers = self.viewers, []
        for one in viewers:
            await one.socket.send(json.dumps({"type": "error", "code": "CLOSED", "message": message}))
            await one.socket.close(code)

    async def _viewer(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            viewer = await self._admitted(socket)
            if viewer is None:
                return
            sending = asyncio.ensure_future(self._sends(viewer))
            try:
                async for message in socket:
                    await self._received(viewer, message)
            finally:
                sending.cancel()
                self.viewers = [one for one in self.viewers if one is not viewer]
                self._told()

    async def _sends(self, viewer: Viewer) -> None:
        with suppress(ConnectionClosed):
            while True:
                message = await viewer.out.get()
                await viewer.socket.send(message)
                if isinstance(message, str) and message.startswith('{"type": "exit"'):
                    await viewer.socket.close(1000)

    async def _admitted(self, socket: ServerConnection) -> Viewer | None:
        try:
            hello = json.loads(await asyncio.wait_for(socket.recv(), 5))
        except TimeoutError:
            await socket.close(TOO_LATE)
            return None
        self.hellos.append(hello)
        if hello.get("type") != "auth" or set(hello) - AUTH or hello.get("token") in str(socket.request.path):
            self.wrong.append(f"no auth frame: {hello}")
        mode = self._tickets.pop(str(hello.get("channelToken")), None)
        code = self.refuse or (UNAUTHENTICATED if mode is None or hello.get("token") != TOKEN else None)
        code = code or (GONE if self.ended else None)
        code = code or (FORBIDDEN if mode == "watch" and hello.get("mode") == "control" else None)
        if code is not None:
            await socket.close(code)
            self._told()
            return None
        viewer = Viewer(socket, f"s-{len(self.hellos)}", "ada", "watch")
        me = {"sessionId": viewer.session, "user": viewer.user}
        if hello.get("mode") == "control":
            from_them = hello.get("sessionId") in {None, (self.holder or {}).get("sessionId")}
            if hello.get("takeover") and self.holder is not None and not from_them:
                viewer.tell({"type": "error", "code": "HOLDER_CHANGED", "message": "Somebody else types here by now."})
            if self.holder is None or (hello.get("takeover") and from_them):
                viewer.mode = "control"
                self._hold(me)
                self.size = {"cols": hello["cols"], "rows": hello["rows"]}
        viewer.tell(
            {"type": "ready", "taskId": 42, "sessionId": viewer.session, "mode": viewer.mode, **self.size,
             "holder": self.holder, "offset": len(self.history)}
        )  # fmt: skip
        self._replay(viewer, hello.get("sinceOffset"))
        self.viewers.append(viewer)
        if self.welcome is not None:
            threading.Thread(target=self.welcome, daemon=True).start()
        self._told()
        return viewer

    def _hold(self, holder: Row | None) -> None:
        self.holder = holder
        for one in self.viewers:
            one.mode = "control" if holder is not None and one.session == holder["sessionId"] else "watch"
            one.tell({"type": "control", "holder": holder})

    def _replay(self, viewer: Viewer, since: int | None) -> None:
        kept = max(len(self.history) - self.limit, 0)
        resumed = since is not None and kept <= since <= len(self.history)
        missed = self.history[since:] if resumed else b"\x1bc" + self.history[kept:]
        viewer.tell(
            {"type": "replay_begin", "bytes": len(missed), **self.size, "offset": len(self.history), "resumed": resumed}
        )
        if missed:
            viewer.out.put_nowait(missed)
        viewer.tell({"type": "replay_end"})

    def _written(self, data: bytes) -> None:
        self.history += data
        for one in self.viewers:
            one.out.put_nowait(data)

    def _exited(self, code: int | None) -> None:
        self.ended = True
        for one in self.viewers:
            one.tell({"type": "exit", "code": code})

    async def _received(self, viewer: Viewer, message: str | bytes) -> None:
        frame: Row = {"type": "input", "data": message} if isinstance(message, bytes) else json.loads(message)
        kind = str(frame.get("type"))
        if kind not in FRAMES or set(frame) != FRAMES[kind] | {"type"}:
            self.wrong.append(f"no frame of the contract: {frame}")
            await viewer.socket.close(BAD_FRAME)
            return
        if kind == "input":
            if viewer.mode != "control":
                viewer.tell({"type": "error", "code": "READ_ONLY", "message": "You only watch."})
            else:
                self.typed += message if isinstance(message, bytes) else message.encode()
                if self.echo:
                    self._written(bytes(frame["data"]))
        else:
            self.frames.append(frame)
        if kind == "control_request" and self.holder is None:
            self._hold({"sessionId": viewer.session, "user": viewer.user})
        if kind == "resize":
            sound = 2 <= frame["cols"] <= 500 and 1 <= frame["rows"] <= 300
            if not sound or viewer.mode != "control":
                self.wrong.append(f"{viewer.mode} sends {frame}")
            else:
                self.size = {"cols": frame["cols"], "rows": frame["rows"]}
                for one in self.viewers:
                    one.tell({"type": "resized", **self.size})
        self._told()


async def _piped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()
