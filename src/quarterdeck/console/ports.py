"""What the console asks of the rest of the program.

The pages know these protocols only. `Principal` is whatever the HTTP frame found out about the caller; it is handed
on untouched, and every method decides for itself whether that caller may. Refusals and failures are
`kernel.errors.Problem`.
Names in addresses (`project`, `environment`, `resource`) are slugs; `ref` values are the deploy surface's identifiers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from quarterdeck.console.people_ports import People, Roles
from quarterdeck.console.views.account import Enrolment, NewToken, OrganizationRow, SignInView, TokenRow
from quarterdeck.console.views.backups import BackupView
from quarterdeck.console.views.deployments import DeploymentRow, DeploymentView, LineView, LogView, RollbackView
from quarterdeck.console.views.device import DeviceView
from quarterdeck.console.views.fleet import (
    CapacityView,
    CredentialRow,
    EngineView,
    LeftRow,
    Looked,
    PolicyForm,
    PolicyRow,
    ServerChoice,
    ServerView,
    SurveyView,
)
from quarterdeck.console.views.home import Home
from quarterdeck.console.views.ledger import AuditAsked, AuditList, Found, HostRow, JobList, JobView, SessionRow
from quarterdeck.console.views.projects import Choice, EnvironmentView, ProjectRow, ProjectView, VariableRow
from quarterdeck.console.views.resources import Inspection, KeptRow, ResourceHead, ResourceView, Settings
from quarterdeck.console.views.shell import Count, Viewer
from quarterdeck.identity.coming_in import AskedIn
from quarterdeck.kernel.audit import AuditEvent

Principal = Any


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the value of its cookie and its life in seconds."""

    token: str
    max_age: int


@dataclass(frozen=True, slots=True)
class Step:
    """`token` stands for a password that was right, for five minutes."""

    token: str


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Whether the first administrator is still to be made, and whether that needs the setup token."""

    required: bool
    token_required: bool


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """An identity provider that the sign-in page offers."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Begun:
    """The way to an identity provider, and what the browser keeps meanwhile."""

    name: str
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Finished:
    """`signed_in` is missing where an account was connected."""

    address: str
    signed_in: SignedIn | None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An identity provider on one's own page; `account` and `since` where it is connected."""

    slug: str
    name: str
    account: str | None
    since: datetime | None


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


class Doors(Protocol):
    """Signing in and out."""

    async def bootstrap(self) -> Bootstrap: ...

    async def first_admin(
        self, *, email: str, name: str, password: str, setup_token: str, request: Any
    ) -> SignedIn: ...

    async def sign_in(self, *, login: str, password: str, request: Any) -> SignedIn | Step:
        """A step where the password was right and a one-time code is still to come."""
        ...

    async def second_step(self, *, token: str, code: str, request: Any) -> SignedIn:
        """The rest of a sign-in whose password was right. Raises Invalid (link_invalid) when that is too long ago,
        Unauthenticated for a wrong code.
        """
        ...

    async def look_at_invitation(self, token: str) -> AskedIn:
        """What an invitation says, which stays as it is. Raises Invalid (link_invalid), NotFound (invitation_ended)."""
        ...

    async def accept_invitation(self, *, token: str, name: str, password: str, request: Any) -> SignedIn | None:
        """None where the invitation is accepted and a one-time code is still to come: sign in with it. An empty name
        leaves the one there is. Raises Invalid (link_invalid), NotFound (invitation_ended), Unauthenticated for the
        wrong password of an account that exists, Forbidden.
        """
        ...

    async def sends_mail(self) -> bool:
        """Whether there is a mail server."""
        ...

    async def forgot_password(self, *, email: str, request: Any) -> None:
        """Mail a link if somebody has the address; nothing tells the caller whether."""
        ...

    async def reset_password(self, *, token: str, password: str) -> None:
        """Every session of the account ends. Raises Invalid (link_invalid)."""
        ...

    async def confirm_address(self, *, token: str) -> None:
        """Raises Invalid (link_invalid), Conflict (email_taken)."""
        ...

    async def identity_providers(self) -> tuple[ProviderChoice, ...]: ...

    async def begin_external(self, slug: str, *, back: str, address: str, member: Principal | None) -> Begun:
        """The way to a provider that sends its answer to `back`; for a member it connects instead of signing in."""
        ...

    async def finish_external(
        self, slug: str, *, back: str, answer: Mapping[str, str], browser: str, request: Any
    ) -> Finished: ...

    async def external_accounts(self, who: Principal) -> tuple[AccountRow, ...]: ...

    async def disconnect_external(self, who: Principal, ref: str) -> None: ...

    async def sign_out(self, who: Principal) -> None: ...

    async def sessions(self, who: Principal) -> tuple[SessionRow, ...]: ...

    async def revoke_session(self, who: Principal, ref: str) -> None: ...

    async def device_login(self, who: Principal, code: str) -> DeviceView:
        """Of any code that is one, asked with or not."""
        ...

    async def approve_device(self, who: Principal, code: str) -> None: ...

    async def refuse_device(self, who: Principal, code: str) -> None: ...


class Account(Protocol):
    """The reader's own account. Whoever comes by a token of a program is refused what makes or ends credentials."""

    async def sign_in_view(self, who: Principal) -> SignInView: ...

    async def change_password(self, who: Principal, *, present: str, new: str) -> None:
        """Every other session ends. Raises Invalid for the field `currentPassword` or `password`."""
        ...

    async def sign_out_elsewhere(self, who: Principal) -> int:
        """Answers how many sessions ended."""
        ...

    async def begin_factor(self, who: Principal) -> Enrolment: ...

    async def begun_factor(self, who: Principal, secret: str) -> Enrolment | None:
        """What `begin_factor` answered, for who still has its secret."""
        ...

    async def confirm_factor(self, who: Principal, code: str) -> tuple[str, ...]:
        """The recovery codes, this once."""
        ...

    async def renew_codes(self, who: Principal, code: str) -> tuple[str, ...]: ...

    async def switch_off_factor(self, who: Principal, *, password: str, code: str) -> None:
        """`password` is looked at where there is one."""
        ...

    async def tokens(self, who: Principal) -> tuple[TokenRow, ...]:
        """Newest first, those that have ended included."""
        ...

    async def create_token(
        self, who: Principal, *, label: str, scopes: tuple[str, ...], days: int | None
    ) -> NewToken: ...

    async def revoke_token(self, who: Principal, ref: str) -> None: ...

    async def organizations(self, who: Principal) -> tuple[OrganizationRow, ...]:
        """Where the reader may act, with this session."""
        ...

    async def switch_organization(self, who: Principal, ref: str) -> None: ...


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
        """The last `limit` lines; a limit of 0 means all."""
        ...

    async def runtime_log(self, who: Principal, place: Place, limit: int) -> LogView | None: ...

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


class Fleet(Protocol):
    """Servers, by their references, and the keys they are reached with."""

    async def server(self, who: Principal, ref: str) -> ServerView: ...

    async def look(self, who: Principal, ref: str) -> Looked:
        """Sign in and look; takes seconds."""
        ...

    async def look_at_draft(self, who: Principal, choice: ServerChoice) -> Looked:
        """The same for a server that is not registered; nothing is kept."""
        ...

    async def keep_key(self, who: Principal, *, name: str, username: str, key: str | None) -> str:
        """Store a key, or without one a new one. Raises Forbidden for who may not."""
        ...

    async def survey(self, who: Principal, ref: str) -> SurveyView:
        """The edge as it runs, and what else the machine does; takes seconds."""
        ...

    async def left_on_server(self, who: Principal, ref: str) -> tuple[LeftRow, ...]:
        """What of ours is on a server; takes seconds."""
        ...

    async def uninstall_server(
        self, who: Principal, ref: str, confirmation: str, *, without_engine: bool
    ) -> tuple[LeftRow, ...]:
        """Take it away; `confirmation` is the server's name. `without_engine` leaves what one holds that does not
        answer.
        """
        ...

    async def policies(self, who: Principal) -> tuple[PolicyRow, ...]:
        """By which all servers are tidied."""
        ...

    async def configure_policy(self, who: Principal, policy: PolicyForm) -> None: ...

    async def capacity(self, who: Principal, ref: str) -> CapacityView: ...

    async def credentials(self, who: Principal) -> tuple[CredentialRow, ...]: ...

    async def add_server(self, who: Principal, choice: ServerChoice) -> str: ...

    async def rename_server(self, who: Principal, ref: str, name: str) -> None: ...

    async def sign_in_to_server(self, who: Principal, ref: str, *, credential: str, username: str) -> None: ...

    async def choose_edge(self, who: Principal, ref: str, kind: str) -> None: ...

    async def bring_up_edge(self, who: Principal, ref: str) -> None: ...

    async def engine(self, who: Principal, ref: str) -> EngineView:
        """Looks at the machine. Raises the problem of one that cannot be signed in to."""
        ...

    async def use_engine(self, who: Principal, ref: str, plan_id: str) -> None:
        """Does what the plan of this id says; raises Conflict when that is another one by now."""
        ...

    async def refuse_engine(self, who: Principal, ref: str, reason: str) -> None: ...

    async def trust_host_key(self, who: Principal, ref: str, fingerprint: str) -> None: ...

    async def deactivate_server(self, who: Principal, ref: str, reason: str) -> None: ...

    async def delete_server(self, who: Principal, ref: str, confirmation: str) -> None:
        """`confirmation` is the server's name."""
        ...

    async def add_credential(self, who: Principal, *, name: str, username: str, key: str) -> None: ...

    async def delete_credential(self, who: Principal, ref: str) -> None: ...


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

    def follow(self, who: Principal, topics: tuple[str, ...], after: int) -> AsyncIterator[Update]:
        """Topics are `home`, `fleet`, `jobs`, `project:SLUG`, `resource:P/E/R`, `deployment:P/E/R/N`, `log:STREAM`.

        Yields one update for every change of a topic, and the lines of the log topic after number `after`. Raises
        Forbidden for a topic the caller may not see, and ends when the caller's session ends.
        """
        ...


class ConsolePorts(Doors, Account, Reads, Deeds, Fleet, KeptLogs, People, Roles, Live, Protocol):
    """All of it, as the pages are given it."""
