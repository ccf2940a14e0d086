"""The calls of the broker surface that the command line may make, with their queries and bodies."""

from __future__ import annotations

from fakes.surface_api import FLAG, NUMBER, TEXT, Route, closed

EMPTY = {"anyOf": [closed(), {"type": "null"}]}
TEXTS = {"type": "object", "additionalProperties": TEXT}
KEYS = {"type": "array", "items": TEXT, "minItems": 1}
ONE = r"([0-9a-f-]{36})"
REQUEST = f"/api/v1/requests/{ONE}"
AGENT = f"/api/v1/agents/{ONE}"
CONNECTION = f"/api/v1/provider-connections/{ONE}"
PROVIDER = {"enum": ["vault", "aws-sm", "kubernetes", "file", "quarterdeck"]}
OPERATION = {"enum": ["read", "patch", "update", "rotate", "reveal"]}
ASKED = {
    "target_provider_type": PROVIDER, "target_secret_ref": TEXT, "justification": TEXT, "project_id": TEXT,
    "environment": TEXT, "emergency": FLAG, "target_provider_config": closed("connection", connection=TEXT),
}  # fmt: skip
NEEDED = "target_provider_type target_secret_ref"
CHANGE = closed(f"{NEEDED} key_values", key_values=TEXTS, **ASKED)
PUBLIC = {"type": "string", "minLength": 44, "maxLength": 44}
WORKFLOW = {
    "name": TEXT, "min_approvers": NUMBER, "wrap_ttl_created_seconds": NUMBER, "wrap_ttl_approved_seconds": NUMBER,
    "wrap_ttl_claimed_seconds": NUMBER, "request_ttl_seconds": NUMBER, "require_justification": FLAG,
    "allow_self_approval": FLAG, "notification_channels": {"type": "array"}, "enabled": FLAG, "description": TEXT,
    "steps": {"type": "array"}, "grant_seconds": NUMBER, "break_glass": FLAG, "approver_role_id": TEXT,
}  # fmt: skip
TIMES = (
    "enabled min_approvers wrap_ttl_created_seconds wrap_ttl_approved_seconds wrap_ttl_claimed_seconds "
    "request_ttl_seconds"
)
PAGE = {"limit", "after"}
ROUTES: list[Route] = [
    ("GET", "/api/v1/requests", "requests", {"status", "unreviewed", "requester_id"}, None),
    ("POST", "/api/v1/requests", "ask_set", set(), CHANGE),
    ("POST", "/api/v1/requests/update", "ask_replace", set(), CHANGE),
    ("POST", "/api/v1/requests/read", "ask_read", set(), closed(
        NEEDED, target_keys=KEYS, direct=FLAG, recipient_key=PUBLIC, **ASKED
    )),
    ("POST", "/api/v1/requests/rotate", "ask_rotate", set(), closed(
        f"{NEEDED} target_keys", target_keys=KEYS, length=NUMBER, alphabet=TEXT, **ASKED
    )),
    ("GET", REQUEST, "request", set(), None),
    ("PATCH", REQUEST, "edit", set(), closed(justification=TEXT, target_keys=KEYS, key_values=TEXTS)),
    ("POST", f"{REQUEST}/approve", "approve", set(), closed(comment=TEXT)),
    ("POST", f"{REQUEST}/reject", "reject", set(), closed("reason", reason=TEXT)),
    ("POST", f"{REQUEST}/cancel", "cancel", set(), closed()),
    ("POST", f"{REQUEST}/review", "review", set(), closed("comment", comment=TEXT)),
    ("GET", f"{REQUEST}/wraps", "wraps", set(), None),
    ("GET", f"{REQUEST}/wraps/{ONE}", "wrap", set(), None),
    ("GET", "/api/v1/provider-connections", "connections", set(), None),
    ("POST", "/api/v1/provider-connections", "new_connection", set(), closed(
        "name provider_type config", name=TEXT, provider_type=PROVIDER, config={"type": "object"}, credential=TEXT,
        project_id=TEXT, environment=TEXT, agent_scope=TEXTS, discover_seconds=NUMBER
    )),
    ("PUT", CONNECTION, "change_connection", set(), closed(
        config={"type": "object"}, credential=TEXT, enabled=FLAG, discover_seconds=NUMBER
    )),
    ("DELETE", CONNECTION, "remove_connection", set(), EMPTY),
    ("GET", "/api/v1/agents", "agents", set(), None),
    ("POST", "/api/v1/agents", "mint", set(), closed(
        "name", name=TEXT, scope=TEXTS, public_key=TEXT, public_key_algorithm=TEXT
    )),
    ("POST", f"{AGENT}/rotate", "rotate_agent", set(), closed(grace_seconds=NUMBER)),
    ("POST", f"{AGENT}/revoke", "revoke", set(), closed(reason=TEXT)),
    ("GET", "/api/v1/projects", "projects", PAGE, None),
    ("POST", "/api/v1/projects", "new_project", set(), closed("name", name=TEXT)),
    ("GET", "/api/v1/environments", "environments", PAGE, None),
    ("GET", "/api/v1/workflows", "workflows", PAGE, None),
    ("POST", "/api/v1/workflows", "new_workflow", set(), closed(f"name {TIMES}", **WORKFLOW)),
    ("PUT", f"/api/v1/workflows/{ONE}", "put_workflow", set(), closed(TIMES, **WORKFLOW)),
    ("GET", "/api/v1/policies", "policies", PAGE, None),
    ("POST", "/api/v1/policies", "new_policy", set(), closed(
        "name workflow_id selector priority enabled", name=TEXT, workflow_id=TEXT, selector=TEXTS, priority=NUMBER,
        enabled=FLAG, direct_reveal_allowed=FLAG
    )),
    ("POST", "/api/v1/policies/try", "try", set(), closed(
        "provider_type secret_ref operation", provider_type=PROVIDER, secret_ref=TEXT, operation=OPERATION,
        project_id=TEXT, environment=TEXT
    )),
    ("GET", "/api/v1/secrets", "found", {
        "cluster_name", "provider", "ref_prefix", "status", "label", "limit", "offset"
    }, None),
]  # fmt: skip
