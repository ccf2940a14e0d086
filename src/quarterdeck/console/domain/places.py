"""Readable addresses to rows, by slugs of the caller's own organization; and what a job or an audit event is about to
its name and its page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.access.model import Role
from quarterdeck.console.domain import infra_job_views, secret_subjects
from quarterdeck.console.ports import Place
from quarterdeck.console.views.people import PEOPLE, ROLES
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation.model import LogArchive
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.credentials.model import SshCredential
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity import users
from quarterdeck.identity.model import Invitation, Organization, User
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.runners.model import Release
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel import jobs as work
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.workspace import environments, projects
from quarterdeck.workspace.model import Environment, Project
from quarterdeck.workspace.names import slug


@dataclass(frozen=True, slots=True)
class Found:
    resource: Resource
    environment: Environment
    project: Project

    @property
    def href(self) -> str:
        return href(self.project, self.environment, self.resource)

    @property
    def title(self) -> str:
        return f"{self.project.name} / {self.resource.name}"


def environment_slug(environment: Environment) -> str:
    """Environments have names only; their slug is derived, and an odd name falls back to the `env_…`."""
    return slug(environment.name, environment.ref)


def href(project: Project, environment: Environment, resource: Resource) -> str:
    return f"/console/projects/{project.slug}/{environment_slug(environment)}/{resource.slug}"


def project_at(tx: Tx, name: str) -> Project:
    found = projects.find_by_slug(tx, name)
    if found is None:
        raise NotFound(
            f"There is no project {name[:60]!r}, or you may not see it.",
            hint="It may have another name now. Look in Projects.",
        )
    return found


def environment_at(tx: Tx, project: str, name: str) -> tuple[Environment, Project]:
    owner = project_at(tx, project)
    for environment in environments.of_project(tx, owner):
        if name in {environment_slug(environment), environment.ref}:
            return environment, owner
    raise NotFound(f"{owner.name} has no environment {name[:60]!r}.", hint=f"Look in {owner.name}.")


def resource_at(tx: Tx, place: Place) -> Found:
    environment, project = environment_at(tx, place.project, place.environment)
    resource = resources.find_by_slug(tx, environment, place.resource)
    if resource is None:
        raise NotFound(
            f"There is no resource {place.resource[:60]!r} in {project.name} / {environment.name}.",
            hint=f"Look in {project.name}.",
        )
    return Found(resource, environment, project)


def deployment_at(tx: Tx, found: Found, number: int) -> Deployment:
    row = tx.first(select(Deployment).where(Deployment.resource_id == found.resource.id, Deployment.number == number))
    if row is None:
        latest = tx.get(Deployment, found.resource.latest_id) if found.resource.latest_id else None
        raise NotFound(
            f"{found.resource.name} has no deployment v{number}.",
            hint=f"The newest is v{latest.number}." if latest is not None else "",
        )
    return row


def owners_of(tx: Tx, resource: Resource) -> Found:
    environment, project = resources.owners(tx, resource)
    return Found(resource, environment, project)


Subject = tuple[str, str | None]
"""A name, and the address of the page."""
MACHINES = "/console/tasks/machines"
KEYS = "/console/fleet/keys"
INFRA = "/console/infra"

KINDS: Mapping[str, Subject] = {
    "access-policy": ("access policy", None),
    "access-rule": ("access rule", ROLES),
    "audit-archive": ("audit archive", "/console/audit"),
    "audit-chain": ("the audit trail", "/console/audit"),
    "audit-event": ("audit event", "/console/audit"),
    "bot": ("bot", "/console/tasks/bots"),
    "deploy-token": ("deploy token", None),
    "deployment": ("deployment", None),
    "deployment-overlay": ("deployment overlay", None),
    "device-login": ("login by a code", None),
    "domain-event": ("domain event", None),
    "environment": ("environment", None),
    "grant": ("grant", PEOPLE),
    "identity-provider": ("identity provider", None),
    "cloud-identity": ("cloud identity", f"{INFRA}/clouds"),
    "cloud-issuer-key": ("key for clouds", f"{INFRA}/clouds"),
    "infra-job": ("infrastructure job", f"{INFRA}/jobs"),
    "infra-spec": ("specification", INFRA),
    "infra-state": ("state", INFRA),
    "infra-zone": ("zone", f"{INFRA}/zones"),
    "invitation": ("invitation", None),
    "job": ("job", "/console/jobs"),
    "legal-hold": ("legal hold", "/console/audit"),
    "log-archive": ("kept log", None),
    "notification": ("notification", "/console/notifications"),
    "operator-work": ("job", "/console/jobs"),
    "organization": ("organization", None),
    "personal-token": ("personal token", None),
    "project": ("project", None),
    "prune-policy": ("tidying policy", "/console/fleet/policies"),
    "resource": ("resource", None),
    "retention-default": ("rule of how long things are kept", None),
    "retention-run": ("retention run", None),
    "role": ("role", None),
    "route-surface": ("route surface", None),
    "runner": ("runner", f"{INFRA}/runners"),
    "runner-release": ("release of the runner", f"{INFRA}/runners"),
    "server": ("server", None),
    "session": ("session", None),
    "ssh-credential": ("SSH key", None),
    "task": ("task", "/console/tasks"),
    "task-project": ("project", None),
    "task-settings": ("the settings of tasks", "/console/tasks/settings"),
    "usage-intent": ("usage intent", None),
    "user": ("user", None),
    "vault": ("vault", None),
    "webhook": ("webhook", None),
    "worker": ("machine", None),
    "worker-token": ("enrolment token", f"{MACHINES}/enrol"),
    **secret_subjects.KINDS,
}
"""What each type of thing in the audit trail is called where nothing of it is known, and the page of all of them."""
ONLY = {"audit-chain", "task-settings"}
"""There is one of it: it needs no number."""


def subject_of(tx: Tx, subject: str | None) -> Subject:
    """By `type:id`; an id of `*` is all of that type. What is gone is called by what is left of it."""
    kind, _, ref = (subject or "").partition(":")
    if kind not in KINDS:
        return (subject or "").replace(":", " "), None
    word, page = KINDS[kind]
    if kind in ONLY:
        return word, page
    if ref == "*":
        return f"{word.removesuffix('y')}ies" if word.endswith("y") else f"{word}s", page
    found = LOOKS[kind](tx, ref) if kind in LOOKS else None
    return found or (f"{word} {ref}", page)


def _deployment(tx: Tx, ref: str) -> Subject | None:
    attempt = tx.first(select(Deployment).where(Deployment.ref == ref))
    resource = tx.get(Resource, attempt.resource_id) if attempt else None
    if attempt is None or resource is None:
        return None
    found = owners_of(tx, resource)
    return f"{found.title} v{attempt.number}", f"{found.href}/deployments/{attempt.number}"


def _resource(tx: Tx, ref: str) -> Subject | None:
    resource = tx.first(select(Resource).where(Resource.ref == ref))
    if resource is None:
        return None
    found = owners_of(tx, resource)
    return found.title, found.href if resource.lifecycle != "deleted" else None


def _kept_log(tx: Tx, ref: str) -> Subject | None:
    kept = tx.first(select(LogArchive).where(LogArchive.ref == ref))
    resource = tx.get(Resource, kept.resource_id) if kept else None
    if resource is None:
        return None
    found = owners_of(tx, resource)
    return f"log of {found.title}", f"{found.href}/logs/kept/{ref}" if resource.lifecycle != "deleted" else None


def _environment(tx: Tx, ref: str) -> Subject | None:
    environment = tx.first(select(Environment).where(Environment.ref == ref))
    project = tx.get(Project, environment.project_id) if environment else None
    if environment is None or project is None:
        return None
    address = f"/console/projects/{project.slug}/{environment_slug(environment)}"
    return f"{project.name} / {environment.name}", address


def _project(tx: Tx, ref: str) -> Subject | None:
    project = tx.first(select(Project).where(Project.ref == ref))
    return (project.name, f"/console/projects/{project.slug}") if project else None


def _server(tx: Tx, ref: str) -> Subject:
    server = tx.first(select(Server).where(Server.ref == ref))
    return (server.name, f"/console/fleet/servers/{server.ref}") if server else (ref, None)


def _user(tx: Tx, ref: str) -> Subject | None:
    user = tx.first(select(User).where(User.uid == (users.dashed(ref) or ref)))
    if user is None:
        return None
    inside = grants.belongs(tx, user.id, tx.principal.organization_id or 0)
    return user.display_name or user.username, f"{PEOPLE}/{ref.replace('-', '')}" if inside else None


def _invitation(tx: Tx, ref: str) -> Subject | None:
    uid, here = users.dashed(ref) or ref, tx.principal.organization_id or 0
    asked = tx.first(select(Invitation).where(Invitation.uid == uid, Invitation.organization_id == here))
    return (f"invitation of {asked.email}", PEOPLE) if asked else None


def _role(tx: Tx, ref: str) -> Subject | None:
    role = tx.first(select(Role).where(Role.uid == (users.dashed(ref) or ref)))
    return (f"role {role.name}", f"{ROLES}/{role.uid}") if role else None


def _organization(tx: Tx, ref: str) -> Subject | None:
    found = tx.first(select(Organization).where(Organization.ref == ref))
    return (found.name, None) if found else None


def _job(tx: Tx, ref: str) -> Subject | None:
    job = work.find(tx, uid=ref)
    return (f"job {job.short_ref}", f"/console/jobs/{job.short_ref}") if job else None


def _work(tx: Tx, ref: str) -> Subject | None:
    try:
        job = work.look(tx, work.work_ref_id(ref))
    except ValueError:
        return None
    return (f"job {job.short_ref}", f"/console/jobs/{job.short_ref}") if job else None


def _key(tx: Tx, ref: str) -> Subject | None:
    found = tx.first(select(SshCredential).where(SshCredential.ref == ref))
    return (f"SSH key {found.name}", KEYS) if found else None


def _task(_tx: Tx, ref: str) -> Subject:
    """By its number alone: whoever reads the trail need not see the task."""
    return f"task #{ref}", f"/console/tasks/{ref}"


def _task_project(tx: Tx, ref: str) -> Subject:
    here = tx.principal.organization_id or 0
    found = tx.first(select(TaskProject).where(TaskProject.organization_id == here, TaskProject.key == ref))
    return ref, f"/console/tasks/projects/{ref}" if found else None


def _worker(tx: Tx, ref: str) -> Subject | None:
    here = tx.principal.organization_id or 0
    found = tx.first(select(Worker).where(Worker.uid == ref, Worker.organization_id == here))
    if found is None:
        return None
    page = f"{MACHINES}/{found.uid}" if "tasks" in found.capabilities else "/console/fleet"
    return found.name, page if found.revoked_at is None else None


def _infra_zone(tx: Tx, ref: str) -> Subject | None:
    row = tx.execute(
        select(Zone.uid, Project.name)
        .join(Project, Project.id == Zone.project_id)
        .where(Zone.uid == ref, Zone.organization_id == (tx.principal.organization_id or 0))
    ).first()
    return (f"zone {row.name}", f"{INFRA}/zones/{row.uid}") if row else None


def _infra_spec(tx: Tx, ref: str) -> Subject | None:
    here = tx.principal.organization_id or 0
    found = tx.first(select(Spec).where(Spec.uid == ref, Spec.organization_id == here))
    return (found.project_name, f"{INFRA}/specs/{found.uid}") if found else None


def _infra_job(tx: Tx, ref: str) -> Subject | None:
    here = tx.principal.organization_id or 0
    found = tx.first(select(InfraJob).where(InfraJob.uid == ref, InfraJob.organization_id == here))
    if found is None:
        return None
    row = infra_job_views.rows(tx, [found])[0]
    return f"{row.title.lower()} of {row.about[0]}", row.href


def _infra_state(tx: Tx, ref: str) -> Subject | None:
    """By what it is of: `spec:<uid>` or `runner:<uid>`."""
    kind, _, uid = ref.partition(":")
    of = (_infra_spec if kind == "spec" else _runner)(tx, uid)
    if of is None:
        return None
    return f"state of {of[0]}", f"{of[1]}/state" if kind == "spec" else of[1]


def _runner(tx: Tx, ref: str) -> Subject | None:
    here = tx.principal.organization_id or 0
    found = tx.first(select(Worker).where(Worker.uid == ref, Worker.organization_id == here))
    if found is None:
        return None
    return found.name, f"{INFRA}/runners/{found.uid}" if found.revoked_at is None else None


def _release(tx: Tx, ref: str) -> Subject | None:
    found = tx.first(select(Release).where(Release.uid == ref))
    return (f"release {found.version} of the runner", f"{INFRA}/runners") if found else None


def _cloud_identity(tx: Tx, ref: str) -> Subject | None:
    here = tx.principal.organization_id or 0
    found = tx.first(select(CloudIdentity).where(CloudIdentity.uid == ref, CloudIdentity.organization_id == here))
    return (f"cloud identity {found.name}", f"{INFRA}/clouds/{found.uid}") if found else None


LOOKS: Mapping[str, Callable[[Tx, str], Subject | None]] = {
    "deployment": _deployment,
    "environment": _environment,
    "cloud-identity": _cloud_identity,
    "infra-job": _infra_job,
    "infra-spec": _infra_spec,
    "infra-state": _infra_state,
    "infra-zone": _infra_zone,
    "invitation": _invitation,
    "job": _job,
    "log-archive": _kept_log,
    "operator-work": _work,
    "organization": _organization,
    "project": _project,
    "resource": _resource,
    "role": _role,
    "runner": _runner,
    "runner-release": _release,
    "server": _server,
    "ssh-credential": _key,
    "task": _task,
    "task-project": _task_project,
    "user": _user,
    "worker": _worker,
    **secret_subjects.LOOKS,
}
"""Those that have a name, or a page, of their own; None for what is gone."""
