"""An HTTP proxy that knows one name: it forwards requests and tunnels, and counts both."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

HOST = "deck.invalid"
"""A name that nothing but the proxy resolves."""


ASKS = (
    b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\n'
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


class Proxy:
    """Whoever asks for `HOST` gets what listens on a port of this machine; only with `credentials`, where it has some
    (`name:password`), others are `refused`.
    """

    def __init__(self, target: int, credentials: str | None = None) -> None:
        self.target = target
        self.wanted = None if credentials is None else f"Basic {base64.b64encode(credentials.encode()).decode()}"
        self.tunnels = self.requests = self.refused = 0
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            line, _, rest = head.partition(b"\r\n")
            method, target, version = line.decode().split(" ")
            address = f"//{target}" if method == "CONNECT" else target
            parts = urlsplit(address)
            given = [one[21:] for one in rest.decode().split("\r\n") if one.lower().startswith("proxy-authorization: ")]
            if self.wanted is not None and self.wanted not in given:
                self.refused += 1
                writer.write(ASKS)
                await ended(writer)
                return
            assert parts.hostname == HOST, target
            back, forth = await asyncio.open_connection("127.0.0.1", self.target)
            try:
                if method == "CONNECT":
                    self.tunnels += 1
                    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    self.requests += 1
                    forth.write(f"{method} {parts.path} {version}\r\n".encode() + rest)
                await asyncio.gather(pump(reader, forth), pump(back, writer))
            finally:
                await ended(forth)
        await ended(writer)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def ended(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def proxy(target: int, credentials: str | None = None) -> AsyncIterator[Proxy]:
    made = Proxy(target, credentials)
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
