"""Certificates as visitors are shown them, and why there is none: the edge asks for them by itself, and tries again by
itself when its certificate authority is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import msgspec
import structlog

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.kernel.clock import Clock, wire_time
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.unreadable import UNREADABLE

RENEWED_BEFORE = 0.25
"""Share of its life that is left when a certificate should have been renewed: Caddy begins at a third."""
LOG_BYTES = 256 << 10
HANDSHAKE_SECONDS = 5.0
LOOK_SECONDS = 20.0
log = structlog.get_logger("quarterdeck.edge")
AWAY = re.compile(
    r"connection refused|connection reset|i/o timeout|deadline exceeded|no such host|no route to host|unreachable|EOF"
    r"|TLS handshake|HTTP 5\d\d|server misbehaving"
)
UNSEEN = (
    "the certificate authority did not find this machine under the name; it has to lead here, and port 80 has to be "
    "reachable from outside"
)
REASONS = (
    (re.compile(r"error:rateLimited"), "the certificate authority has had too many orders for it and makes it wait"),
    (re.compile(r"error:(?:rejectedIdentifier|caa)"), "the certificate authority will not or may not certify this"),
    (re.compile(r"error:(?:dns|connection|unauthorized|tls|incorrectResponse)"), UNSEEN),
    (re.compile(r"certificate signed by unknown authority|failed to verify certificate"),
     "the certificate authority itself is not trusted by this machine; name its root in SSL_CERT_FILE"),
    (AWAY, "the certificate authority does not answer; the edge asks again by itself"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the edge shows for a name."""

    issuer: str
    begins: datetime
    ends: datetime

    def overdue(self, now: datetime) -> bool:
        """Whether it should have been renewed by now."""
        return self.ends - now < (self.ends - self.begins) * RENEWED_BEFORE


@cache
def _looking() -> ssl.SSLContext:
    """What is shown is looked at, not believed: an authority of one's own is known to nobody here. So none are loaded,
    which takes long.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def shown(edge: Edge, name: str) -> Certificate | None:
    """The certificate that a visitor of the name is shown; None where there is none (yet)."""
    from cryptography import x509

    with contextlib.suppress(OSError, ssl.SSLError, Problem, TimeoutError):
        ports = (await edge.status()).ports
        if ports is None:
            return None
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            _, writer = await asyncio.open_connection(
                ports.address or "127.0.0.1", ports.https, ssl=_looking(), server_hostname=name
            )
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        made = x509.load_der_x509_certificate(found)
        return Certificate(made.issuer.rfc4514_string(), made.not_valid_before_utc, made.not_valid_after_utc)
    return None


async def asked_for(edge: Edge) -> list[str]:
    """The names for which the edge asks a certificate authority, sorted."""
    routes = (await edge.routes()).values()
    return sorted({name for route in routes if route.tls == "auto" for name in route.hostnames if "*" not in name})


class _Line(msgspec.Struct):
    level: str = ""
    logger: str = ""
    identifier: str = ""
    error: str = ""


def why_none(log: Path, name: str) -> str | None:
    """Why the edge has got no certificate for a name, by the newest word of its log, in words of ours."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        if name.encode() not in line:
            continue
        with contextlib.suppress(*UNREADABLE):
            said = msgspec.json.decode(line, type=_Line)
            if said.identifier == name and said.logger.startswith("tls") and said.error:
                return next((words for pattern, words in REASONS if pattern.search(said.error)), None)
    return None


@dataclass(frozen=True, slots=True)
class Lacking:
    """What visitors of a name do not get: any certificate, or (`ends`) one that was renewed in time."""

    name: str
    ends: datetime | None = None
    why: str | None = None

    @property
    def message(self) -> str:
        why = f": {self.why}" if self.why else ""
        if self.ends is None:
            return f"The edge has no certificate for {self.name} yet{why}."
        return f"The certificate of {self.name} ends on {wire_time(self.ends)} and has not been renewed{why}."


def told(one: Lacking) -> str:
    """With what is to be done, where the reason is not known."""
    hint = "Its name has to lead to this machine, and port 80 has to be reachable; the edge's log says more."
    return one.message if one.why else f"{one.message} {hint}"


async def all_shown(edge: Edge, names: Sequence[str]) -> dict[str, Certificate | None]:
    """As `shown`, of each of the names."""
    return dict(zip(names, await asyncio.gather(*(shown(edge, name) for name in names)), strict=True))


async def lacking(edge: Edge, now: datetime, looked: Mapping[str, Certificate | None]) -> list[Lacking]:
    """Those of the names which have no certificate, or an old one."""
    found = []
    for name, made in looked.items():
        if made is None or made.overdue(now):
            why = await asyncio.to_thread(why_none, edge.layout.caddy_log, name)
            found.append(Lacking(name, made.ends if made else None, why))
    return found


async def watch(edge: Edge, clock: Clock, *, look_seconds: float = LOOK_SECONDS) -> None:
    """Tell in the log when a name has no certificate, why, and when it has one again."""
    told: dict[str, str] = {}
    while True:
        await asyncio.sleep(look_seconds)
        names = await asked_for(edge)
        if not (names or told) or not await edge.answers():
            continue
        await asyncio.to_thread(importlib.import_module, "cryptography.x509")  # not while others wait for the loop
        now = {one.name: one for one in await lacking(edge, clock.now(), await all_shown(edge, names))}
        for name in told.keys() - now.keys():
            log.info("certificate_there", name=name)
        for name, one in now.items():
            if told.get(name) != one.message:
                log.warning("certificate_lacking", name=name, problem=one.message)
        told = {name: one.message for name, one in now.items()}
