"""What the database knows about the state of a resource: the ground of its health."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.deploy.deployments.routes import server_of
from quarterdeck.deploy.observation import observations
from quarterdeck.deploy.observation.model import Observation
from quarterdeck.deploy.resources import overview, resources
from quarterdeck.deploy.resources.overview import Overview
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers.model import Destination, Server
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.fleet.targets.login import Login
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem


@dataclass(frozen=True, slots=True)
class Facts:
    """`server` is that of the serving deployment, `login` how it is signed in to unless it is this machine or nobody
    knows; the refs are those of the newest one.
    """

    view: Overview
    observation: Observation | None
    server: Server | None
    latest_server: str
    latest_destination: str
    login: Login | None = None

    @property
    def here(self) -> bool:
        """Whether the runtime is on this machine, so that it can be asked."""
        return self.server is not None and self.server.provider == LOCAL


def facts(tx: Tx, ref: str) -> Facts:
    view = overview.of(tx, resources.find(tx, ref))
    latest_server = server_of(tx, view.latest.server_id) if view.latest else None
    destination = tx.get(Destination, view.latest.destination_id) if view.latest else None
    server = server_of(tx, view.serving.server_id) if view.serving else None
    return Facts(
        view,
        observations.of(tx, view.resource),
        server,
        latest_server.ref if latest_server else "",
        destination.ref if destination else "",
        _login(tx, server),
    )


def _login(tx: Tx, server: Server | None) -> Login | None:
    if server is None or server.provider == LOCAL:
        return None
    try:
        return access.login(tx, server)
    except Problem:
        return None
