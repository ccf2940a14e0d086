"""What the console asks of the rest of the program.

The pages know these protocols only. `Principal` is whatever the HTTP frame found out about the caller; it is handed
on untouched, and every method decides for itself whether that caller may. Refusals and failures are
`kernel.errors.Problem`.
Names in addresses (`project`, `environment`, `resource`) are slugs; `ref` values are the deploy surface's identifiers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from quarterdeck.console.door_ports import Account, Doors
from quarterdeck.console.fleet_ports import Fleet
from quarterdeck.console.infra_ports import Infrastructure
from quarterdeck.console.people_ports import People, Roles
from quarterdeck.console.secret_ports import Secrets
from quarterdeck.console.task_ports import TaskAdministration, Tasks
from quarterdeck.console.views.backups import BackupView
from quarterdeck.console.views.deployments import (
    DeploymentRow,
    DeploymentView,
    LineView,
    LineViews,
    LogView,
    RollbackView,
)
from quarterdeck.console.views.home import Home
from quarterdeck.console.views.ledger import AuditAsked, AuditList, Found, HostRow, JobList, JobView
from quarterdeck.console.views.projects import Choice, EnvironmentView, ProjectRow, ProjectView, VariableRow
from quarterdeck.console.views.resources import Inspection, KeptRow, ResourceHead, ResourceView, Settings
from quarterdeck.console.views.shell import Count, Viewer
from quarterdeck.kernel.audit import AuditEvent

Principal = Any


@dataclass(frozen=True, slots=True)
class Place:
    """The slugs of a resource's address."""

    project: str
    environment: str
    resource: str

    @property
    def href(self) -> str:
        return f"/console/projects/{self.project}/{self.environment}/{self.resource}"


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """What the new-project form asks for; empty strings mean unsaid. `key` is the reference of a stored SSH key,
    `builder` that of another server that builds its images.
    """

    kind: str
    locator: str
    branch: str = ""
    directory: str = ""
    key: str = ""
    project: str = ""
    environment: str = "production"
    name: str = ""
    server: str = ""
    strategy: str = "auto"
    port: str = ""
    build_command: str = ""
    start_command: str = ""
    builder: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """Something under `topic` changed; `lines` are new lines of its log, when the topic is one."""

    topic: str
    lines: tuple[LineView, ...] = ()
    gap: bool = False
    ended: bool = False


class Reads(Protocol):
    """Everything that a page shows."""

    async def viewer(self, who: Principal) -> Viewer: ...

    async def counts(self, who: Principal) -> Mapping[str, Count]:
        """By room: `home`, `projects`, `jobs`."""
        ...

    async def home(self, who: Principal) -> Home: ...

    async def projects(self, who: Principal) -> tuple[ProjectRow, ...]: ...

    async def project(self, who: Principal, slug: str) -> ProjectView: ...

    async def environment(self, who: Principal, project: str, environment: str) -> EnvironmentView: ...

    async def environment_variables(
        self, who: Principal, project: str, environment: str
    ) -> tuple[VariableRow, ...]: ...

    async def resource(self, who: Principal, place: Place) -> ResourceView: ...

    async def resource_head(self, who: Principal, place: Place) -> ResourceHead: ...

    async def deployments(
        self, who: Principal, place: Place, before: int | None, limit: int
    ) -> tuple[DeploymentRow, ...]:
        """Newest first, those with a number below `before`."""
        ...

    async def deployment(self, who: Principal, place: Place, number: int) -> DeploymentView: ...

    async def deployment_log(self, who: Principal, place: Place, number: int, limit: int) -> LogView:
        """The last `limit` lines."""
        ...

    async def runtime_log(self, who: Principal, place: Place, limit: int) -> LogView | None: ...

    async def whole_deployment_log(self, who: Principal, place: Place, number: int) -> AsyncIterator[LineViews]:
        """Every line, in pages: nobody holds all of a long log."""
        ...

    async def whole_runtime_log(self, who: Principal, place: Place) -> AsyncIterator[LineViews]: ...

    async def rollback_plan(self, who: Principal, place: Place, number: int) -> RollbackView: ...

    async def variables(self, who: Principal, place: Place) -> tuple[VariableRow, ...]: ...

    async def settings(self, who: Principal, place: Place) -> Settings: ...

    async def hosts(self, who: Principal) -> tuple[HostRow, ...]: ...

    async def servers(self, who: Principal) -> tuple[Choice, ...]:
        """Those that can be deployed to."""
        ...

    async def jobs(self, who: Principal, *, state: str, before: str, limit: int) -> JobList: ...

    async def job(self, who: Principal, ref: str) -> JobView: ...

    async def audit(self, who: Principal, asked: AuditAsked, *, before: str, limit: int) -> AuditList: ...

    async def audit_export(
        self, who: Principal, asked: AuditAsked, form: str, said: Mapping[str, str]
    ) -> AsyncIterator[list[AuditEvent]]:
        """Everything that is asked for, in parts; `said` is what the trail keeps of the question."""
        ...

    async def verify_audit(self, who: Principal) -> str:
        """Have the trail proved; answers the job."""
        ...

    async def backups(self, who: Principal) -> BackupView: ...

    async def search(self, who: Principal, words: str, limit: int) -> tuple[Found, ...]: ...

    async def inspect(self, who: Principal, source: SourceChoice) -> Inspection: ...


class Deeds(Protocol):
    """Everything that a form does. Each returns the reference or number of what it made, where it made something."""

    async def create_project(self, who: Principal, *, name: str, description: str) -> str: ...

    async def change_project(self, who: Principal, slug: str, *, name: str, description: str, version: str) -> str: ...

    async def archive_project(self, who: Principal, slug: str) -> None: ...

    async def restore_project(self, who: Principal, slug: str) -> None: ...

    async def project_blockers(self, who: Principal, slug: str) -> tuple[str, ...]: ...

    async def delete_project(self, who: Principal, slug: str, confirmation: str) -> None: ...

    async def create_environment(self, who: Principal, project: str, *, name: str, kind: str) -> str: ...

    async def deploy_source(self, who: Principal, source: SourceChoice) -> tuple[Place, int]: ...

    async def deploy(self, who: Principal, place: Place) -> int: ...

    async def cancel(self, who: Principal, place: Place, number: int) -> None: ...

    async def retry(self, who: Principal, place: Place, number: int) -> int: ...

    async def roll_back(self, who: Principal, place: Place, number: int) -> int: ...

    async def control(self, who: Principal, place: Place, operation: str) -> None:
        """`operation` is stop, start or restart."""
        ...

    async def set_variable(
        self, who: Principal, place: Place | tuple[str, str], *, key: str, value: str, exposure: str, secret: bool
    ) -> None:
        """Of a resource, or of the environment named by (project, environment)."""
        ...

    async def import_variables(
        self, who: Principal, place: Place, *, content: str, exposure: str, secret: str, plain: str
    ) -> int:
        """The text of a `.env` file; `secret` and `plain` are keys, as a person types several. Answers how many."""
        ...

    async def archive_deployment(self, who: Principal, place: Place, number: int) -> None: ...

    async def unset_variable(
        self, who: Principal, place: Place | tuple[str, str], *, key: str, exposure: str
    ) -> None: ...

    async def change_settings(
        self, who: Principal, place: Place, form: str, values: Mapping[str, str], version: str
    ) -> None:
        """`form` is source, runtime, network, health or access. An outdated `version` raises Conflict."""
        ...

    async def archive_resource(self, who: Principal, place: Place) -> None: ...

    async def delete_resource(self, who: Principal, place: Place, confirmation: str) -> None: ...

    async def cancel_job(self, who: Principal, ref: str) -> None: ...

    async def retry_job(self, who: Principal, ref: str) -> str: ...

    async def recover_job(self, who: Principal, ref: str, reason: str) -> None: ...

    async def give_up_job(self, who: Principal, ref: str, reason: str) -> None: ...


class KeptLogs(Protocol):
    """Lines of a runtime that somebody keeps beyond their time."""

    async def kept_logs(self, who: Principal, place: Place, limit: int) -> tuple[KeptRow, ...]:
        """Newest first."""
        ...

    async def kept_log(self, who: Principal, place: Place, ref: str) -> tuple[KeptRow, LogView]: ...

    async def keep_log(self, who: Principal, place: Place, *, lines: str, service: str, reason: str) -> str: ...

    async def old_kept_logs(self, who: Principal, place: Place, days: int) -> int:
        """How many were kept more than so many days ago."""
        ...

    async def delete_kept_logs(self, who: Principal, place: Place, days: int, confirmation: str) -> int:
        """`confirmation` is the slug of the resource."""
        ...


class Live(Protocol):
    """What moves while a page is open."""

    async def admitted(self, who: Principal, topics: tuple[str, ...]) -> None:
        """Raises `Forbidden` or `NotFound` for a topic that the caller may not see."""
        ...

    def follow(self, who: Principal, topics: tuple[str, ...], after: int) -> AsyncIterator[Update]:
        """Topics are `home`, `fleet`, `jobs`, `project:SLUG`, `resource:P/E/R`, `deployment:P/E/R/N`,
        `infra`, `infra-spec:UID`, `infra-job:UID`, `infra-plan:UID`, `log:STREAM`.

        Yields one update for every change of a topic, and the lines of the log topic after number `after`. Raises
        Forbidden for a topic the caller may not see, and ends when the caller's session ends.
        """
        ...


class ConsolePorts(
    Doors,
    Account,
    Reads,
    Deeds,
    Fleet,
    KeptLogs,
    People,
    Roles,
    Tasks,
    TaskAdministration,
    Infrastructure,
    Secrets,
    Live,
    Protocol,
):
    """All of it, as the pages are given it."""
