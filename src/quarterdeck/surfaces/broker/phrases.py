"""What the documented clients of this surface read under `error`, by code; `message` beside it says the same to people
(contract: broker §1).
"""

from __future__ import annotations

PHRASES = {
    "agent_auth_rejected": "agent auth rejected",
    "agent_not_found": "agent not found",
    "agent_secret_missing": "X-Agent-Secret header required",
    "already_voted": "approver has already voted on this request",
    "approval_own": "requester cannot approve own request",
    "assignment_not_found": "assignment not found",
    "broker_job_not_found": "job not found",
    "broker_job_not_held": "job not owned by this agent",
    "cancel_not_yours": "only the original requester can cancel",
    "environment_not_found": "environment not found",
    "invalid_credentials": "invalid credentials",
    "policy_is_built_in": "system row cannot be deleted (edit instead)",
    "policy_not_found": "policy not found",
    "product_auth_missing": "authentication required",
    "project_not_found": "project not found",
    "request_not_approved": "owning request is not approved",
    "request_not_found": "request not found",
    "request_not_pending": "request is not pending",
    "request_not_retrievable": "request not retrievable in current state",
    "role_is_built_in": "system row cannot be deleted (edit instead)",
    "role_not_found": "role not found",
    "second_factor_code_wrong": "invalid credentials",
    "secret_not_found": "secret not found",
    "user_not_found": "user not found",
    "workflow_is_built_in": "system row cannot be deleted (edit instead)",
    "workflow_not_found": "workflow not found",
    "wrap_consumed": "wrap already consumed",
    "wrap_expired": "wrap expired",
    "wrap_not_found": "wrap not found",
}
STATUSES = {"agent_key_missing": 412}
"""Statuses that this surface documents for a code where the kind of the refusal says another."""
