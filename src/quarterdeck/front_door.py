"""The way in from the internet: the bundled edge serves the control plane under its public address.

The edge reaches it by a unix socket that nobody else may open, so that what it says about callers can be believed.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from quarterdeck.fleet.edge.admin import ConfigurationRefused
from quarterdeck.fleet.edge.certificates import Certificate, shown
from quarterdeck.fleet.edge.configuration import EdgeOptions
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.ports import HTTP_PORT, HTTPS_PORT
from quarterdeck.fleet.edge.routes import ProxyRoute, TlsMode
from quarterdeck.kernel.settings import Settings

ROUTE = "quarterdeck"
LOOK_SECONDS = 60.0
KEPT_SECONDS = 5
"""How long the server keeps a connection for the next request; the edge lets go of it before."""
log = structlog.get_logger("quarterdeck.front-door")


def edge_options(settings: Settings) -> EdgeOptions:
    return EdgeOptions(
        trusted_proxies=settings.trusted_proxy,
        acme_email=settings.acme_email,
        acme_directory=settings.acme_directory,
    )


def route(settings: Settings) -> ProxyRoute | None:
    """The control plane as a route of the edge; None where the edge does not serve it."""
    if settings.public_url is None or settings.no_edge:
        return None
    parts = urlsplit(settings.public_url)
    mode: TlsMode = "disabled"
    if parts.scheme == "https" and settings.tls_certificate is not None:
        mode = "files"
    elif parts.scheme == "https" and settings.tls != "off":
        mode = settings.tls
    return ProxyRoute(
        id=ROUTE,
        owner=ROUTE,
        hostnames=((parts.hostname or "").lower(),),
        tls=mode,
        idle=KEPT_SECONDS - 2,
        certificate_file=str(settings.tls_certificate) if mode == "files" else None,
        key_file=str(settings.tls_key) if mode == "files" else None,
    )


def place(settings: Settings) -> tuple[int | None, int | None, str | None]:
    """Ports and address that the edge is told. Who serves the internet does so on 80 and the port of the public
    address, on every address of the host, whatever was free at an earlier start; with ports named, on those.
    """
    http, https = settings.edge_http_port, settings.edge_https_port
    wanted = route(settings)
    if wanted is None or wanted.tls == "disabled" or 0 in {http, https}:
        return http, https, None
    return http or HTTP_PORT, https or urlsplit(settings.public_url or "").port or HTTPS_PORT, ""


def listen(layout: Layout) -> socket.socket:
    """The socket for the edge, ours alone. The data directory's lock says that no other server has it."""
    path = layout.control_socket
    path.parent.mkdir(mode=0o755, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(2048)
    return listener


async def keep(edge: Edge, settings: Settings, *, look_seconds: float = LOOK_SECONDS) -> None:
    """Give the edge the way in, or take one away that is not wanted any more, and see to it from time to time: also to
    certificate files that were renewed.
    """
    wanted = route(settings)
    shown = stamps(settings)
    if wanted is not None and wanted.tls != "disabled":
        # Who asks for the certificate has no time to wait for it; without TLS nobody needs it.
        await asyncio.to_thread(importlib.import_module, "cryptography.x509")
    while True:
        if wanted is None:
            if ROUTE in await edge.routes():
                await edge.remove_route(ROUTE)
            return
        await edge.put_route(wanted)
        await edge.switch(ROUTE, f"unix/{edge.layout.control_socket}")
        if (found := stamps(settings)) != shown:
            shown = found
            await _renewed(edge)
        await asyncio.sleep(look_seconds)
        while not (await edge.status()).running:  # noqa: ASYNC110 - `keep_edge` or a person starts it
            await asyncio.sleep(look_seconds)


def root_certificate(edge: Edge | None, settings: Settings) -> Path | None:
    """Where the certificate lies, or will as soon as the edge has served, that those have to trust who come to a front
    door whose edge signs by itself (`--tls internal`); None for every other one.
    """
    wanted = route(settings)
    if edge is None or wanted is None or wanted.tls != "internal":
        return None
    return edge.layout.data / "pki" / "authorities" / "local" / "root.crt"


async def _renewed(edge: Edge) -> None:
    """Have the certificate files loaded that were put there. With those that cannot be, the ones before serve on."""
    try:
        await edge.load_again()
    except ConfigurationRefused as refused:
        log.warning("certificate_files_refused", code=refused.code, problem=refused.message, hint=refused.hint)
    else:
        log.info("certificate_files_loaded")


def unusable_files(settings: Settings) -> str | None:
    """Why the certificate files of the public address could not be loaded as they are now; None where they could be,
    or none are wanted.
    """
    certificate_file, key_file = settings.tls_certificate, settings.tls_key
    if certificate_file is None or key_file is None:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate_file, key_file, lambda: "")
    except ssl.SSLError as error:
        mismatch = "MISMATCH" in (error.reason or "")
        return "do not belong together" if mismatch else "are not a certificate and its key in PEM form"
    except OSError as error:
        return f"cannot be read ({(error.strerror or 'no reason is given').lower()})"
    return None


def stamps(settings: Settings) -> tuple[tuple[int, int], ...]:
    """What changes with the certificate files; empty without any, and while one is being replaced."""
    files = [file for file in (settings.tls_certificate, settings.tls_key) if file is not None]
    with contextlib.suppress(OSError):
        return tuple((status.st_mtime_ns, status.st_ino) for status in (file.stat() for file in files))
    return ()


async def certificate(edge: Edge, settings: Settings) -> Certificate | None:
    """The certificate that a visitor of the public address is shown; None where there is none (yet)."""
    wanted = route(settings)
    if wanted is None or wanted.tls == "disabled":
        return None
    return await shown(edge, wanted.hostnames[0])
