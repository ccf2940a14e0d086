"""Commands inside running containers: run one and collect, or hold a terminal."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore
import msgspec

from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.logs import Frames
from quarterdeck.kernel.errors import Timeout

READ_SIZE = 64 * 1024


class Created(msgspec.Struct, rename="pascal"):
    id: str


class ExecState(msgspec.Struct, rename="pascal"):
    running: bool = False
    exit_code: int | None = None
    pid: int = 0


@dataclass(frozen=True, slots=True)
class ExecResult:
    exit_code: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False


def exec_body(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    user: str = "",
    working_dir: str = "",
    tty: bool = False,
    attach_input: bool = False,
) -> dict[str, Any]:
    """The body of `POST /containers/{id}/exec`."""
    return {
        "Cmd": list(command),
        "Env": [f"{key}={value}" for key, value in (env or {}).items()],
        "User": user,
        "WorkingDir": working_dir,
        "Tty": tty,
        "AttachStdin": attach_input,
        "AttachStdout": True,
        "AttachStderr": True,
    }


class ExecSession:
    """A running command with its input and output; with a terminal both outputs are one."""

    def __init__(self, engine: Engine, ident: str, stream: httpcore.AsyncNetworkStream) -> None:
        self.id = ident
        self._engine = engine
        self._stream = stream

    async def read(self) -> bytes:
        """The next bytes as the engine sends them (multiplexed without a terminal); empty at the end."""
        try:
            return await self._stream.read(READ_SIZE)
        except (httpcore.NetworkError, httpcore.ProtocolError):
            return b""

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    async def end_input(self) -> None:
        await self._stream.get_extra_info("socket_stream").end_input()

    async def resize(self, columns: int, rows: int) -> None:
        query = {"w": str(columns), "h": str(rows)}
        await self._engine.request("POST", f"/exec/{self.id}/resize", query=query)

    async def state(self) -> ExecState:
        return await self._engine.get(f"/exec/{self.id}/json", ExecState)

    async def exit_code(self) -> int:
        """The code of a command whose output has ended; the engine notes it a moment later."""
        for _ in range(50):
            state = await self.state()
            if not state.running and state.exit_code is not None:
                return state.exit_code
            await asyncio.sleep(0.02)
        return -1


@contextlib.asynccontextmanager
async def open_exec(
    engine: Engine,
    container: str,
    command: Sequence[str],
    *,
    tty: bool = False,
    env: Mapping[str, str] | None = None,
    user: str = "",
    working_dir: str = "",
    columns: int = 80,
    rows: int = 24,
) -> AsyncIterator[ExecSession]:
    """Start a command and hold its stream; leaving the block closes the stream (the command gets end of input)."""
    body = exec_body(command, env=env, user=user, working_dir=working_dir, tty=tty, attach_input=True)
    ident = (await engine.post(f"/containers/{container}/exec", Created, body)).id
    async with engine.upgrade(f"/exec/{ident}/start", "tcp", body={"Detach": False, "Tty": tty}) as stream:
        session = ExecSession(engine, ident, stream)
        if tty:
            await session.resize(columns, rows)
        yield session


async def run(
    engine: Engine,
    container: str,
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    user: str = "",
    working_dir: str = "",
    input: bytes | None = None,  # noqa: A002 - the name subprocess gives it
    seconds: float = 60,
    limit: int = 1024 * 1024,
) -> ExecResult:
    """Run to the end and collect the output, at most `limit` bytes of each channel.

    The engine cannot end a command that outlives `seconds`: we stop listening, and it runs on until it notices its
    closed streams. Give such a command a bound of its own (`timeout 30 …`).
    """
    collected = {"stdout": bytearray(), "stderr": bytearray()}
    frames, truncated = Frames(), False
    try:
        async with (
            asyncio.timeout(seconds),
            open_exec(engine, container, command, env=env, user=user, working_dir=working_dir) as session,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(feed(session, input or b""))
            while chunk := await session.read():
                for channel, data in frames.feed(chunk):
                    room = limit - len(collected[channel])
                    collected[channel] += data[:room]
                    truncated = truncated or len(data) > room
            code = await session.exit_code()
    except TimeoutError as error:
        raise Timeout(
            f"A command in container {container[:12]} did not end within {seconds:g} s", code="exec_timeout"
        ) from error
    return ExecResult(code, bytes(collected["stdout"]), bytes(collected["stderr"]), truncated)


async def feed(session: ExecSession, data: bytes) -> None:
    with contextlib.suppress(httpcore.NetworkError, OSError):  # a command that does not read its input is no failure
        if data:
            await session.write(data)
        await session.end_input()
