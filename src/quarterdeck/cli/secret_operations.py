"""The calls about brokered secrets (contract: broker §1) and the routes of ours beside it."""

from __future__ import annotations

from quarterdeck.cli.task_operations import Operation

REQUESTS = "/api/v1/requests"
REQUEST = f"{REQUESTS}/{{requestId}}"
CONNECTIONS = "/api/v1/provider-connections"
AGENTS = "/api/v1/agents"
AGENT = f"{AGENTS}/{{agentId}}"
WORKFLOWS = "/api/v1/workflows"
POLICIES = "/api/v1/policies"

OPERATIONS: dict[str, Operation] = {
    "secret-requests.list": Operation("GET", REQUESTS),
    "secret-requests.set": Operation("POST", REQUESTS),
    "secret-requests.replace": Operation("POST", f"{REQUESTS}/update"),
    "secret-requests.read": Operation("POST", f"{REQUESTS}/read"),
    "secret-requests.rotate": Operation("POST", f"{REQUESTS}/rotate"),
    "secret-requests.show": Operation("GET", REQUEST),
    "secret-requests.edit": Operation("PATCH", REQUEST),
    "secret-requests.approve": Operation("POST", f"{REQUEST}/approve"),
    "secret-requests.reject": Operation("POST", f"{REQUEST}/reject"),
    "secret-requests.cancel": Operation("POST", f"{REQUEST}/cancel"),
    "secret-requests.review": Operation("POST", f"{REQUEST}/review"),
    "secret-requests.values": Operation("GET", f"{REQUEST}/wraps"),
    "secret-requests.value": Operation("GET", f"{REQUEST}/wraps/{{wrapId}}"),
    "secret-connections.list": Operation("GET", CONNECTIONS),
    "secret-connections.create": Operation("POST", CONNECTIONS),
    "secret-connections.change": Operation("PUT", f"{CONNECTIONS}/{{connectionId}}"),
    "secret-connections.delete": Operation("DELETE", f"{CONNECTIONS}/{{connectionId}}"),
    "secret-agents.list": Operation("GET", AGENTS),
    "secret-agents.mint": Operation("POST", AGENTS),
    "secret-agents.rotate": Operation("POST", f"{AGENT}/rotate"),
    "secret-agents.revoke": Operation("POST", f"{AGENT}/revoke"),
    "secret-projects.list": Operation("GET", "/api/v1/projects"),
    "secret-projects.create": Operation("POST", "/api/v1/projects"),
    "secret-environments.list": Operation("GET", "/api/v1/environments"),
    "secret-workflows.list": Operation("GET", WORKFLOWS),
    "secret-workflows.create": Operation("POST", WORKFLOWS),
    "secret-workflows.replace": Operation("PUT", f"{WORKFLOWS}/{{workflowId}}"),
    "secret-policies.list": Operation("GET", POLICIES),
    "secret-policies.create": Operation("POST", POLICIES),
    "secret-policies.try": Operation("POST", f"{POLICIES}/try"),
    "discovered-secrets.list": Operation("GET", "/api/v1/secrets"),
}
