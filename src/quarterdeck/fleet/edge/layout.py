"""Where the edge of a host keeps what it knows: one directory, every path of it named here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quarterdeck.kernel.errors import Invalid

# The kernel's limit for the address of a unix socket is 107 bytes and a zero.
SOCKET_PATH_LIMIT = 107


@dataclass(frozen=True)
class Layout:
    """`directory` is `<root>/edge`. Route files are the truth; everything else can be made again from them."""

    directory: Path

    def __post_init__(self) -> None:
        text = str(self.directory)
        if not self.directory.is_absolute() or set(text) & set("{}\n"):
            raise Invalid(
                f"The edge cannot live in {text!r}.",
                code="edge_proxy_directory_invalid",
                hint="Use an absolute data directory whose path has no braces.",
            )
        if len(str(self.candidate_socket).encode()) > SOCKET_PATH_LIMIT:
            raise Invalid(
                f"The edge directory {text} is too long for a unix socket inside it.",
                code="edge_proxy_directory_invalid",
                hint=f"Use a data directory whose path is at least {len(text) - 85} characters shorter.",
            )

    @property
    def routes(self) -> Path:
        return self.directory / "routes"

    def route(self, route_id: str) -> Path:
        return self.routes / f"{route_id}.json"

    @property
    def upstreams(self) -> Path:
        return self.directory / "upstreams"

    def upstream(self, route_id: str) -> Path:
        return self.upstreams / route_id

    @property
    def candidates(self) -> Path:
        return self.directory / "candidates"

    def candidate(self, route_id: str) -> Path:
        return self.candidates / route_id

    @property
    def current(self) -> Path:
        """The whole configuration that was loaded last."""
        return self.directory / "current.json"

    @property
    def previous(self) -> Path:
        return self.directory / "previous.json"

    @property
    def starting(self) -> Path:
        """The configuration that a start is tried with."""
        return self.directory / "starting.json"

    @property
    def ports(self) -> Path:
        return self.directory / "ports.json"

    @property
    def options(self) -> Path:
        """What the operator decided about the edge, for everybody who holds one of this directory."""
        return self.directory / "options.json"

    @property
    def control_socket(self) -> Path:
        """Where the control plane listens for the edge alone."""
        return self.directory / "control.sock"

    @property
    def process(self) -> Path:
        """Who serves: pid, start time and boot id, as JSON."""
        return self.directory / "caddy.pid"

    @property
    def admin_socket(self) -> Path:
        return self.directory / "admin.sock"

    @property
    def candidate_socket(self) -> Path:
        return self.directory / "candidate.sock"

    @property
    def process_lock(self) -> Path:
        """Held by the Caddy of this directory as long as it lives."""
        return self.directory / "edge.lock"

    @property
    def routes_lock(self) -> Path:
        """Held around reading, changing and loading the routes."""
        return self.directory / "routes.lock"

    @property
    def upstreams_lock(self) -> Path:
        """Held around reading and replacing an upstream file."""
        return self.directory / "upstreams.lock"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def access_log(self) -> Path:
        return self.log / "access.json"

    @property
    def caddy_log(self) -> Path:
        return self.log / "caddy.json"

    @property
    def start_log(self) -> Path:
        """What Caddy said before its own log was open, of the last start only."""
        return self.log / "start.log"

    @property
    def configuration_home(self) -> Path:
        """Caddy's own: `caddy/autosave.json`, from which `run --resume` starts, stands below it."""
        return self.directory / "autosave"

    @property
    def autosave(self) -> Path:
        return self.configuration_home / "caddy" / "autosave.json"

    @property
    def data(self) -> Path:
        """Caddy's certificates and accounts."""
        return self.directory / "data"

    @property
    def empty(self) -> Path:
        """Where Caddy stands: a file handler without a root would serve its working directory."""
        return self.directory / "empty"
