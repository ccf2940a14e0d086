"""The console of a running installation, for the composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar.types import ControllerRouterHandler

from quarterdeck.console.desk import Console
from quarterdeck.console.domain.account import Account
from quarterdeck.console.domain.bots import Bots
from quarterdeck.console.domain.deeds import Deeds
from quarterdeck.console.domain.doors import Doors
from quarterdeck.console.domain.enrolling import Enrolling
from quarterdeck.console.domain.fleet import Fleet
from quarterdeck.console.domain.infra_clouds import InfraClouds
from quarterdeck.console.domain.infra_runners import InfraRunners
from quarterdeck.console.domain.infra_specs import InfraSpecs
from quarterdeck.console.domain.infra_states import InfraStates
from quarterdeck.console.domain.infra_work import InfraWork
from quarterdeck.console.domain.kept_logs import KeptLogs
from quarterdeck.console.domain.live import Live
from quarterdeck.console.domain.notices import Notices
from quarterdeck.console.domain.people import People
from quarterdeck.console.domain.pipelines import Pipelines
from quarterdeck.console.domain.reads import Reads
from quarterdeck.console.domain.roles import Roles
from quarterdeck.console.domain.secret_places import SecretPlaces
from quarterdeck.console.domain.secret_requests import SecretRequests
from quarterdeck.console.domain.secret_rules import SecretRules
from quarterdeck.console.domain.task_projects import TaskProjects
from quarterdeck.console.domain.task_settings import Settings
from quarterdeck.console.domain.tasks import Tasks
from quarterdeck.console.domain.tidying import Tidying
from quarterdeck.console.pages.device import device_router
from quarterdeck.console.render import Renderer
from quarterdeck.console.router import console_router, front
from quarterdeck.kernel.protocols import DeletionBlocker

if TYPE_CHECKING:
    from quarterdeck.console.ports import ConsolePorts
    from quarterdeck.instance import Instance


class InstancePorts(
    Doors,
    Account,
    Reads,
    Deeds,
    Fleet,
    Tidying,
    KeptLogs,
    People,
    Roles,
    Tasks,
    TaskProjects,
    Enrolling,
    Pipelines,
    Settings,
    Bots,
    Notices,
    InfraSpecs,
    InfraWork,
    InfraStates,
    InfraRunners,
    InfraClouds,
    SecretRequests,
    SecretRules,
    SecretPlaces,
    Live,
):
    """The ports over the domain of one installation."""

    def __init__(self, instance: Instance, registry: tuple[DeletionBlocker, ...] = ()) -> None:
        super().__init__(instance)
        self.registry = registry


def console(instance: Instance, registry: tuple[DeletionBlocker, ...] = ()) -> Console:
    """What the frame keeps as the service `console`."""
    ports: ConsolePorts = InstancePorts(instance, registry)
    public = instance.settings.public_url
    return Console(ports, Renderer(ids=instance.db.ids), public_url=public)


def console_handlers() -> list[ControllerRouterHandler]:
    """Every route under `/console`, the way there from `/`, and the page for programs that ask to be let in."""
    return [front, console_router(), device_router()]
