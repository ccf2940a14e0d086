"""Opening byte streams to sockets, here or behind an SSH connection."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit


class Reader(Protocol):
    async def read(self, n: int = -1, /) -> bytes: ...

    def at_eof(self) -> bool: ...


class Writer(Protocol):
    def write(self, data: bytes, /) -> None: ...

    async def drain(self) -> None: ...

    def can_write_eof(self) -> bool: ...

    def write_eof(self) -> None: ...

    def close(self) -> None: ...

    async def wait_closed(self) -> None: ...


Stream = tuple[Reader, Writer]
"""What `asyncio.open_unix_connection` and asyncssh's `open_unix_connection(path, encoding=None)` both return."""


class Dialer(Protocol):
    async def open(self, path: str) -> Stream:
        """A connection to the socket `path` (absolute, or `tcp://host:port`); raises OSError if nothing answers."""
        ...


class LocalDialer:
    """Dials from this process. With `certificates`, TCP connections are mutual TLS."""

    def __init__(self, certificates: str | None = None) -> None:
        self._certificates = certificates

    async def open(self, path: str) -> Stream:
        if path.startswith("/"):
            return await asyncio.open_unix_connection(path)
        parts = urlsplit(path)
        context = self._context()
        name = parts.hostname if context else None
        return await asyncio.open_connection(parts.hostname, parts.port, ssl=context, server_hostname=name)

    def _context(self) -> ssl.SSLContext | None:
        if self._certificates is None:
            return None
        place = Path(self._certificates)
        context = ssl.create_default_context(cafile=str(place / "ca.pem"))
        context.load_cert_chain(str(place / "cert.pem"), str(place / "key.pem"))
        return context
