"""Every command: where it lives, what it does in a few words, and in which group the overview shows it."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    name: str
    place: str
    """`module:function` below `quarterdeck.cli.commands`."""
    summary: str
    group: str


EVERYDAY, INSIDE, AROUND, TASKS = "Every day", "A resource", "Around resources", "Agent tasks"
INFRA, SECRETS = "Infrastructure", "Secrets"
ACCOUNT, TEAM, FLEET, RUNNING = "Signing in", "People and tokens", "Servers", "Running Quarterdeck"
GROUPS = (EVERYDAY, INSIDE, AROUND, INFRA, SECRETS, TASKS, ACCOUNT, TEAM, FLEET, RUNNING)

COMMANDS = (
    Command(
        "deploy", "deploy:deploy", "Ship a folder, a ZIP file, a git repository or an image, and watch it.", EVERYDAY
    ),
    Command("ls", "resources:ls", "List resources with their state (or projects, environments, servers).", EVERYDAY),
    Command("logs", "logs:logs", "Show the log of a resource or of a deployment.", EVERYDAY),
    Command("open", "resources:open_page", "Open the address of a resource, or its console page.", EVERYDAY),
    Command("rollback", "deployments:rollback", "Give back an earlier version.", EVERYDAY),
    Command("cancel", "deployments:cancel", "Stop a running deployment.", EVERYDAY),
    Command("redeploy", "deployments:redeploy", "Deploy a resource again, from its present configuration.", INSIDE),
    Command("attach", "attach:attach", "Open the terminal of a task, or watch a running deployment again.", INSIDE),
    Command("history", "deployments:history", "List the deployments of a resource.", INSIDE),
    Command("status", "resources:status", "Say how a resource is, or who and where you are.", INSIDE),
    Command("set", "settings:set_values", "Change variables and profile fields of a resource.", INSIDE),
    Command("unset", "settings:unset", "Remove variables of a resource.", INSIDE),
    Command("import", "importing:import_variables", "Set the variables of a .env file on a resource.", INSIDE),
    Command("variables", "variables:variables", "List the variables that a resource gets.", INSIDE),
    Command("stop", "runtime:stop", "Stop what a resource runs.", INSIDE),
    Command("start", "runtime:start", "Start it again.", INSIDE),
    Command("restart", "runtime:restart", "Stop it and start it again.", INSIDE),
    Command("archive", "lifecycle:archive", "Put a resource, or a deployment that has ended, out of use.", INSIDE),
    Command("delete", "lifecycle:delete", "Delete an archived resource for good.", INSIDE),
    Command("diagnose", "diagnosing:diagnose", "Print what somebody who helps needs to see of a resource.", INSIDE),
    Command("lookup", "diagnosing:lookup", "Say why a visitor was not served, by the id that the page shows.", INSIDE),
    Command("work", "work:work", "See what waits, runs and failed, why, and act on it (Jobs in the console).", AROUND),
    Command("prune", "pruning:prune", "Delete archived deployments, old log lines, or what a preview runs.", AROUND),
    Command("log-archive", "log_archives:log_archive", "Keep lines of a runtime beyond their time.", AROUND),
    Command(
        "project",
        "making_task_projects:project",
        "Make, show, rename, archive, restore and delete projects; what tasks need of them.",
        AROUND,
    ),
    Command(
        "environment",
        "environments:environment",
        "Make, change, lock, copy and archive environments, and set what they give.",
        AROUND,
    ),
    Command("spec", "infra_drift:spec", "Declare infrastructure; see, change and copy what is declared.", INFRA),
    Command("plan", "infra_reviewing:plan", "Ask what a spec would change; show, approve and reject plans.", INFRA),
    Command("apply", "infra_running:apply", "Apply a plan: exactly what it says, or nothing.", INFRA),
    Command("destroy", "infra_running:destroy", "Destroy everything that a spec has made.", INFRA),
    Command("jobs", "infra_jobs:jobs", "See, follow, cancel and repeat plans, applies and destructions.", INFRA),
    Command("state", "infra_states:state", "See the state of a spec and its versions; go back, free its lock.", INFRA),
    Command("zone", "infra_zones:zone", "Group specs.", INFRA),
    Command("runner", "infra_runners:runner", "See, add, drain and remove what runs Terraform.", INFRA),
    Command("connector", "infra_clouds:connector", "Connect clouds, without long-lived keys.", INFRA),
    Command("cluster", "infra_clouds:cluster", "List the clusters that specs have made.", INFRA),
    Command("repository", "infra_repositories:repository", "List what you have at GitHub, GitLab, Bitbucket.", INFRA),
    Command("secret", "secret_rules:secret", "Ask for secrets, decide who gets them, say where they are.", SECRETS),
    Command("task", "task_logs:task", "Have a coding agent change something, and answer what it asks.", TASKS),
    Command("machine", "machine_tokens:machine", "Enrol, see, drain and remove machines of agents.", TASKS),
    Command("notifications", "notifications:notifications", "List what was told to you, and mark it as read.", TASKS),
    Command("search", "search:search", "Find tasks, machines and projects by words.", TASKS),
    Command("whoami", "organizations:whoami", "Say who you are, in which organization, and what you may do.", ACCOUNT),
    Command("login", "account:login", "Sign in to a server, and remember it.", ACCOUNT),
    Command("logout", "account:logout", "Sign out, and forget the credential.", ACCOUNT),
    Command("profiles", "account:list_profiles", "List the servers you know, or choose one.", ACCOUNT),
    Command("config", "configuration:config", "Keep the project that new tasks are for.", ACCOUNT),
    Command("password", "own_sign_in:password", "Change your own password.", ACCOUNT),
    Command("second-factor", "own_sign_in:second_factor", "Ask for a code of your phone beside it.", ACCOUNT),
    Command("role", "access:role", "Look at roles, and make your own.", ACCOUNT),
    Command("grant", "access:grant", "Give and take roles.", ACCOUNT),
    Command("access", "access:access", "Say why somebody may do something, or not.", ACCOUNT),
    Command(
        "identity-provider", "identity_providers:identity_provider", "Sign in with OpenID Connect providers.", ACCOUNT
    ),
    Command("organization", "organizations:organization", "List, switch, make, change and delete organizations.", TEAM),
    Command("user", "people:user", "Ask people in, give them a role, and let them go.", TEAM),
    Command("token", "tokens:token", "Make, rotate and revoke tokens of pipelines and of your own programs.", TEAM),
    Command("server", "servers:server", "Add, test, change and remove the machines you deploy to.", FLEET),
    Command("credential", "credentials:credential", "Keep the SSH keys that servers are reached with.", FLEET),
    Command("doctor", "doctor:doctor", "Check the server and what it needs.", RUNNING),
    Command("serve", "serve:serve", "Run the control plane.", RUNNING),
    Command("worker", "worker:worker", "Run a worker that dials in to a server.", RUNNING),
    Command("enrol", "enrolment:enrol", "Make workers known, list and revoke them, with the server stopped.", RUNNING),
    Command("backup", "backup:backup", "Back the installation up into a file.", RUNNING),
    Command("restore", "backup:restore", "Restore a backup, or only prove it (--check).", RUNNING),
    Command("vault", "vault:vault", "See what opens the secrets, and change its keys.", RUNNING),
    Command("admin", "administration:admin", "Help people in, with the server stopped.", RUNNING),
    Command("install", "service:install", "Run the server as a service (systemd).", RUNNING),
    Command("uninstall", "service:uninstall", "Remove the service; says what stays.", RUNNING),
    Command("migrate", "maintenance:migrate", "Bring the database to this program's schema.", RUNNING),
    Command("audit", "audit_archives:audit", "See, export, keep and prove what was done.", RUNNING),
    Command("retention", "retention:retention", "Say how long things stay.", RUNNING),
    Command("openapi", "openapi:openapi", "Print the OpenAPI document.", RUNNING),
    Command("completion", "completion:completion", "Print the completion script of a shell.", RUNNING),
)
HIDDEN = (Command("complete-words", "completion:candidates", "", ""),)
BY_NAME = {command.name: command for command in (*COMMANDS, *HIDDEN)}

NEAR = {
    "up": "deploy", "push": "deploy", "ship": "deploy", "run": "deploy", "release": "deploy",
    "list": "ls", "ps": "ls", "apps": "ls", "resources": "ls", "projects": "ls projects", "servers": "ls servers",
    "environments": "ls environments", "log": "logs", "tail": "logs -f", "browse": "open", "url": "open",
    "undo": "rollback", "revert": "rollback", "abort": "cancel", "kill": "stop", "down": "stop",
    "releases": "history", "deployments": "history", "info": "status", "show": "status", "me": "whoami",
    "env": "variables", "vars": "variables", "secrets": "secret request list",
    "version": "--version", "rm": "delete", "remove": "delete", "signin": "login",
    "signout": "logout", "member": "user", "members": "user ls", "users": "user ls", "invite": "user invite",
    "org": "organization", "organizations": "organization ls", "tokens": "token ls",
    "tasks": "task list", "issue": "task create", "agent": "task", "agents": "machine list", "machines": "machine list",
    "node": "machine", "nodes": "machine list", "inbox": "notifications", "notification": "notifications",
    "find": "search", "settings": "config list", "job": "work", "operator-work": "work ls", "terraform": "plan",
    "infra": "spec", "repo": "repository", "repos": "repository list", "git": "repository",
}  # fmt: skip
"""Verbs that people know from elsewhere, and what is meant by them here."""

EXAMPLES = (
    ("qd login https://deck.example.com", "sign in"),
    ("qd deploy ./shop", "ship a folder"),
    ("qd deploy https://host/shop.git --branch main", "ship a repository"),
    ("qd logs -f shop", "follow its log"),
    ("qd rollback shop", "give back the version before"),
    ("qd plan ledger --wait", "see what a spec would change"),
    ('qd task create "Add a dark theme" --follow', "have an agent do it"),
)


def overview(version: str) -> str:
    """The help of the program itself: examples first, then every command in its group."""
    width = max(len(example) for example, _ in EXAMPLES)
    lines = [f"Quarterdeck {version}: one control plane for the machines a team owns.", ""]
    lines += ["Examples:", *(f"  {example:<{width}}   {words}" for example, words in EXAMPLES)]
    for group in GROUPS:
        lines += ["", f"{group}:"]
        lines += [f"  {command.name:<11} {command.summary}" for command in COMMANDS if command.group == group]
    lines += [
        "",
        "Usage: qd COMMAND",
        "Each command explains itself: qd COMMAND --help",
        "Exit status: 0 done, 1 failed, 2 usage, 3 not signed in, 4 not allowed, 5 not found, 6 conflict,",
        "7 waits for a person, 8 timed out, 9 server unreachable, 130 interrupted.",
    ]
    return "\n".join(lines)
