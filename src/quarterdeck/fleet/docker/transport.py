"""One HTTP client for local sockets and for sockets behind SSH: httpx over a pool that a `Dialer` feeds.

`AsyncHTTPTransport._pool` is private, which is why httpx is pinned.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from quarterdeck.fleet.docker.dialing import Dialer, Reader, Stream, Writer

CHUNK = 65_536
KEPT_SECONDS = 90
"""How long a connection is kept that nobody uses: longer than the pauses of who watches servers that have settled."""


class SocketStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: Stream) -> None:
        self._reader, self._writer = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        try:
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(buffer)
                await self._writer.drain()
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()

    async def end_input(self) -> None:
        """Tell the other side that nothing more will be written, and keep reading."""
        if self._writer.can_write_eof():
            self._writer.write_eof()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """TLS over any stream: a pair of sockets stands between it and what asyncio can encrypt."""
        near, far = socket.socketpair()
        try:
            between = await asyncio.open_connection(sock=far)
            carrying = [
                asyncio.create_task(_carry(self._reader, between[1])),
                asyncio.create_task(_carry(between[0], self._writer)),
            ]
            async with asyncio.timeout(timeout):
                secured = await asyncio.open_connection(sock=near, ssl=ssl_context, server_hostname=server_hostname)
        except (OSError, TimeoutError, ssl.SSLError) as error:
            near.close()
            raise httpcore.ConnectError(str(error)) from error
        return SecuredStream(secured, carrying)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._reader.at_eof()
        return self if info == "socket_stream" else None


class SecuredStream(SocketStream):
    """`carrying` are the tasks that move its bytes."""

    def __init__(self, stream: Stream, carrying: list[asyncio.Task[None]]) -> None:
        super().__init__(stream)
        self._carrying = carrying

    async def aclose(self) -> None:
        await super().aclose()
        for task in self._carrying:
            task.cancel()


async def _carry(reader: Reader, writer: Writer) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


class DialedBackend(httpcore.AsyncNetworkBackend):
    """Every connection of the pool goes to one path, whatever host the request names."""

    def __init__(self, dialer: Dialer, path: str) -> None:
        self._dialer = dialer
        self._path = path

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                return SocketStream(await self._dialer.open(self._path))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@functools.cache
def _unproven() -> ssl.SSLContext:
    """Who is at the other end of the socket is known: no certificate has to prove it."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def dialed_transport(dialer: Dialer, path: str) -> httpx.AsyncHTTPTransport:
    """An httpx transport whose every connection is `dialer.open(path)`."""
    transport = httpx.AsyncHTTPTransport(verify=_unproven(), trust_env=False)
    transport._pool = httpcore.AsyncConnectionPool(  # noqa: SLF001 - the one way to give httpx a network backend
        ssl_context=_unproven(),
        network_backend=DialedBackend(dialer, path),
        max_connections=None,
        max_keepalive_connections=8,
        keepalive_expiry=KEPT_SECONDS,
    )
    return transport


def dialed_client(dialer: Dialer, path: str, *, base_url: str = "http://socket") -> httpx.AsyncClient:
    """An httpx client whose every request goes through `dialer.open(path)`."""
    timeout = httpx.Timeout(30, connect=5, read=None)
    return httpx.AsyncClient(
        transport=dialed_transport(dialer, path), base_url=base_url, timeout=timeout, trust_env=False
    )
