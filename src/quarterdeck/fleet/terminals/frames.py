"""What is said on the sockets of terminals, as JSON text (contract: tasks §5); output and input are binary frames."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from quarterdeck.fleet.terminals.history import LARGEST, SMALLEST

Columns = Annotated[int, Meta(ge=SMALLEST[0], le=LARGEST[0])]
Rows = Annotated[int, Meta(ge=SMALLEST[1], le=LARGEST[1])]
Text = Annotated[str, Meta(max_length=300)]
Offset = Annotated[int, Meta(ge=0, le=1 << 60)]
Mode = Literal["control", "watch"]
SIGNALS = ("SIGINT", "SIGTERM", "SIGKILL", "SIGQUIT", "SIGHUP", "SIGTSTP", "SIGCONT", "SIGUSR1", "SIGUSR2")

BAD_FRAME, UNAUTHENTICATED, FORBIDDEN, GONE = 4400, 4401, 4403, 4404
TOO_LATE, SUPERSEDED, SPENT, TOO_MANY = 4408, 4409, 4410, 4429
"""Close codes: no `auth` in time, a newer connection of the same worker, a channel token that opens nothing, more
frames than anybody types.
"""


class Frame(Struct, kw_only=True, rename="camel", tag_field="type"):
    """The word in `type` is the class's, in the contract's spelling."""


class Auth(Frame, tag="auth"):
    """A viewer's first frame. `token`: a session's, a JWT or a personal token; in a browser the cookie stands for it.
    With `takeover` and a `sessionId`: only from that holder.
    """

    channel_token: Text
    token: Annotated[str, Meta(max_length=4096)] | None = None
    mode: Mode | None = None
    takeover: bool = False
    session_id: Text | None = None
    cols: Columns | None = None
    rows: Rows | None = None
    since_offset: Offset | None = None


class WorkerAuth(Frame, tag="auth"):
    """A worker's first frame."""

    worker_jwt: Annotated[str, Meta(max_length=4096)]
    channel_token: Text


class Holder(Struct, kw_only=True, rename="camel"):
    """Who types."""

    session_id: str
    user: str


class Ready(Frame, tag="ready"):
    """To a viewer: who it is here. `offset` is how many bytes of output there were."""

    task_id: int
    session_id: str
    mode: Mode
    cols: int
    rows: int
    holder: Holder | None
    offset: int
    viewers: int = 0


class WorkerReady(Frame, tag="ready"):
    """To a worker: send what comes after `offset`, and at most `window` bytes before the next `ack`."""

    task_id: int
    offset: int
    window: int
    cols: int | None = None
    rows: int | None = None
    holder: Holder | None = None


class Input(Frame, tag="input"):
    data: Annotated[str, Meta(max_length=1 << 20)]


class Resize(Frame, tag="resize"):
    cols: Columns
    rows: Rows


class Ping(Frame, tag="ping"):
    pass


class Pong(Frame, tag="pong"):
    pass


class ControlRequest(Frame, tag="control_request"):
    """From a viewer: let me type; with `takeover` at once. To the holder: somebody asks."""

    takeover: bool = False
    session_id: Text | None = None
    user: str | None = None


class ControlRelease(Frame, tag="control_release"):
    pass


class Signal(Frame, tag="signal"):
    name: Text


class ReplayBegin(Frame, tag="replay_begin"):
    """What follows until `replay_end` happened before: `bytes` of output and perhaps `resized` between them. Not
    `resumed`: it begins with a reset, and stands for everything that was sent before it.
    """

    bytes: int
    cols: Columns
    rows: Rows
    offset: Offset = 0
    """Where the output stands at `replay_end`."""
    resumed: bool = False


class ReplayEnd(Frame, tag="replay_end"):
    offset: Offset = 0


class Control(Frame, tag="control"):
    holder: Holder | None
    mode: Mode | None = None
    """What the viewer that is told may do from here on."""


class Viewers(Frame, tag="viewers"):
    count: int


class Resized(Frame, tag="resized"):
    cols: Columns
    rows: Rows


class WorkerState(Frame, tag="worker"):
    """Whether the worker is connected: what is typed meanwhile is refused."""

    connected: bool


class PtyOpen(Frame, tag="pty_open"):
    """A worker's second frame. `offset`: how many bytes of output there were before the next binary frame; left out by
    a worker that keeps none, whose output goes on from wherever it stood.
    """

    cols: Columns
    rows: Rows
    pid: int | None = None
    offset: Offset | None = None


class Exit(Frame, tag="exit"):
    """`code` is None where no program ended by itself: then `reason` says what did."""

    code: int | None
    reason: str = "exited"


class Ack(Frame, tag="ack"):
    offset: Offset


class Error(Frame, tag="error"):
    code: str
    message: str


FromViewer = Input | Resize | Ping | Pong | ControlRequest | ControlRelease | Signal
FromWorker = PtyOpen | Exit | Ping | Pong | ReplayBegin | ReplayEnd | Resized
ToWorker = WorkerReady | Input | Resize | Signal | Control | Ack | Ping | Pong | Error | Exit
_viewers: msgspec.json.Decoder[FromViewer] = msgspec.json.Decoder(FromViewer)
_workers: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)
_at_worker: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)


def from_viewer(text: str) -> FromViewer:
    """Raises what `kernel.unreadable.UNREADABLE` names, as all of these do."""
    return _viewers.decode(text)


def from_worker(text: str) -> FromWorker:
    return _workers.decode(text)


def at_worker(text: str) -> ToWorker:
    return _at_worker.decode(text)


def encoded(frame: Any) -> str:
    return msgspec.json.encode(frame).decode()
