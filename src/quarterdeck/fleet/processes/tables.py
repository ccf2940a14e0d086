"""Who listens on a host, read from the kernel's own tables (/proc/net/tcp and tcp6)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

LISTENING = "0A"
PORT = re.compile(r"[0-9A-Fa-f]{1,4}")
LOOPBACKS = {"0100007F", "00000000000000000000000001000000"}
RESOLVER = "0B00007F"
"""127.0.0.11: the engine's own resolver listens there inside every network of a container."""


@dataclass(frozen=True, slots=True)
class Listener:
    """`address` is in the kernel's hexadecimal digits; `socket` is the number of the socket."""

    address: str
    port: int
    socket: str

    @property
    def on_loopback(self) -> bool:
        return self.address in LOOPBACKS


def listeners(text: str) -> Iterator[Listener]:
    """Every listening socket of one or several tables in a row, but the engine's resolver."""
    for row in text.splitlines():
        fields = row.split()
        if len(fields) < 10 or fields[3] != LISTENING:
            continue
        address, _, port = fields[1].rpartition(":")
        if address != RESOLVER and PORT.fullmatch(port):
            yield Listener(address, int(port, 16), fields[9])


def shared_ports(text: str) -> set[int]:
    """Ports on one address of which several sockets listen."""
    counted = Counter((found.address, found.port) for found in listeners(text))
    return {port for (_, port), count in counted.items() if count > 1}
