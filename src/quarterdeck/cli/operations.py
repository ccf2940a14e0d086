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
    "environments.rename": Operation("POST", "/api/environments/{environmentId}/rename"),
    "environments.lock": Operation("POST", "/api/environments/{environmentId}/lock"),
    "environments.unlock": Operation("POST", "/api/environments/{environmentId}/unlock"),
    "environments.archive": Operation("POST", "/api/environments/{environmentId}/archive"),
    "environments.clone": Operation("POST", "/api/environments/{environmentId}/clone"),
    "environments.diff": Operation("GET", "/api/environments/{environmentId}/diff/{otherEnvironmentId}"),
    "audit-events.show": Operation("GET", "/api/audit-events/{auditEventId}"),
    "audit-events.export-global": Operation("GET", "/api/audit-events/export-global"),
    "audit-events.legal-holds.list": Operation("GET", "/api/audit-events/legal-holds"),
    "audit-events.legal-holds.configure": Operation("POST", "/api/audit-events/legal-holds"),
    "audit-events.legal-holds.release": Operation("POST", "/api/audit-events/legal-holds/{holdId}/release"),
    "audit-events.prune": Operation("POST", "/api/audit-events/prune"),
    "scheduled-runtime-prune-policies.list": Operation("GET", "/api/servers/capacity/policies"),
    "scheduled-runtime-prune-policies.configure": Operation("POST", "/api/servers/capacity/policies"),
    "resources.runtime-logs.archive": Operation("POST", "/api/resources/{resourceId}/runtime-log-archives"),
    "resources.runtime-log-archives.list": Operation("GET", "/api/resources/runtime-log-archives"),
    "resources.runtime-log-archives.show": Operation("GET", "/api/resources/runtime-log-archives/{archiveId}"),
    "resources.runtime-log-archives.prune": Operation("POST", "/api/resources/runtime-log-archives/prune"),
    "servers.list": Operation("GET", "/api/servers"),
    "servers.register": Operation("POST", "/api/servers"),
    "servers.show": Operation("GET", "/api/servers/{serverId}"),
    "servers.rename": Operation("POST", "/api/servers/{serverId}/rename"),
    "servers.deactivate": Operation("POST", "/api/servers/{serverId}/deactivate"),
    "servers.delete-check": Operation("GET", "/api/servers/{serverId}/delete-check"),
    "servers.delete": Operation("DELETE", "/api/servers/{serverId}"),
    "servers.configure-credential": Operation("POST", "/api/servers/{serverId}/credentials"),
    "servers.test-connectivity": Operation("POST", "/api/servers/{serverId}/connectivity-tests"),
    "servers.configure-edge-proxy": Operation("POST", "/api/servers/{serverId}/edge-proxy/configuration"),
    "servers.bootstrap-proxy": Operation("POST", "/api/servers/{serverId}/edge-proxy/bootstrap"),
    "servers.capacity.inspect": Operation("GET", "/api/servers/{serverId}/capacity"),
    "servers.capacity.prune": Operation("POST", "/api/servers/{serverId}/capacity/prune"),
    "credentials.list-ssh": Operation("GET", "/api/credentials/ssh"),
    "credentials.create-ssh": Operation("POST", "/api/credentials/ssh"),
    "credentials.show": Operation("GET", "/api/credentials/ssh/{credentialId}"),
    "credentials.delete-ssh": Operation("DELETE", "/api/credentials/ssh/{credentialId}"),
    "credentials.rotate-ssh": Operation("POST", "/api/credentials/ssh/{credentialId}/rotate"),
    "resources.list": Operation("GET", "/api/resources"),
    "resources.create": Operation("POST", "/api/resources"),
    "resources.show": Operation("GET", "/api/resources/{resourceId}"),
    "resources.diagnostic-summary": Operation("GET", "/api/resources/{resourceId}/diagnostic-summary"),
    "resources.access-failure-evidence.lookup": Operation("GET", "/api/resource-access-failures/{requestId}"),
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
    "resources.import-variables": Operation("POST", "/api/resources/{resourceId}/variables/import"),
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
    "deployments.archive": Operation("POST", "/api/deployments/{deploymentId}/archive"),
    "deployments.cleanup-preview": Operation("POST", "/api/deployments/cleanup-preview"),
    "deployments.prune": Operation("POST", "/api/deployments/prune"),
    "deployments.logs.prune": Operation("POST", "/api/deployments/logs/prune"),
    "deployments.cancel": Operation("POST", "/api/deployments/{deploymentId}/cancel"),
    "operator-work.list": Operation("GET", "/api/operator-work"),
    "operator-work.show": Operation("GET", "/api/operator-work/{workId}"),
    "operator-work.mark-recovered": Operation("POST", "/api/operator-work/{workId}/mark-recovered"),
    "operator-work.dead-letter": Operation("POST", "/api/operator-work/{workId}/dead-letter"),
    "operator-work.cancel": Operation("POST", "/api/operator-work/{workId}/cancel"),
    "operator-work.retry": Operation("POST", "/api/operator-work/{workId}/retry"),
    "operator-work.prune": Operation("POST", "/api/operator-work/prune"),
    "system.doctor": Operation("GET", "/api/system/doctor"),
}
PARAMETER = re.compile(r"{(\w+)}")


def address(key: str, parameters: dict[str, str]) -> tuple[str, str]:
    """Method and filled-in path of an operation."""
    operation = OPERATIONS[key]
    return operation.method, PARAMETER.sub(lambda match: quote(parameters[match[1]], safe=""), operation.path)
