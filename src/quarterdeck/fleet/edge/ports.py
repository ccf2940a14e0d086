"""Which ports the edge listens on: chosen once, written down, shown in every URL."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from quarterdeck.fleet.edge.holders import Holder
from quarterdeck.kernel.errors import Conflict

HTTP_PORT = 80
HTTPS_PORT = 443
LOOPBACK = "127.0.0.1"
PORT_CONFLICT = "edge_proxy_host_port_conflict"


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """`address` is what the edge listens on: empty means every address of the host."""

    http: int
    https: int
    address: str = ""


class Sockets(Protocol):
    """The ports of a host as they are at one moment. `spare_address` is where the edge listens when it cannot have the
    usual ports: an empty one is every address.
    """

    @property
    def spare_address(self) -> str: ...

    def can_listen(self, port: int, address: str) -> bool: ...

    def free(self, count: int, address: str) -> Sequence[int]: ...

    def shared(self, port: int) -> bool:
        """Whether two programs listen on the same address and port."""
        ...


def url_for(hostname: str, ports: Ports, *, tls: bool = False) -> str:
    """The address a person opens, with the port when a browser would not guess it."""
    scheme, port, usual = ("https", ports.https, HTTPS_PORT) if tls else ("http", ports.http, HTTP_PORT)
    return f"{scheme}://{hostname}" if port == usual else f"{scheme}://{hostname}:{port}"


def choose_ports(
    sockets: Sockets,
    http: int | None,
    https: int | None,
    address: str | None,
    *,
    kept: Ports | None = None,
    secure: bool = False,
) -> Ports:
    """The ports to listen on: what was named, else what was kept from the last start, else 80 and 443 where both can
    be had, else free ports of the spare address.

    Raises `Conflict` (`edge_proxy_host_port_conflict`) when a named port is taken; a kept port that somebody took in
    the meantime is such a conflict too, because addresses with it have been handed out. A kept HTTPS port matters only
    when `secure` routes exist.
    """
    if kept is not None:
        chosen = Ports(
            http=http or kept.http, https=https or kept.https, address=kept.address if address is None else address
        )
        require_free(sockets, chosen.http, chosen.address)
        if secure or https is not None:
            require_free(sockets, chosen.https, chosen.address)
        return chosen
    where = address or ""
    if http is not None:
        require_free(sockets, http, where)
    if https is not None:
        require_free(sockets, https, where)
    if http is not None and https is not None:
        return Ports(http=http, https=https, address=where)
    usual = [port for port, named in ((HTTP_PORT, http), (HTTPS_PORT, https)) if named is None]
    if all(sockets.can_listen(port, where) for port in usual):
        return Ports(http=http or HTTP_PORT, https=https or HTTPS_PORT, address=where)
    if http is None and https is None:
        where = address or sockets.spare_address
    spare = iter(sockets.free(2, where))
    return Ports(http=http or next(spare), https=https or next(spare), address=where)


def require_free(sockets: Sockets, port: int, address: str) -> None:
    if not sockets.can_listen(port, address):
        raise port_conflict(port)


def port_conflict(port: int, holder: Holder | None = None) -> Conflict:
    """Names who has the port where that is known."""
    why = f"{holder.named} has it" if holder else "another program has it, or it needs privileges we lack"
    who = {"pid": holder.identity.pid, "program": holder.program} if holder else {}
    return Conflict(
        f"The edge cannot listen on port {port}: {why}.",
        code=PORT_CONFLICT,
        hint="Stop the program that listens there, or name other ports with --edge-http-port and --edge-https-port.",
        phase="proxy-bootstrap",
        retriable=True,
        port=port,
        **who,
    )


def can_listen(port: int, address: str) -> bool:
    """Whether nobody listens there and we may. Asked without SO_REUSEPORT, so that a second Caddy of the same user,
    which the kernel would let share the port silently, counts as somebody.
    """
    families = [socket.AF_INET6 if ":" in address else socket.AF_INET] if address else [socket.AF_INET, socket.AF_INET6]
    for family in families:
        try:
            probe = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # a kernel without IPv6
        with contextlib.closing(probe):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except OSError as error:
                if family == socket.AF_INET6 and not address and error.errno == 99:
                    continue  # IPv6 is compiled in but switched off
                return False
    return True


def free_ports(count: int, address: str) -> list[int]:
    """Distinct ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            held = stack.enter_context(
                socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            )
            held.bind((address, 0))
            ports.append(int(held.getsockname()[1]))
        return ports


def is_shared(port: int, proc: Path = Path("/proc")) -> bool:
    """Whether two sockets listen on the same address and port: what SO_REUSEPORT lets programs of one user do."""
    seen: set[tuple[str, str]] = set()
    for table in ("net/tcp", "net/tcp6"):
        with contextlib.suppress(OSError):
            for line in (proc / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] != "0A" or int(fields[1].rsplit(":", 1)[1], 16) != port:
                    continue
                if (table, fields[1]) in seen:
                    return True
                seen.add((table, fields[1]))
    return False
