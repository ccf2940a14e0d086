"""Ports that we hand to host processes: remembered, really free, and not given to another too soon."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from quarterdeck.fleet.processes.ledgers import changing
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.errors import Unavailable

FIRST, LAST = 21_000, 28_999  # below the range from which the kernel draws ephemeral ports
QUARANTINE = 3600.0  # seconds; longer than any drain, so that no upstream file can still name the port


def is_free(port: int) -> bool:
    """Whether nobody listens on this port on any address of this host."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104 - a test of all of them
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                # Connections that linger after a close do not matter, listeners still do.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
        except OSError as error:
            if family == socket.AF_INET6 and error.errno in {97, 99}:
                continue  # a host without IPv6
            return False
    return True


def assign(
    directory: Path,
    instance: str,
    *,
    clock: Clock | None = None,
    quarantine: float = QUARANTINE,
    reserved: Collection[int] = (),
    span: tuple[int, int] = (FIRST, LAST),
) -> int:
    """The port of `instance`: the one it has, else a free one. Raises Unavailable when all are taken.

    `reserved` are ports that something else still points at (upstream files). A book that is damaged is begun anew:
    who listens keeps his port, and who is started again is led to another one.
    """
    now = (clock or SystemClock()).now().timestamp()
    with changing(directory / "ports.json", anew=True) as book:
        return enter(
            book, instance, now, is_free, place=str(directory.absolute()), quarantine=quarantine, reserved=reserved,
            span=span,
        )  # fmt: skip


def enter(
    book: dict[str, Any],
    instance: str,
    now: float,
    free: Callable[[int], bool],
    *,
    place: str,
    quarantine: float = QUARANTINE,
    reserved: Collection[int] = (),
    span: tuple[int, int] = (FIRST, LAST),
) -> int:
    """The port of `instance` in a book, entered there if it has none; `free` says on which nobody listens."""
    first, last = span
    held: dict[str, int] = book.setdefault("held", {})
    released: dict[str, float] = book.setdefault("released", {})
    if instance in held:
        return held[instance]
    resting = {int(port) for port, at in released.items() if now - at < quarantine}
    taken = set(held.values()) | resting | set(reserved)
    width = last - first + 1
    # Several installations of one host begin at places of their own, so that two do not find the same port free.
    own = zlib.crc32(place.encode()) % width
    begin = int(book.get("next", first + own)) - first
    for step in range(width):
        port = first + (begin + step) % width
        if port not in taken and free(port):
            held[instance] = port
            released.pop(str(port), None)
            book["next"] = port + 1
            return port
    raise Unavailable(
        f"No free port between {first} and {last} for process {instance}.",
        code="process_ports_exhausted",
        hint="Remove processes that are no longer needed, or wait until released ports may be used again.",
    )


def release(directory: Path, instance: str, *, clock: Clock | None = None) -> None:
    """Give the port of `instance` back; it rests before another gets it."""
    now = (clock or SystemClock()).now().timestamp()
    with changing(directory / "ports.json", anew=True) as book:
        strike(book, instance, now)


def strike(book: dict[str, Any], instance: str, now: float) -> None:
    """Take `instance` out of a book."""
    port = book.setdefault("held", {}).pop(instance, None)
    if port is not None:
        book.setdefault("released", {})[str(port)] = now


def held(directory: Path) -> dict[str, int]:
    """Instance → port of everything assigned at present."""
    with changing(directory / "ports.json", anew=True) as book:
        return dict(book.get("held", {}))
