"""One terminal on the server: its output once in, as often out as somebody watches; one of them types."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from quarterdeck.fleet.terminals import frames
from quarterdeck.fleet.terminals.history import History, Replay, Size
from quarterdeck.fleet.terminals.recording import Recording
from quarterdeck.fleet.terminals.screen import Screen
from quarterdeck.fleet.terminals.turns import turns
from quarterdeck.fleet.terminals.viewing import Left, Viewer

TYPED = 1 << 20
"""Bytes of input that may wait for a worker."""
SIZED_SECONDS = 0.1
"""Between two sizes that viewers ask for: of those that come meanwhile the newest counts."""
ASKED = 16
"""Sizes that are remembered until a worker has answered: not every worker does."""


class Line:
    """The worker's end: what it reports goes in, what it is told comes out of `next`."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._queue: deque[bytes | frames.Frame] = deque()
        self._waiting = 0
        self._over: Left | None = None
        self._arrived = asyncio.Event()
        self._asked: list[Size] = []

    @property
    def current(self) -> bool:
        """Whether no newer connection has come in its place."""
        return self.terminal.line is self

    def output(self, data: bytes) -> None:
        if self.current:
            self.terminal.output(data)

    def resized(self, size: Size) -> None:
        """The worker's word on a size. One that was asked for counts from the moment of asking on, so that its echo
        changes nothing, unless the worker said another one meanwhile.
        """
        if size in self._asked:
            del self._asked[: self._asked.index(size) + 1]
            if self._asked:
                return
        if self.current and size.sound:
            self.terminal.resized(size)

    def size(self, size: Size) -> None:
        """Ask for a size."""
        self._asked = [*self._asked[-ASKED:], size]
        self.put(frames.Resize(cols=size.columns, rows=size.rows))

    def restart(self, offset: int, size: Size, picture: bytes, before: Screen | None = None) -> None:
        """What was shown between is lost; the picture shows the screen as it is at `offset`, as `before` does."""
        if self.current and size.sound:
            self.terminal.restart(offset, size, picture, before)

    def put(self, item: bytes | frames.Frame) -> bool:
        """Whether there was room."""
        size = len(item) if isinstance(item, bytes) else 100
        if self._waiting + size > TYPED or self._over is not None:
            return False
        self._queue.append(item)
        self._waiting += size
        self._arrived.set()
        return True

    def leave(self, code: int, reason: str) -> None:
        self._over = self._over or Left(code, reason)
        self._arrived.set()

    async def next(self) -> Any:
        """Bytes that were typed, or a frame. Raises `Left`."""
        while not self._queue:
            if self._over is not None:
                raise self._over
            self._arrived.clear()
            await self._arrived.wait()
        item = self._queue.popleft()
        self._waiting -= len(item) if isinstance(item, bytes) else 100
        return item


class Terminal:
    """Everything here is done at once, on the event loop: an order of things exists, and replay and live keep it."""

    def __init__(
        self,
        subject: str,
        uid: str,
        organization_id: int,
        attempt: tuple[int, int],
        history: History,
        recording: Recording,
    ) -> None:
        """`attempt`: its number, and its job."""
        self.subject, self.uid = subject, uid
        self.organization_id, self.attempt = organization_id, attempt
        self.worker_id: int | None = None
        self.history, self.recording = history, recording
        self.viewers: dict[str, Viewer] = {}
        self.holder: Viewer | None = None
        self.asking: list[Viewer] = []
        self.line: Line | None = None
        self.away_since: float | None = None
        self.over = False
        self._wanted: Size | None = None
        self._sizing: asyncio.TimerHandle | None = None

    # The worker's side.

    def attach(self) -> Line:
        """A connection of the worker; one before it ends."""
        if self.line is not None:
            self.line.leave(frames.SUPERSEDED, "a newer connection of this worker")
        self.line = line = Line(self)
        self.away_since = None
        if self.holder is not None:
            line.put(frames.Control(holder=self.holder.holder))
        self._all(frames.WorkerState(connected=True))
        return line

    def detach(self, line: Line, now: float) -> None:
        if self.line is line:
            self.line, self.away_since = None, now
            if not self.over:
                self._all(frames.WorkerState(connected=False))

    def output(self, data: bytes) -> None:
        self.history.add(data)
        self.recording.output(data)
        for viewer in self.viewers.values():
            viewer.output(data)

    def resized(self, size: Size) -> None:
        if size == self.history.size:
            return
        self.history.resize(size)
        self.recording.resized(size)
        for viewer in self.viewers.values():
            viewer.resized(size)

    def restart(self, offset: int, size: Size, picture: bytes, before: Screen | None = None) -> None:
        if size != self.history.size:
            self.recording.resized(size)
        self.history.restart(offset, size, picture, before)
        self.recording.output(picture)
        for viewer in self.viewers.values():
            viewer.show_anew()

    def end(self, code: int | None, reason: str) -> None:
        """Told to everybody; nothing can be done with it afterwards."""
        if self.over:
            return
        self.over = True
        if self._sizing is not None:
            self._sizing.cancel()
        self._all(frames.Exit(code=code, reason=reason))
        for viewer in self.viewers.values():
            viewer.leave(1000, reason)
        if self.line is not None:
            self.line.put(frames.Exit(code=code, reason=reason))
            self.line.leave(1000, reason)
        self.recording.close()

    # The viewers' side.

    def join(self, viewer: Viewer, since: int | None) -> None:
        """Show a viewer the terminal; what comes from now on comes behind that."""
        again = None if since is None else self.history.since(since)
        viewer.show(again or self.replay())
        self.viewers[viewer.session_id] = viewer
        self._count()

    def replay(self) -> Replay:
        return turns().at_once(self.history.whole)

    def depart(self, viewer: Viewer) -> None:
        if self.viewers.get(viewer.session_id) is viewer:
            del self.viewers[viewer.session_id]
            self._forget(viewer)
            self._count()

    def _forget(self, viewer: Viewer) -> None:
        """It types no more and asks no more."""
        self.asking = [one for one in self.asking if one is not viewer]
        if self.holder is viewer:
            self.hold(next(iter(self.asking), None))

    def hold(self, viewer: Viewer | None) -> None:
        """Who types from here on."""
        if viewer is self.holder:
            return
        self.holder = viewer
        self.asking = [one for one in self.asking if one is not viewer]
        holder = None if viewer is None else viewer.holder
        for one in self.viewers.values():
            one.tell(frames.Control(holder=holder, mode="control" if one is viewer else "watch"))
        if self.line is not None:
            self.line.put(frames.Control(holder=holder))

    def judge(self, viewer: Viewer, right: str | None) -> None:
        """What a viewer may has been asked again."""
        if right is None:
            last = frames.Error(code="FORBIDDEN", message="You may not see this terminal any more.")
            viewer.dismiss(frames.FORBIDDEN, "no longer allowed", last)
            self.depart(viewer)
        elif right == "view" and viewer.right == "act":
            viewer.right = "view"
            self._forget(viewer)
            viewer.tell(frames.Error(code="READ_ONLY", message="You may only watch this terminal from now on."))
        elif right == "act":
            viewer.right = "act"

    def ask(self, viewer: Viewer) -> None:
        """Let a viewer type where nobody does; else the holder hears of it, and it comes next."""
        if self.holder is None:
            self.hold(viewer)
        elif self.holder is not viewer and viewer not in self.asking:
            self.asking.append(viewer)
            self.holder.tell(frames.ControlRequest(session_id=viewer.session_id, user=viewer.visitor.user))

    def typed(self, viewer: Viewer, data: bytes) -> None:
        if self._holds(viewer):
            self._to_worker(viewer, data)

    def sized(self, viewer: Viewer, size: Size) -> None:
        """Only who types says the size: everybody else shows it as it is. The first is applied at once, of many that
        follow ten a second, and the last in any case.
        """
        if not self._holds(viewer):
            return
        self._wanted = size
        if self._sizing is None:
            self._size()

    def _size(self) -> None:
        size, self._wanted, self._sizing = self._wanted, None, None
        if size is None or size == self.history.size or self.over:
            return
        self.resized(size)
        if self.line is not None:  # one that is away is told when it comes back
            self.line.size(size)
        self._sizing = asyncio.get_running_loop().call_later(SIZED_SECONDS, self._size)

    def signalled(self, viewer: Viewer, name: str) -> None:
        full = name if name.startswith("SIG") else f"SIG{name}"
        if full not in frames.SIGNALS:
            viewer.tell(frames.Error(code="UNKNOWN_SIGNAL", message=f"Signals are {', '.join(frames.SIGNALS)}."))
        elif self._holds(viewer):
            self._to_worker(viewer, frames.Signal(name=full))

    def _holds(self, viewer: Viewer) -> bool:
        if self.holder is viewer:
            return True
        viewer.tell(frames.Error(code="READ_ONLY", message="Somebody else types here, or nobody: ask for control."))
        return False

    def _to_worker(self, viewer: Viewer, item: bytes | frames.Frame) -> None:
        if self.line is None:
            viewer.tell(frames.Error(code="WORKER_AWAY", message="The worker is not connected: nothing was typed."))
        elif not self.line.put(item):
            viewer.tell(frames.Error(code="INPUT_TOO_FAST", message="The worker does not keep up: this was dropped."))

    def _all(self, frame: frames.Frame) -> None:
        for viewer in self.viewers.values():
            viewer.tell(frame)

    def _count(self) -> None:
        self._all(frames.Viewers(count=len(self.viewers)))
