"""`/api/workers/control`: where workers dial in."""

from __future__ import annotations

from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.kernel.http.websocket import Closed, Socket, socket
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.transport import Disconnected
from quarterdeck.kernel.unreadable import UNREADABLE


class _SocketTransport:
    """The answering end: JSON text frames."""

    def __init__(self, connection: Socket) -> None:
        self._socket = connection
        self._ended: Disconnected | None = None

    async def send(self, frame: frames.Frame) -> None:
        if self._ended is not None:
            raise self._ended
        try:
            await self._socket.send(frames.encode(frame).decode())
        except Closed as closed:
            raise Disconnected(closed.code) from None

    async def receive(self) -> frames.Frame:
        try:
            return frames.decode_from_worker(await self._socket.receive())
        except Closed as closed:
            raise self._ended or Disconnected(closed.code) from None
        except UNREADABLE:
            await self.close(frames.BAD_FRAME, "not a frame of this protocol")
            raise Disconnected(frames.BAD_FRAME) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._ended is None:
            self._ended = Disconnected(code, reason)
            await self._socket.close(code, reason)

    def proven(self) -> None:
        self._socket.proven()

    def abort(self) -> None:
        self._socket.abort()


@socket(
    "/api/workers/control",
    permission="public",
    summary="The control channel of workers; the first frame, `hello`, carries the credential.",
    frames={
        "client": [
            frames.Hello, frames.Heartbeat, frames.JobAccept, frames.JobReject, frames.JobRecord, frames.JobResult,
            frames.LogBatch, frames.Ping, frames.Pong, frames.Drain, frames.Shutdown,
        ],
        "server": [
            frames.Welcome, frames.JobAssign, frames.JobCancel, frames.JobTell, frames.Ack, frames.Ping, frames.Pong,
            frames.Drain, frames.Undrain, frames.Shutdown,
        ],
    },
    largest=frames.FRAME_LIMIT,
)  # fmt: skip
async def worker_control(socket: Socket, workers: WorkerControl) -> None:
    await workers.serve(_SocketTransport(socket))
