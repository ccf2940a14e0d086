"""What the database knows about the state of a resource: the ground of its health."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.deploy.deployments.routes import server_of
from quarterdeck.deploy.observation import observations
from quarterdeck.deploy.observation.model import Observation
from quarterdeck.deploy.resources import overview, resources
from quarterdeck.deploy.resources.overview import Overview
from quarterdeck.fleet.servers.model import Destination, Server
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class Facts:
    """`server` is that of the serving deployment; the refs are those of the newest one."""

    view: Overview
    observation: Observation | None
    server: Server | None
    latest_server: str
    latest_destination: str

    @property
    def here(self) -> bool:
        """Whether the runtime is on this machine, so that it can be asked."""
        return self.server is not None and self.server.provider == LOCAL


def facts(tx: Tx, ref: str) -> Facts:
    view = overview.of(tx, resources.find(tx, ref))
    latest_server = server_of(tx, view.latest.server_id) if view.latest else None
    destination = tx.get(Destination, view.latest.destination_id) if view.latest else None
    return Facts(
        view,
        observations.of(tx, view.resource),
        server_of(tx, view.serving.server_id) if view.serving else None,
        latest_server.ref if latest_server else "",
        destination.ref if destination else "",
    )
