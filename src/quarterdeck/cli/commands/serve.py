"""`quarterdeck serve`: the control plane in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal, NoReturn

from cyclopts import Parameter

from quarterdeck.cli.failure import Exit, usage

_NO = ""
M_ARENA_MAX = -8
"""glibc's number for how many pools of memory there are at most (mallopt(3))."""


def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    data_dir: Path | None = None,
    database_url: str | None = None,
    beside: Annotated[bool | None, Parameter(negative=_NO)] = None,
    advertised_url: str | None = None,
    no_worker: Annotated[bool | None, Parameter(negative=_NO)] = None,
    agents: Annotated[bool | None, Parameter(negative=_NO)] = None,
    no_edge: Annotated[bool | None, Parameter(negative=_NO)] = None,
    edge_http_port: int | None = None,
    edge_https_port: int | None = None,
    public_url: str | None = None,
    tls: Literal["auto", "internal", "off"] | None = None,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
    acme_email: str | None = None,
    acme_directory: str | None = None,
    trusted_proxy: list[str] | None = None,
    least_free_disk: float | None = None,
    source_roots: list[str] | None = None,
    log_level: str | None = None,
    config: Path | None = None,
) -> int:
    """Run the control plane until SIGTERM or Ctrl-C; deployed applications and the edge keep running after it.

    Every flag is also a variable (QUARTERDECK_PORT) and a key of quarterdeck.toml in the data directory (port).

    quarterdeck serve
    quarterdeck serve --port 8700 --data-dir ./data
    quarterdeck serve --public-url https://deck.example.com --acme-email ops@example.com
    quarterdeck serve --database-url @/etc/quarterdeck/database

    Parameters
    ----------
    host
        The address to listen on. Default: 127.0.0.1.
    port
        The port to listen on; 0 takes a free one. Default: 8700.
    data_dir
        Where everything is kept. Default: /var/lib/quarterdeck for root, else ~/.local/share/quarterdeck.
    database_url
        PostgreSQL instead of SQLite: @FILE that holds postgresql://…, or - to read it from stdin.
    beside
        Stand beside the server that works on this PostgreSQL database: answer what can be read from it, and pass
        everything else on.
    advertised_url
        Where the other servers on the database reach this one. Default: http:// with the host and port listened on.
    no_worker
        Do not run jobs in this process; workers dial in.
    agents
        Run agent tasks on this machine, too. Only as root, which gives each project's agents a user of their own.
    no_edge
        Do not run the bundled edge proxy.
    edge_http_port
        The edge's port for HTTP. Default: 80, or a free one where that cannot be had.
    edge_https_port
        The edge's port for HTTPS. Default: 443, or a free one where that cannot be had.
    public_url
        The address that people use, such as https://deck.example.com. The edge serves it, with TLS.
    tls
        Where its certificate comes from: auto asks a certificate authority, internal is the edge's own (browsers
        warn), off leaves TLS to a proxy in front. Default: auto.
    tls_certificate
        A certificate of your own, PEM with its chain, instead.
    tls_key
        Its key.
    acme_email
        Whom the certificate authority writes to when something is wrong.
    acme_directory
        Another certificate authority, by the address of its ACME directory.
    trusted_proxy
        A network whose proxies are believed about the caller's address; may be given again.
    least_free_disk
        Below this share of free disk, in percent, nothing new is built. Default: 5.
    source_roots
        A folder below which sources of this machine must lie; may be given again. Default: any for administrators.
    log_level
        debug, info, warning or error. Default: info.
    config
        Another TOML file than quarterdeck.toml in the data directory.
    """
    flags: dict[str, Any] = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "database_url": database_address(database_url),
        "beside": beside,
        "advertised_url": advertised_url,
        "no_worker": no_worker,
        "agents": agents,
        "no_edge": no_edge,
        "edge_http_port": edge_http_port,
        "edge_https_port": edge_https_port,
        "public_url": public_url,
        "tls": tls,
        "tls_certificate": tls_certificate,
        "tls_key": tls_key,
        "acme_email": acme_email,
        "acme_directory": acme_directory,
        "trusted_proxy": ",".join(trusted_proxy) if trusted_proxy else None,
        "least_free_disk": least_free_disk,
        "source_roots": ",".join(source_roots) if source_roots else None,
        "log_level": log_level,
    }
    # Before the server has handlers of its own, and once more when it gives the signal back after its end.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)

    # What imports make stays for ever: looking through it for garbage, again and again, is a sixth of the start.
    gc.disable()
    _few_arenas()
    _without_colours()
    from quarterdeck.kernel import telemetry
    from quarterdeck.kernel.settings_reading import load
    from quarterdeck.quick_start import shared_methods

    settings = load(flags, config=config)
    telemetry.configure(settings.log_level)
    with shared_methods():
        from quarterdeck import app

        app.prepare()
    gc.freeze()
    gc.enable()
    asyncio.run(app.serve(settings, announce=announce))
    return int(Exit.DONE)


def _few_arenas() -> None:
    """Let the threads of the databases share memory: by itself glibc keeps a pool for each, four megabytes that nobody
    uses. Another C library has no such pools, or no such call.
    """
    import ctypes

    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _without_colours() -> None:
    """Import structlog and httpx as if rich were not installed. They want it for colours and for a command line of
    their own: a server writes JSON lines, and rich is a twentieth of its start.
    """
    absent = "rich" not in sys.modules
    if absent:
        # What makes an import fail, says the manual of importlib.
        sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import httpx  # noqa: F401 - imported for its own sake
        import structlog  # noqa: F401 - imported for its own sake
    finally:
        if absent:
            del sys.modules["rich"]


def announce(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def database_address(given: str | None) -> str | None:
    """A database address is a credential: from a file or stdin, and never a word of a command that stays running."""
    if given is None or given.startswith("@"):
        return given
    if given == "-":
        return sys.stdin.readline().strip()
    raise usage(
        "--database-url takes a file or stdin, because every user of this machine can read command lines.",
        "Write the address into a file and give --database-url @FILE, or set QUARTERDECK_DATABASE_URL.",
    )


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(int(Exit.DONE))
