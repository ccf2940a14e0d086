"""Which addresses of other programs may be called, because somebody has put them into a field.

The form is that of an identity provider: `https`, or `http` on this machine. Beyond that the address that a name stands
for decides, when it is called: nothing but public addresses for what organizations put in, and also private ones and
this machine itself where the organization is the one that the installation began with, whose administrators run it.
Addresses of a link, and others where clouds keep their credentials, are called for nobody.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from quarterdeck.kernel.errors import Invalid, Problem, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SHARED = ipaddress.ip_network("100.64.0.0/10")
"""What providers share among their customers (RFC 6598): neither private nor public to the standard library."""
NEVER = tuple(
    ipaddress.ip_network(one)
    for one in (
        "100.100.100.200/32",  # where Alibaba Cloud keeps its credentials
        "168.63.129.16/32",  # and Azure what its machines are told
        "192.0.0.0/24",  # Oracle Cloud, and what protocols have reserved
        "fd00:ec2::/32",  # Amazon, over IPv6
        "fd20:ce::/32",  # Google, over IPv6
        "fec0::/10",  # site-local, of an older time
        "64:ff9b:1::/48",  # translated into IPv4 by rules of a network that we do not know
    )
)
"""Called for nobody, as link-local ones are."""
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses behind a translator (RFC 6052): the last four bytes are what is reached."""
CODE = "address_not_allowed"
SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Called:
    """Where to connect and what to say there: the name was asked once, and no other address is used for it."""

    url: str
    host: str
    authority: str


def check(address: str, field: str = "url", *, near: bool = False) -> str:
    """The address, if its form may be called. `near`: private addresses and this machine as well.

    Raises `Invalid` (`address_not_allowed`).
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(address, field, "it cannot be read") from None
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused(address, field, "it needs a host, and no name, password or fragment")
    if not address.isascii() or any(one.isspace() or ord(one) < 32 for one in address):
        raise _refused(address, field, "it has characters that stand in no address")
    literal = _literal(host)
    here = host == "localhost" or host.endswith(".localhost") or (literal is not None and literal.is_loopback)
    if parts.scheme != "https" and not (parts.scheme == "http" and here and near):
        raise _refused(address, field, "it has to begin with https://")
    if (here and not near) or (literal is not None and not allowed(literal, near=near)):
        raise _refused(address, field, "it is an address of this machine or of a private network")
    return address


def allowed(address: Address, *, near: bool) -> bool:
    """Whether an address may be connected to."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return allowed(inner, near=near)
    if any(address.version == one.version and address in one for one in NEVER):
        return False
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback or address.is_private or (address.version == 4 and address in SHARED):
        return near
    return not address.is_reserved


async def resolve(address: str, *, near: bool) -> Called:
    """Ask for the name once, and refuse it unless every address that it stands for may be called.

    Raises `Invalid` as `check` does, and `Unavailable` (`address_unknown`) where the name is not known.
    """
    check(address, near=near)
    parts = urlsplit(address)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        raise Unavailable(
            f"The name {host[:120]} is not known.", code="address_unknown", hint="Check the address."
        ) from None
    numbers = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not numbers or not all(allowed(number, near=near) for number in numbers):
        raise _refused(address, "url", "its name stands for an address of this machine or of a private network")
    first = f"[{numbers[0]}]" if numbers[0].version == 6 else str(numbers[0])
    rest = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return Called(f"{parts.scheme}://{first}:{port}{rest}", host, parts.netloc)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _refused(address: str, field: str, why: str) -> Problem:
    return Invalid(
        f"{address[:120]!r} cannot be called: {why}.",
        code=CODE,
        hint="Give a public address that begins with https://.",
        field=field,
    )
