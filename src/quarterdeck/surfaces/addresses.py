"""One table of addresses: what is rewritten before routing, and which dialect speaks where.

Nothing is registered twice. A documented address that is another's alias is rewritten to the canonical one here; the
OpenAPI document and the routes know the canonical address alone.
"""

from __future__ import annotations

import re

from quarterdeck.kernel.http.dialects import (
    Broker,
    Deploy,
    Dialect,
    Dialects,
    Infra,
    Jobs,
    Plain,
    Runbooks,
    Shared,
    Tasks,
)
from quarterdeck.surfaces.broker.phrases import PHRASES
from quarterdeck.surfaces.broker.phrases import STATUSES as BROKER_OWN
from quarterdeck.surfaces.deploy.wire.statuses import STATUSES
from quarterdeck.surfaces.infra.phrases import APPROVING, RENEWING
from quarterdeck.surfaces.infra.phrases import PHRASES as INFRA_PHRASES
from quarterdeck.surfaces.runbooks.statuses import STATUSES as RUNBOOKS_OWN

# First segments of deploy's documented root paths; each is served below /api.
DEPLOY_ROOTS = frozenset(
    [
        "account",
        "audit-events",
        "bootstrap",
        "capabilities",
        "certificates",
        "credentials",
        "default-access-domain-policies",
        "dependency-resources",
        "deploy-tokens",
        "deployment-overlays",
        "deployments",
        "domain-bindings",
        "domain-events",
        "entitlements",
        "environments",
        "instance-upgrade",
        "integrations",
        "operator-work",
        "organizations",
        "plugins",
        "preview-environments",
        "preview-policies",
        "projects",
        "provider-job-logs",
        "providers",
        "resource-access-failures",
        "resources",
        "retention-defaults",
        "route-surfaces",
        "runtime-monitoring",
        "runtime-usage",
        "scheduled-task-runs",
        "scheduled-tasks",
        "servers",
        "source-events",
        "source-links",
        "static-artifacts",
        "storage-volumes",
        "system",
        "terminal-sessions",
        "usage-intents",
    ]
)

# Prefixes of which every address below is another's, whatever the method.
FAMILIES = {
    "/api/cli/runners": "/api/cli/workers",
    "/api/cli/tendrils": "/api/cli/workers",
    "/api/web/workers": "/api/web/machines",
    "/api/admin/workers": "/api/admin/machines",
}

# Whole addresses: (method, alias) to canonical address. Method "*" is any.
ALIASES = {
    ("POST", "/api/cli/runners/register"): "/api/cli/workers",
    ("POST", "/api/cli/workers/register"): "/api/cli/workers",
    ("POST", "/api/cli/tendrils/register"): "/api/cli/workers",
    ("POST", "/api/tendrils/register"): "/api/runners/register",
    ("*", "/api/releases/runner"): "/api/releases/worker",
    ("*", "/api/openapi.json"): "/openapi.json",
    ("GET", "/api/auth/status"): "/api/auth/setup-required",
    ("PUT", "/api/auth/me"): "/api/users/profile",
    ("POST", "/api/auth/change-password"): "/api/users/password",
    ("POST", "/api/users/invite"): "/api/users",
    # The token of these stands in the body.
    ("POST", "/api/auth/accept-invite"): "/api/auth/invite/-",
    ("POST", "/api/auth/reset-password"): "/api/auth/password-reset/-",
}

RUNNER_OWN = frozenset({"register"})  # /api/runners/register is documented itself; the rest are worker addresses


def rewritten(method: str, path: str) -> str:
    """The canonical address of a request; the path itself when it is no alias. WebSockets have the method `WS`."""
    if not path.startswith("/"):
        return path
    clean = re.sub("//+", "/", path)
    if len(clean) > 1:
        clean = clean.rstrip("/") or "/"
    first = clean.split("/", 2)[1]
    if first in DEPLOY_ROOTS:
        return "/api" + clean
    if first != "api":
        return path
    whole = ALIASES.get((method, clean)) or ALIASES.get(("*", clean))
    if whole:
        return whole
    parts = clean.split("/")
    if parts[2:3] == ["runners"] and len(parts) > 3 and (parts[3] not in RUNNER_OWN or len(parts) > 4):
        return "/".join(["/api/workers", *parts[3:]])
    if len(parts) > 3 and (family := FAMILIES.get("/".join(parts[:4]))):
        return "/".join([family, *parts[4:]])
    return path


STATE_LOCK = re.compile(r"/api/jobs/[^/]+/state/lock/?")
LOCKING = {"LOCK": "POST", "UNLOCK": "DELETE"}
"""The methods with which Terraform locks unless its backend is configured otherwise."""


def respelt(method: str, path: str) -> str:
    """The method that routing knows: routes have none but those that browsers know, too."""
    return LOCKING.get(method, method) if STATE_LOCK.fullmatch(path) else method


DEPLOY, TASKS, RUNBOOKS, INFRA = Deploy(STATUSES), Tasks(), Runbooks(RUNBOOKS_OWN), Infra(INFRA_PHRASES)
BROKER = Broker(PHRASES, BROKER_OWN)
SHARED, JOBS, CONSOLE = Shared(), Jobs(INFRA_PHRASES), Plain()
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def _jobs(path: str) -> Dialect:
    """Below /api/jobs the form of the id decides: a UUID is an infrastructure job. What has parts has them alone."""
    parts = path.rstrip("/").split("/")
    whose = parts[3] if len(parts) > 3 else ""
    return INFRA if UUID.fullmatch(whose) or whose == "claim" or (len(parts) > 4 and whose != "ws") else RUNBOOKS


def _auth(path: str) -> Dialect:
    below = path.split("/")[3:4]
    if below and below[0] in {"refresh", "logout"}:
        return TASKS
    if below and below[0] in {"sign-in", "sign-up", "sign-out", "get-session", "session"}:
        return DEPLOY
    return RUNBOOKS


DIALECTS = Dialects(
    {
        "/api": DEPLOY,
        "/api/auth": _auth,
        "/api/auth/login": SHARED,
        "/api/auth/cli": Infra(APPROVING),
        "/api/auth/cli/refresh": Infra(RENEWING),
        "/api/web": TASKS,
        "/api/admin": TASKS,
        "/api/workers": INFRA,
        "/api/workers/register": SHARED,
        "/api/workers/healthz": TASKS,
        "/api/workers/refresh-token": TASKS,
        "/api/workers/recover": TASKS,
        "/api/workers/control": TASKS,
        "/api/workers/pty": TASKS,
        "/ws": TASKS,
        "/webhook": TASKS,
        "/api/services": RUNBOOKS,
        "/api/instances": RUNBOOKS,
        "/api/users": RUNBOOKS,
        "/api/roles": RUNBOOKS,
        "/api/audit": RUNBOOKS,
        "/api/inventory": RUNBOOKS,
        "/api/health/summary": RUNBOOKS,
        "/api/health/status": RUNBOOKS,
        "/api/system/updates": RUNBOOKS,
        "/api/jobs": lambda path: JOBS if path.rstrip("/") == "/api/jobs" else _jobs(path),
        "/api/stream/jobs": INFRA,
        "/api/cli": INFRA,
        "/api/cloud-issuer": INFRA,
        "/api/runners": INFRA,
        "/api/releases": INFRA,
        "/api/platform": INFRA,
        "/cli/login": CONSOLE,
        "/api/v1": BROKER,
        "/healthz": BROKER,
        "/readyz": BROKER,
        "/metrics": BROKER,
        "/console": CONSOLE,
    },
    default=DEPLOY,
)
"""Which envelope answers at an address, known or not."""
