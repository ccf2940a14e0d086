"""The calls that this program makes: the key of each operation, its method and its address."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote


class Operation(NamedTuple):
    method: str
    path: str


OPERATIONS: dict[str, Operation] = {
    "organizations.current-context": Operation("GET", "/api/organizations/current-context"),
    "projects.list": Operation("GET", "/api/projects"),
    "projects.create": Operation("POST", "/api/projects"),
    "projects.rename": Operation("POST", "/api/projects/{projectId}/rename"),
    "projects.set-description": Operation("POST", "/api/projects/{projectId}/description"),
    "projects.archive": Operation("POST", "/api/projects/{projectId}/archive"),
    "projects.restore": Operation("POST", "/api/projects/{projectId}/restore"),
    "projects.delete": Operation("DELETE", "/api/projects/{projectId}"),
    "projects.delete-check": Operation("GET", "/api/projects/{projectId}/delete-check"),
    "environments.list": Operation("GET", "/api/environments"),
    "environments.create": Operation("POST", "/api/environments"),
    "environments.set-variable": Operation("POST", "/api/environments/{environmentId}/variables"),
    "environments.unset-variable": Operation("DELETE", "/api/environments/{environmentId}/variables/{key}"),
    "environments.effective-precedence": Operation("GET", "/api/environments/{environmentId}/effective-precedence"),
    "servers.list": Operation("GET", "/api/servers"),
    "servers.register": Operation("POST", "/api/servers"),
    "resources.list": Operation("GET", "/api/resources"),
    "resources.create": Operation("POST", "/api/resources"),
    "resources.show": Operation("GET", "/api/resources/{resourceId}"),
    "resources.archive": Operation("POST", "/api/resources/{resourceId}/archive"),
    "resources.delete": Operation("DELETE", "/api/resources/{resourceId}"),
    "resources.health": Operation("GET", "/api/resources/{resourceId}/health"),
    "resources.effective-config": Operation("GET", "/api/resources/{resourceId}/effective-config"),
    "resources.configure-source": Operation("POST", "/api/resources/{resourceId}/source"),
    "resources.configure-runtime": Operation("POST", "/api/resources/{resourceId}/runtime-profile"),
    "resources.configure-network": Operation("POST", "/api/resources/{resourceId}/network-profile"),
    "resources.configure-access": Operation("POST", "/api/resources/{resourceId}/access-profile"),
    "resources.configure-health": Operation("POST", "/api/resources/{resourceId}/health-policy"),
    "resources.set-variable": Operation("POST", "/api/resources/{resourceId}/variables"),
    "resources.unset-variable": Operation("DELETE", "/api/resources/{resourceId}/variables/{key}"),
    "resources.runtime-logs": Operation("GET", "/api/resources/{resourceId}/runtime-logs"),
    "resources.runtime-logs/stream": Operation("GET", "/api/resources/{resourceId}/runtime-logs/stream"),
    "resources.runtime.stop": Operation("POST", "/api/resources/{resourceId}/runtime/stop"),
    "resources.runtime.start": Operation("POST", "/api/resources/{resourceId}/runtime/start"),
    "resources.runtime.restart": Operation("POST", "/api/resources/{resourceId}/runtime/restart"),
    "deployments.list": Operation("GET", "/api/deployments"),
    "deployments.create": Operation("POST", "/api/deployments"),
    "deployments.show": Operation("GET", "/api/deployments/{deploymentId}"),
    "deployments.logs": Operation("GET", "/api/deployments/{deploymentId}/logs"),
    "deployments.stream-events/stream": Operation("GET", "/api/deployments/{deploymentId}/events/stream"),
    "deployments.recovery-readiness": Operation("GET", "/api/deployments/{deploymentId}/recovery-readiness"),
    "deployments.redeploy": Operation("POST", "/api/resources/{resourceId}/redeploy"),
    "deployments.rollback": Operation("POST", "/api/deployments/{deploymentId}/rollback"),
    "deployments.cancel": Operation("POST", "/api/deployments/{deploymentId}/cancel"),
    "system.doctor": Operation("GET", "/api/system/doctor"),
}
PARAMETER = re.compile(r"{(\w+)}")


def address(key: str, parameters: dict[str, str]) -> tuple[str, str]:
    """Method and filled-in path of an operation."""
    operation = OPERATIONS[key]
    return operation.method, PARAMETER.sub(lambda match: quote(parameters[match[1]], safe=""), operation.path)
