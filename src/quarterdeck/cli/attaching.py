"""The terminal of an agent task in this one (contract: tasks §5): output and keys, replay, and coming back after a cut.

The first frame proves who we are, with a channel token that is good once and never stands in an address. What the
server sends as bytes is the terminal's output, what we send as bytes is typed; everything else is JSON. Offsets count
the bytes of output since the terminal began: `ready` says the one that we have reached once the replay is over.
"""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from quarterdeck.cli.client import AGENT, Api, loopback, not_ours, trusted
from quarterdeck.cli.detaching import TAUGHT, Keys
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.raw_terminal import RawTerminal
from quarterdeck.cli.tasks import Row

T = TypeVar("T")
TRIES = 10
SOON, LONGEST = 0.25, 10.0
"""Seconds between two tries: the first time, doubled each time, and at most."""
MOST_EARLY = 4096
STEADY = 5.0
"""Seconds after which a connection has stood: the next cut is a first one again."""
HIDDEN = 2
"""Failed tries that are told in the title alone."""
NOBODY = "nobody"
RESET = b"\x1bc"
LARGEST = 16 << 20
"""Bytes of one frame: more than any replay."""
SILENCE = 20.0
"""Seconds between two signs of life, and how long the answer may take."""
UNAUTHENTICATED, FORBIDDEN, ENDED, NORMAL = 4401, 4403, 4404, 1000
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Wanted:
    """What was typed. `session` is that of the holder whose keyboard is taken."""

    task: str
    watch: bool = False
    takeover: bool = False
    session: str | None = None


@dataclass(frozen=True)
class Ending:
    """`exit`: the program has ended, with this code, if it is known. `detached`: the person has left. `signal`: we were
    told to end, by this one.
    """

    how: str
    code: int | None = None
    reason: str = ""


@dataclass
class Attachment:
    """One person at one terminal, over as many connections as it takes."""

    api: Api
    wanted: Wanted
    local: RawTerminal
    keys: Keys = field(default_factory=Keys)
    holds: bool = False
    """Whether what is typed here counts."""
    session: str | None = None
    """Ours, once the server has said it."""
    reached: int | None = None
    _early: bytes = b""
    """What was typed before the first connection stood."""
    _met: bool = False
    _away: bool = False
    _holder: str = NOBODY
    _size: tuple[int, int] = (0, 0)
    _head: int | None = None
    """Where the output stands, as far as the server has said it."""
    _fresh: bool = False
    """Let in, and nothing shown yet."""
    _replaying: bool = False
    _error: Row = field(default_factory=dict)
    _out: asyncio.Queue[bytes | str] | None = None
    _over: asyncio.Future[Ending] | None = None

    async def run(self) -> Ending:
        """Until the program ends or the person leaves. Raises `Failure`."""
        loop = asyncio.get_running_loop()
        over = self._over = loop.create_future()
        loop.add_signal_handler(signal.SIGWINCH, self._resized)
        loop.add_signal_handler(signal.SIGCONT, self._continued)
        for number in SIGNALS:
            loop.add_signal_handler(number, self._leave, Ending("signal", int(number)))
        with self.local:
            loop.add_reader(self.local.keys, self._typed)
            talk = asyncio.ensure_future(self._talking())
            try:
                await asyncio.wait({talk, over}, return_when=asyncio.FIRST_COMPLETED)
                return talk.result() if talk.done() else over.result()
            finally:
                loop.remove_reader(self.local.keys)
                talk.cancel()
                await asyncio.wait({talk}, timeout=2)

    def _leave(self, ending: Ending) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(ending)

    def _typed(self) -> None:
        data = self.local.read()
        if not data:
            self._leave(Ending("signal", int(signal.SIGHUP)))
            return
        on, leave = self.keys.typed(data)
        if on and self.holds and self._out is not None:
            self._out.put_nowait(on)
        elif on and self.session is None and not self.wanted.watch and len(self._early) < MOST_EARLY:
            self._early += on
        elif on:
            self.local.show(b"\x07")
            if self._holder == NOBODY and not self.wanted.watch:
                self._tell({"type": "control_request"})
        if leave:
            self._leave(Ending("detached"))

    def _resized(self) -> None:
        columns, rows = self.local.size
        if self.holds:
            self._tell({"type": "resize", "cols": columns, "rows": rows})

    def _continued(self) -> None:
        self.local.raw()
        self._resized()

    def _tell(self, frame: Row) -> None:
        if self._out is not None:
            self._out.put_nowait(json.dumps(frame))

    async def _talking(self) -> Ending:
        """Connections, one after the other: a cut one is taken up again where it broke off."""
        failed, loop = 0, asyncio.get_running_loop()
        while True:
            self._met, began = False, loop.time()
            try:
                ending = await self._connection()
            except Failure as failure:
                if self.session is None or failure.exit is not Exit.UNREACHABLE or failure.code == "not_quarterdeck":
                    raise self._said(failure) from None
                ending = None
            if ending is not None:
                return ending
            failed = 0 if self._met and loop.time() - began > STEADY else failed + 1
            if failed > TRIES or (self.session is None and failed > 2):
                raise self._lost()
            pause = min(SOON * 2 ** (failed - 1), LONGEST) if failed else 0.0
            self.local.title(f"#{self.wanted.task}: reconnecting ({TAUGHT} detaches)")
            if failed > HIDDEN:
                self.local.bar(f" Reconnecting, {pause:.0f} s. {TAUGHT} detaches. ")
                self.reached = None  # the bar stands in the picture: only a whole replay draws it anew
            await asyncio.sleep(pause)

    def _lost(self) -> Failure:
        return Failure(
            f"The connection to the terminal of task #{self.wanted.task} keeps breaking; the task goes on.",
            exit=Exit.UNREACHABLE,
            code="terminal_unreachable",
            hint=f"qd attach {self.wanted.task}",
        )

    def _said(self, failure: Failure) -> Failure:
        """What a refused token means here."""
        task = self.wanted.task
        if failure.exit is Exit.CONFLICT:
            failure.hint = failure.hint or f"qd task logs {task}"
        if failure.exit is Exit.NOT_ALLOWED and not self.wanted.watch:
            failure.hint = failure.hint or f"qd attach {task} --watch"
        if failure.exit is Exit.NOT_FOUND:
            failure.hint = failure.hint or "qd task list --status running"
        return failure

    async def _connection(self) -> Ending | None:
        """One connection. None: it was cut."""
        first = self.session is None
        mode = "control" if (not self.wanted.watch if first else self.holds) else "watch"
        ticket: Row = await _aside(lambda: self.api.change("tasks.pty-token", {"mode": mode}, taskId=self.wanted.task))
        try:
            async with connect(
                self._address(str(ticket["wsPath"])), max_size=LARGEST, ping_interval=SILENCE, ping_timeout=SILENCE,
                open_timeout=10, close_timeout=1, user_agent_header=AGENT,
                proxy=None if loopback(self.api.profile.url) else True,
                ssl=trusted(self.api.profile) if self.api.profile.url.startswith("https:") else None,
            ) as socket:  # fmt: skip
                await socket.send(json.dumps(self._hello(ticket, mode, first=first)))
                return await self._conversation(socket)
        except ConnectionClosed:
            return None
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI):
            return None
        finally:
            self._out = None

    def _address(self, path: str) -> str:
        scheme, _, host = self.api.profile.url.partition("://")
        return f"{'wss' if scheme == 'https' else 'ws'}://{host}{path}"

    def _hello(self, ticket: Row, mode: str, *, first: bool) -> Row:
        columns, rows = self.local.size
        hello: Row = {"type": "auth", "token": self.api.profile.token, "channelToken": ticket["channelToken"]}
        hello |= {"mode": mode, "cols": columns, "rows": rows}
        # Our own session of before may still count as the holder, until the server sees that it is cut.
        session = self.wanted.session if first else self.session
        if self.wanted.takeover if first else self.holds:
            hello |= {"takeover": True} | ({"sessionId": session} if session is not None else {})
        if self.reached is not None:
            hello["sinceOffset"] = self.reached
        return hello

    async def _conversation(self, socket: ClientConnection) -> Ending | None:
        self._out, self._replaying = asyncio.Queue(), False
        writer = asyncio.ensure_future(self._sends(socket, self._out))
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    await self._shown(message)
                elif (ending := self._frame(self._read(message))) is not None:
                    return ending
        except ConnectionClosed:
            pass
        finally:
            writer.cancel()
        return self._closed(socket.close_code, socket.close_reason)

    def _read(self, message: str) -> Row:
        try:
            frame = json.loads(message)
        except ValueError:
            frame = None
        if not isinstance(frame, dict):
            raise not_ours(self.api.profile.url)
        return frame

    async def _sends(self, socket: ClientConnection, out: asyncio.Queue[bytes | str]) -> None:
        while True:
            await socket.send(await out.get())

    async def _shown(self, data: bytes) -> None:
        if self._fresh and not self._replaying:
            self._fresh, self.reached = False, self._head  # there was nothing to replay
        if self._replaying and data.startswith(RESET):
            self.reached = None
        if self.reached is not None:
            self.reached += len(data)
        loop, written = asyncio.get_running_loop(), asyncio.Event()
        self.local.show(data, lambda: _told(loop, written.set))
        await written.wait()

    def _frame(self, frame: Row) -> Ending | None:
        match frame.get("type"):
            case "ready":
                self._ready(frame)
            case "replay_begin":
                self._replay(frame)
            case "replay_end":
                self._replaying = self._fresh = False
                self.reached = frame.get("offset") or self._head
            case "control":
                self._held_by(frame.get("holder") or {})
            case "resized":
                self._sized(frame)
            case "worker":
                self._away = not frame.get("connected")
                self._called()
            case "control_request":
                self.local.title(f"#{self.wanted.task}: {frame.get('user') or 'somebody'} asks for the keyboard")
            case "ping":
                self._tell({"type": "pong"})
            case "error":
                self._error = frame
            case "exit":
                return Ending("exit", frame.get("code"), str(frame.get("reason") or ""))
        return None

    def _replay(self, frame: Row) -> None:
        """What goes on where we were is as long as what we have missed, and counted, so that a cut in its midst loses
        nothing. Anything else begins anew with a reset: only its end is a place to go on from.
        """
        if self.reached is None or not self._fresh or frame.get("bytes") != (self._head or 0) - self.reached:
            self.reached = None
        if not self._fresh:
            self._head = frame.get("offset")
        self._replaying = True

    def _ready(self, frame: Row) -> None:
        self.session, self._head = str(frame.get("sessionId") or ""), frame.get("offset")
        self._met = self._fresh = True
        self.holds = frame.get("mode") == "control"
        self._holder = str((frame.get("holder") or {}).get("user") or NOBODY)
        self._sized(frame)
        early, self._early = self._early, b""
        if self.holds and self._size != self.local.size:
            self._resized()
        if self.holds and early and self._out is not None:
            self._out.put_nowait(early)

    def _sized(self, frame: Row) -> None:
        self._size = (int(frame.get("cols") or 0), int(frame.get("rows") or 0))
        self._called()

    def _held_by(self, holder: Row) -> None:
        had = self.holds
        self.holds = holder.get("sessionId") == self.session and not self.wanted.watch
        self._holder = str(holder.get("user") or NOBODY)
        self._called()
        if had and not self.holds:
            self.local.show(b"\x07")
        elif self.holds and not had:
            self._resized()

    def _called(self) -> None:
        """How it stands, in the title of the window: a line on the screen would disturb what is drawn there."""
        columns, rows = self.local.size
        said = [f"#{self.wanted.task}"]
        if not self.holds:
            said.append(f"{self._holder} has the keyboard")
        if self._size[0] > columns or self._size[1] > rows:
            said.append(f"it is {self._size[0]} by {self._size[1]}, larger than this window")
        if self._away:
            said.append("the machine is away")
        self.local.title(f"{', '.join(said)} ({TAUGHT} detaches)")

    def _closed(self, code: int | None, reason: str | None) -> Ending | None:
        """What a closed connection means. None: a cut. Raises `Failure` where it is final."""
        task = self.wanted.task
        said = str(self._error.get("message") or reason or "").rstrip(".")
        if code == FORBIDDEN:
            raise Failure(
                f"The terminal of task #{task} is closed to you: {said or 'you may not have it'}.",
                exit=Exit.NOT_ALLOWED,
                code="terminal_forbidden",
                hint=f"qd task show {task}" if self.wanted.watch else f"qd attach {task} --watch",
            )
        if code == ENDED:
            raise Failure(
                f"Task #{task} has no terminal any more.",
                exit=Exit.CONFLICT,
                code="terminal_ended",
                hint=f"qd task logs {task}",
            )
        if code == UNAUTHENTICATED and self.session is None:
            raise Failure(
                f"The server did not let us to the terminal of task #{task}: {said or 'the credential is not taken'}.",
                exit=Exit.NOT_SIGNED_IN,
                code="terminal_unauthenticated",
                hint=f"qd login {self.api.profile.url}",
            )
        return Ending("exit") if code == NORMAL else None


def _told(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """From the thread of the screen; after the end nobody listens."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


async def _aside(ask: Callable[[], T]) -> T:
    """What blocks, on a thread that nobody waits for when the person leaves meanwhile."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(value: T | BaseException) -> None:
        if answer.cancelled():
            return
        if isinstance(value, BaseException):
            answer.set_exception(value)
        else:
            answer.set_result(value)

    def work() -> None:
        value: T | BaseException
        try:
            value = ask()
        except BaseException as failed:  # noqa: BLE001 - it is raised again where it is awaited
            value = failed
        _told(loop, lambda: settle(value))

    threading.Thread(target=work, daemon=True, name="ticket").start()
    return await answer
