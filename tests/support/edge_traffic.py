"""Applications and clients for tests of the edge: small, loud about every failure, all on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.server import serve as serve_websocket

# The environment of a second control plane: the same code as in this process.
CHILD = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


async def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Waits for something that nobody tells us about."""
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if await holds if inspect.isawaitable(holds) else holds:
                return
            await asyncio.sleep(0.02)


def descriptors(pid: int) -> set[str]:
    return {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}


def environment(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


def process_status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@dataclass
class Application:
    """Answers every request with its name; `rude` ends drop open connections without a word."""

    name: str
    port: int = 0
    delay: float = 0
    requests: list[str] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def upstream(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> Application:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def end(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head.decode())
                if self.delay:
                    await asyncio.sleep(self.delay)
                body = self.name.encode()
                writer.write(b"HTTP/1.1 200 OK\r\nServer: secret\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@contextlib.asynccontextmanager
async def application(name: str, *, delay: float = 0) -> AsyncIterator[Application]:
    running = await Application(name, delay=delay).start()
    try:
        yield running
    finally:
        await running.end()


@contextlib.asynccontextmanager
async def echo_websocket() -> AsyncIterator[str]:
    """An upstream that sends back what it gets."""

    async def echo(connection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve_websocket(echo, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@dataclass
class Load:
    """A steady stream of requests; what was not answered 200 is a failure with its reason."""

    port: int
    host: str
    rate: int
    answers: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    _ending: bool = False

    async def run(self, workers: int = 16) -> float:
        """Runs until `end`; answers the achieved rate."""
        began = time.monotonic()
        await asyncio.gather(*(self._worker(index, workers) for index in range(workers)))
        return sum(self.answers.values()) / (time.monotonic() - began)

    def end(self) -> None:
        self._ending = True

    async def _worker(self, index: int, workers: int) -> None:
        """A bare connection that is kept: a client library would take more of the machine than the proxy does."""
        pause = workers / self.rate
        due = time.monotonic() + index / self.rate
        request = f"GET / HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while not self._ending:
            await asyncio.sleep(max(0, due - time.monotonic()))
            due += pause
            try:
                async with asyncio.timeout(10):
                    writer.write(request)
                    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                    length = int(head.partition("content-length: ")[2].split("\r\n")[0])
                    body = (await reader.readexactly(length)).decode()
            except (OSError, EOFError, TimeoutError) as error:
                self.failures[repr(error)] += 1
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                continue
            status = head.split(" ", 2)[1]
            if status == "200":
                self.answers[body] += 1
            else:
                self.failures[status] += 1
        writer.close()
