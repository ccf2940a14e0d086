"""Where an engine listens."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from quarterdeck.kernel.errors import Invalid

DEFAULT_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """`path` is what a dialer opens: an absolute socket path or `tcp://host:port`.

    `certificates` names a directory with `ca.pem`, `cert.pem` and `key.pem` when the engine asks for TLS.
    """

    path: str
    certificates: str | None = None

    def __str__(self) -> str:
        return f"unix://{self.path}" if self.path.startswith("/") else self.path


def own_engine(docker_host: str | None = None) -> EngineAddress:
    """The engine of this machine: the one that was chosen for it, else what its environment says."""
    return engine_address({**os.environ, **({"DOCKER_HOST": docker_host} if docker_host else {})})


def engine_address(environ: Mapping[str, str]) -> EngineAddress:
    """The engine that `DOCKER_HOST` names, else the default socket of this host."""
    given = environ.get("DOCKER_HOST", "").strip()
    if not given:
        return EngineAddress(DEFAULT_SOCKET)
    parts = urlsplit(given)
    if parts.scheme == "unix" and parts.path.startswith("/"):
        return EngineAddress(parts.path)
    if parts.scheme in {"tcp", "http", "https"} and parts.hostname:
        secured = parts.scheme == "https" or bool(environ.get("DOCKER_TLS_VERIFY"))
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        port = parts.port or (2376 if secured else 2375)
        directory = environ.get("DOCKER_CERT_PATH") or f"{environ.get('HOME', '')}/.docker"
        return EngineAddress(f"tcp://{host}:{port}", directory if secured else None)
    raise Invalid(
        f"DOCKER_HOST is not an address this program can dial ({parts.scheme or 'no scheme'})",
        code="docker_host_invalid",
        hint="Use unix:///path/to/docker.sock or tcp://host:port; register other machines as servers.",
    )
