"""The composition root: settings in, ASGI application out."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from litestar import Litestar
from litestar.types import ControllerRouterHandler

from quarterdeck import __version__
from quarterdeck.broker.tenancy.blockers import BrokerBlockers
from quarterdeck.deploy.resources.blockers import DeployBlockers
from quarterdeck.fleet.servers.blockers import FleetBlockers
from quarterdeck.infra.specs.blockers import InfraBlockers
from quarterdeck.instance import Instance
from quarterdeck.kernel.clock import SystemClock
from quarterdeck.kernel.http.application import Frame, build
from quarterdeck.kernel.http.endpoint import handlers_of
from quarterdeck.kernel.http.guard import OWN_NAMES
from quarterdeck.kernel.http.leaving import Leaving
from quarterdeck.kernel.http.measuring import Measured
from quarterdeck.kernel.http.openapi import document
from quarterdeck.kernel.http.perimeter import Surroundings
from quarterdeck.kernel.http.shared_signature import shared_options
from quarterdeck.kernel.http.vouching import Believing
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.settings import Settings
from quarterdeck.serving import serve
from quarterdeck.surfaces.addresses import DIALECTS, respelt, rewritten
from quarterdeck.tasks.projects.blockers import TaskBlockers
from quarterdeck.tasks.work.ending import EndsTasksOfProjects

if TYPE_CHECKING:
    from quarterdeck.kernel.http.forwarding import Forwarding

TITLE = "Quarterdeck"
CALLERS = {
    "agent": {"type": "apiKey", "in": "header", "name": "X-Agent-Secret"},
    "job": {"type": "http", "scheme": "basic"},
    "runner": {"type": "apiKey", "in": "header", "name": "X-Worker-Token"},
    "release": {"type": "http", "scheme": "bearer"},
}
"""How those come in who come to some routes instead of people, for the OpenAPI document."""
__all__ = ["application", "described", "handlers", "openapi_document", "serve"]


def handlers() -> list[ControllerRouterHandler]:
    """Every route of the program: those of the modules of each surface."""
    from quarterdeck.surfaces import broker, chat, deploy, infra, runbooks, shared, tasks

    return list(
        handlers_of(
            *(
                importlib.import_module(f"{surface.__name__}.{room.name}")
                for surface in (shared, deploy, tasks, runbooks, infra, broker, chat)
                for room in pkgutil.iter_modules(surface.__path__)
            )
        )
    )


def prepare() -> None:
    """Import what `application` needs, while the collector rests."""
    from quarterdeck.console import composition  # noqa: F401 - imported for its own sake

    handlers()


class _Nobody:
    """Stands in for the authenticator and the authorizer where routes are described but never called."""

    async def authenticate(self, connection: Any) -> None:
        return None

    async def require(self, principal: Any, permission: str, connection: Any) -> None:
        return None


def described(app: Litestar) -> dict[str, Any]:
    return document(app, title=TITLE, version=__version__, schemes=CALLERS)


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document, with no data directory, database or network."""
    nobody = _Nobody()
    return described(
        build(handlers(), Frame(authenticator=nobody, authorizer=nobody, dialects=DIALECTS, rewrite=rewritten))
    )


def application(instance: Instance, *, lifespan: bool = True) -> Litestar:
    """The application of an opened instance. Its background work starts and ends with the application's lifespan,
    unless whoever serves it starts and stops the instance (`lifespan=False`).
    """
    from quarterdeck.console.composition import console, console_handlers
    from quarterdeck.console.router import console_address
    from quarterdeck.surfaces.broker.agent_callers import AgentCallers
    from quarterdeck.surfaces.chat import actions as chat
    from quarterdeck.surfaces.chat.task_actions import TaskActions
    from quarterdeck.surfaces.infra.job_callers import JobAuthenticator
    from quarterdeck.surfaces.infra.runner_callers import ReleaseCallers, RunnerCallers
    from quarterdeck.surfaces.shared.authentication import CatalogueAuthorizer, SessionAuthenticator
    from quarterdeck.surfaces.shared.probing import Probing

    chat.wire(TaskActions())
    settings = instance.settings
    blockers = (
        DeployBlockers(), FleetBlockers(), InfraBlockers(), BrokerBlockers(), TaskBlockers(instance.access),
    )  # fmt: skip
    made: list[Litestar] = []
    passing: list[Forwarding] = []
    cached: list[dict[str, Any]] = []

    def describe() -> dict[str, Any]:
        if not cached:
            cached.append(described(made[0]))
        return cached[0]

    @contextlib.asynccontextmanager
    async def life(_app: Litestar) -> AsyncGenerator[None, None]:
        await instance.start()
        try:
            yield
        finally:
            await instance.stop()
            for one in passing:
                await one.close()

    doors = Probing(
        SessionAuthenticator(instance.db, instance.signer), CatalogueAuthorizer(instance.db, instance.access)
    )
    frame = Frame(
        authenticator=doors,
        authorizer=doors,
        dialects=DIALECTS,
        rewrite=lambda method, path: console_address(method, rewritten(method, path)),
        respell=respelt,
        callers={
            "agent": AgentCallers(instance.db),
            "job": JobAuthenticator(instance.db),
            "runner": RunnerCallers(instance.db),
            "release": ReleaseCallers(settings.release_secret),
        },
        surroundings=Surroundings(
            trusted_proxies=settings.trusted_proxy,
            allowed_hosts=_hosts(settings),
            public_url=settings.public_url,
            edge_socket=str(instance.edge.layout.control_socket) if instance.edge is not None else None,
        ),
        services={
            "instance": instance,
            "db": instance.db,
            "logs": instance.logs,
            "artefacts": instance.artefacts,
            "bus": instance.bus,
            "jobs": instance.jobs,
            "access": instance.access,
            "signer": instance.signer,
            "attempts": instance.attempts,
            "workers": instance.workers,
            "worker_tokens": instance.worker_tokens,
            "terminals": instance.terminals,
            "clock": SystemClock(),
            "public_url": settings.public_url,
            "setup_token": instance.setup_token,
            "deletion_blockers": blockers,
            "ends_tasks": EndsTasksOfProjects(),
            "document": describe,
            "console": console(instance, blockers),
        },
        ids=instance.db.ids,
        per_address=each_minute(settings.requests_per_address),
        per_credential=each_minute(settings.requests_per_credential),
        per_runner=each_minute(settings.requests_per_runner),
    )
    with shared_options():
        app = build([*handlers(), *console_handlers()], frame, lifespan=[life] if lifespan else [])
    if instance.standing is not None:
        from quarterdeck import beside

        passing.append(beside.stand(app, instance))
    if instance.standing is not None and not settings.beside:
        app.asgi_handler = Believing(app.asgi_handler, instance.vouching)
    app.asgi_handler = Measured(Leaving(app.asgi_handler, lambda: instance.stopping), instance.metrics)
    made.append(app)
    return app


def each_minute(count: int) -> Rate | None:
    """A limit as it is set: 0 is none."""
    return Rate(count, 60) if count else None


def _hosts(settings: Settings) -> tuple[str, ...]:
    """With a public address only its host (and loopback, for probes) is answered; without one any."""
    if settings.public_url is None:
        return ()
    return (settings.public_url.split("://", 1)[1], *OWN_NAMES)
