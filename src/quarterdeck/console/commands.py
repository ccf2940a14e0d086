"""The same deed on the command line and over HTTP, for the piece under a form.

A test parses every line that is shown.
"""

from __future__ import annotations

import shlex

from quarterdeck.console.ports import SourceChoice
from quarterdeck.console.views.account import OrganizationRow, TokenRow
from quarterdeck.console.views.backups import BackupView
from quarterdeck.console.views.deployments import DeploymentRow
from quarterdeck.console.views.fleet import CredentialRow, PolicyForm, ServerChoice, ServerView
from quarterdeck.console.views.ledger import JobRow
from quarterdeck.console.views.projects import EnvironmentView, ProjectView
from quarterdeck.console.views.resources import KeptRow, ResourceHead
from quarterdeck.console.views.shell import Command
from quarterdeck.console.views.tasks import MachineView, NewTask, TaskView

# Names of fields as `qd set` takes them; a form is shown by its first field.
SETTABLE = {
    "source": "branch=main",
    "runtime": "start-command=…",
    "network": "port=3000",
    "health": "health-path=/healthz",
    "access": "path-prefix=/",
}
# What `qd server policy --category` takes.
CATEGORIES = ("stopped-containers", "source-workspaces", "docker-build-cache", "unused-images")
PROFILE_PATHS = {
    "source": "source",
    "runtime": "runtime-profile",
    "network": "network-profile",
    "health": "health-policy",
    "access": "access-profile",
}


def _line(*words: str) -> str:
    return shlex.join(("qd", *words))


def redeploy(head: ResourceHead) -> Command:
    return Command(_line("redeploy", head.path), f"POST /api/resources/{head.ref}/redeploy")


def logs(row: DeploymentRow) -> Command:
    return Command(_line("logs", row.ref), f"GET /api/deployments/{row.ref}/logs")


def cancel(row: DeploymentRow) -> Command:
    return Command(_line("cancel", row.ref), f"POST /api/deployments/{row.ref}/cancel")


def archive_deployment(row: DeploymentRow) -> Command:
    return Command(_line("archive", row.ref), f"POST /api/deployments/{row.ref}/archive")


def import_variables(head: ResourceHead) -> Command:
    return Command(_line("import", head.path, ".env"), f"POST /api/resources/{head.ref}/variables/import")


def logs_of(head: ResourceHead) -> Command:
    return Command(_line("logs", "-f", head.path), f"GET /api/resources/{head.ref}/runtime-logs")


def keep_log(head: ResourceHead) -> Command:
    words = ("log-archive", "keep", head.path, "--tail", "1000", "--reason", "…")
    return Command(_line(*words), f"POST /api/resources/{head.ref}/runtime-log-archives")


def kept_log(row: KeptRow) -> Command:
    return Command(_line("log-archive", "show", row.ref), f"GET /api/resources/runtime-log-archives/{row.ref}")


def delete_kept_logs(head: ResourceHead, days: str) -> Command:
    words = ("log-archive", "prune", "--resource", head.path, "--before", f"{days}d", "--yes")
    return Command(_line(*words), "POST /api/resources/runtime-log-archives/prune")


def rollback(head: ResourceHead, target: DeploymentRow, latest: str) -> Command:
    return Command(_line("rollback", head.path, "--to", str(target.number)), f"POST /api/deployments/{latest}/rollback")


def control(head: ResourceHead, operation: str) -> Command:
    return Command(_line(operation, head.path), f"POST /api/resources/{head.ref}/runtime/{operation}")


def set_variable(head: ResourceHead) -> Command:
    return Command(_line("set", head.path, "KEY=value"), f"POST /api/resources/{head.ref}/variables")


def unset_variable(head: ResourceHead, key: str) -> Command:
    return Command(_line("unset", head.path, key), f"DELETE /api/resources/{head.ref}/variables/{key}")


def configure(head: ResourceHead, form: str) -> Command:
    return Command(_line("set", head.path, SETTABLE[form]), f"POST /api/resources/{head.ref}/{PROFILE_PATHS[form]}")


def archive(head: ResourceHead) -> Command:
    return Command(_line("archive", head.path), f"POST /api/resources/{head.ref}/archive")


def delete(head: ResourceHead) -> Command:
    return Command(_line("delete", head.path), f"DELETE /api/resources/{head.ref}")


def archive_project(view: ProjectView) -> Command:
    return Command(_line("project", "archive", view.slug), f"POST /api/projects/{view.ref}/archive")


def delete_project(view: ProjectView) -> Command:
    return Command(_line("project", "delete", view.slug), f"DELETE /api/projects/{view.ref}")


def rename_project(view: ProjectView) -> Command:
    return Command(_line("project", "rename", view.slug, "NAME"), f"POST /api/projects/{view.ref}/rename")


def create_environment(view: ProjectView) -> Command:
    return Command(_line("environment", "create", f"{view.slug}/NAME"), "POST /api/environments")


def set_environment_variable(view: EnvironmentView) -> Command:
    path = f"{view.project}/{view.name}"
    return Command(_line("environment", "set", path, "KEY=value"), f"POST /api/environments/{view.ref}/variables")


def unset_environment_variable(view: EnvironmentView, key: str) -> Command:
    path = f"{view.project}/{view.name}"
    return Command(_line("environment", "unset", path, key), f"DELETE /api/environments/{view.ref}/variables/{key}")


def add_server(choice: ServerChoice, key: str = "") -> Command:
    """`key` is the name of the stored key that was chosen."""
    words = ["server", "add", choice.name or "NAME"]
    if choice.host:
        words += (
            [choice.host, "--agent"] if choice.credential == "agent" else [choice.host, "--credential", key or "KEY"]
        )
        words += ["--port", choice.port] if choice.port.isdigit() and choice.port != "22" else []
        words += ["--user", choice.username] if choice.username else []
    words += ["--edge", choice.edge] if choice.edge != "caddy" else []
    return Command(_line(*words), "POST /api/servers")


def test_draft() -> Command:
    """The command line tests a server with adding it."""
    return Command("", "POST /api/servers/connectivity-tests")


def show_server(view: ServerView) -> Command:
    return Command(_line("server", "show", view.name), f"GET /api/servers/{view.ref}/capacity")


def sign_in_to_server(view: ServerView) -> Command:
    return Command(
        _line("server", "credential", view.name, "--credential", "KEY"), f"POST /api/servers/{view.ref}/credentials"
    )


def rename_server(view: ServerView) -> Command:
    return Command(_line("server", "rename", view.name, "NAME"), f"POST /api/servers/{view.ref}/rename")


def move_server(view: ServerView) -> Command:
    return Command(_line("server", "address", view.name, "HOST"), f"POST /api/servers/{view.ref}/address")


def uninstall_server(view: ServerView) -> Command:
    return Command(_line("server", "uninstall", view.name, "--remove"), f"POST /api/servers/{view.ref}/uninstall")


def policy(form: PolicyForm, server: str = "") -> Command:
    """`server` is the name of the one that it is for, empty for all."""
    words = ["server", "policy", form.name or "NAME", "--days", form.days if form.days.isdigit() else "30"]
    words += ["--server", server] if server else []
    for category in form.categories:
        if category in CATEGORIES:
            words += ["--category", category]
    words += ["--remove"] if form.remove else []
    words += [] if form.enabled else ["--off"]
    return Command(_line(*words), "POST /api/servers/capacity/policies")


def test_server(view: ServerView) -> Command:
    return Command(_line("server", "test", view.name), f"POST /api/servers/{view.ref}/connectivity-tests")


def bring_up_edge(view: ServerView) -> Command:
    return Command(_line("server", "edge", view.name), f"POST /api/servers/{view.ref}/edge-proxy/bootstrap")


def engine_of(view: ServerView) -> Command:
    return Command(_line("server", "engine", view.name), f"POST /api/servers/{view.ref}/engine")


def deactivate_server(view: ServerView) -> Command:
    return Command(_line("server", "deactivate", view.name), f"POST /api/servers/{view.ref}/deactivate")


def delete_server(view: ServerView) -> Command:
    return Command(_line("server", "rm", view.name), f"POST /api/servers/{view.ref}/removal")


def add_credential() -> Command:
    return Command(_line("credential", "add", "NAME", "--generate"), "POST /api/credentials/ssh")


def delete_credential(row: CredentialRow) -> Command:
    return Command(_line("credential", "rm", row.name), f"DELETE /api/credentials/ssh/{row.ref}")


def work(row: JobRow, act: str) -> Command:
    """`act` is show, retry, recover or dead-letter."""
    words = ("--reason", "…") if act in {"recover", "dead-letter"} else ()
    ways = {"show": "", "recover": "/mark-recovered"}
    method = "GET" if act == "show" else "POST"
    return Command(
        _line("work", act, row.work, *words), f"{method} /api/operator-work/{row.work}{ways.get(act, '/' + act)}"
    )


def list_work(state: str) -> Command:
    words = ("--status", state) if state else ()
    return Command(_line("work", "ls", *words), "GET /api/operator-work")


def enrol(address: str) -> Command:
    """`address` is where the reader has found us."""
    return Command(f"qd worker --server {shlex.quote(address)} --token @FILE --capability deploy", "GET /api/servers")


def backup(view: BackupView) -> str:
    return _line("backup", "/mnt/backups", "--data-dir", view.place)


def restore(view: BackupView) -> tuple[str, str]:
    """Proving the last backup, and restoring it."""
    file = view.file or "FILE"
    key = ("--key", "/mnt/safe/master.key") if view.key in {"", "apart"} else ()
    sealed = ("--passphrase", "@/root/backup-passphrase") if view.key == "passphrase" else ()
    return _line("restore", "--check", file), _line("restore", file, *key, *sealed, "--data-dir", view.place)


def deploy(choice: SourceChoice) -> Command:
    """The line for what the form holds. A pasted Dockerfile has no locator that fits on one."""
    words = ["deploy", choice.locator if choice.kind != "dockerfile" and choice.locator else "SOURCE"]
    for flag, value in (
        ("--branch", choice.branch),
        ("--base-directory", choice.directory),
        ("--key", choice.key),
        ("--name", choice.name),
        ("--project", choice.project),
        ("--environment", choice.environment),
        ("--server", choice.server),
        ("--build-on", choice.builder),
        ("--strategy", choice.strategy if choice.strategy != "auto" else ""),
        ("--port", choice.port),
        ("--build-command", choice.build_command),
        ("--start-command", choice.start_command),
    ):
        if value:
            words += [flag, value]
    return Command(_line(*words), "POST /api/resources")


OWN_PASSWORD = Command("qd password", "POST /api/users/password")
FACTOR_ON = Command("qd second-factor on", "POST /api/auth/mfa/enroll")
FACTOR_CODES = Command("qd second-factor codes", "POST /api/auth/mfa/backup-codes/regenerate")
FACTOR_OFF = Command("qd second-factor off", "POST /api/auth/mfa/disable")
OWN_TOKEN = Command("qd token personal create laptop --expires 90d --scope deploy:read", "POST /api/web/profile/tokens")


def revoke_token(row: TokenRow) -> Command:
    words = ("token", "personal", "revoke", row.ref, f"--confirm={row.label}")
    return Command(_line(*words), f"POST /api/web/profile/tokens/{row.ref}/revoke")


def switch_organization(rows: tuple[OrganizationRow, ...]) -> Command:
    slug = next((row.slug for row in rows if not row.here), "…")
    return Command(_line("organization", "switch", slug), "POST /api/organizations/current-context/switch")


def list_tasks(project: str) -> Command:
    words = ("task", "list", "-p", project) if project else ("task", "list")
    return Command(_line(*words), f"GET /api/web/tasks{f'?projectKey={project}' if project else ''}")


def create_task(wanted: NewTask) -> Command:
    words = ["task", "create", "-p", wanted.project or "PROJECT", "-d", "DESCRIPTION"]
    words += ["--on", wanted.machine] if wanted.machine else []
    return Command(_line(*words), "POST /api/web/tasks")


def task(view: TaskView, verb: str) -> Command:
    calls = {"show": ("GET", ""), "cancel": ("POST", "/cancel"), "logs": ("GET", "/logs"), "retry": ("POST", "/retry")}
    method, path = calls[verb]
    return Command(_line("task", verb, str(view.row.id)), f"{method} /api/web/tasks/{view.row.id}{path}")


def answer_gate(view: TaskView) -> Command | None:
    """None where nothing is asked."""
    gate, number = view.gate, str(view.row.id)
    if gate is None:
        return None
    verbs = {"confirm": ("confirm", number), "choice": ("choose", number, "CHOICE"), "input": ("input", number, "TEXT")}
    words = ("task", *verbs[gate.kind], "--stage", str(gate.index))
    return Command(_line(*words), f"POST /api/web/tasks/{number}/confirm-stage")


def list_machines() -> Command:
    return Command(_line("machine", "list"), "GET /api/web/machines")


def machine(view: MachineView, verb: str) -> Command:
    return Command(_line("machine", verb, view.uid), f"POST /api/web/machines/{view.uid}/{verb}")


def notices(*, every: bool) -> Command:
    words = ("notifications", "--all") if every else ("notifications",)
    return Command(_line(*words), f"GET /api/web/notifications{'?all=true' if every else ''}")
