"""Where deployments of this instance go: what a work order says about the host."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.deploy.execution.order import Limits, TargetOrder
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers.engines import REFUSED
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.servers import LOCAL
from quarterdeck.fleet.targets.login import LoginOrder
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.settings import Settings


def limits(settings: Settings) -> Limits:
    """What the operator lets builds, sources and applications take."""
    return Limits(
        build_memory=settings.build_memory,
        build_cpus=settings.build_cpus,
        build_tasks=settings.build_tasks,
        build_seconds=settings.build_seconds,
        build_disk=settings.build_disk,
        source_bytes=settings.source_size,
        source_seconds=settings.source_seconds,
        run_memory=settings.runtime_memory.size,
        run_memory_share=settings.runtime_memory.share,
        run_cpus=settings.runtime_cpus,
        least_free_disk=settings.least_free_disk / 100,
    )


@dataclass(frozen=True, slots=True)
class Placement:
    """`root` is the target directory of this machine; `instance` marks everything that we create on a host."""

    root: str
    instance: str
    docker_host: str | None = None
    edge_enabled: bool = True
    edge_http_port: int | None = None
    edge_https_port: int | None = None
    limits: Limits = Limits()  # noqa: RUF009 - an immutable value
    retained: int = 5
    """How many earlier successful deployments of a resource stay ready to be given back."""
    grace_seconds: float = 30.0
    """How long a replaced version may finish what it is answering, WebSockets included."""

    def target(self, tx: Tx, server: Server) -> TargetOrder:
        """Raises `Conflict` (`ssh_credential_missing`) for a server that nobody can sign in to any more."""
        if server.provider != LOCAL:
            return TargetOrder(
                kind="ssh",
                root="",
                instance=self.instance,
                edge_enabled=server.proxy_kind != "none",
                ssh=LoginOrder.of(access.login(tx, server)),
                engine_refused=server.name if server.engine_use == REFUSED else None,
            )
        return TargetOrder(
            kind="local",
            root=self.root,
            instance=self.instance,
            docker_host=self.docker_host,
            edge_enabled=self.edge_enabled and server.proxy_kind != "none",
            edge_http_port=self.edge_http_port,
            edge_https_port=self.edge_https_port,
        )
