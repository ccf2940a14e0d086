"""What the documented clients of this surface read under `error`, by code; `message` beside it says the same to people
(contract: broker §1).
"""

from __future__ import annotations

PHRASES = {
    "assignment_not_found": "assignment not found",
    "environment_not_found": "environment not found",
    "invalid_credentials": "invalid credentials",
    "policy_is_built_in": "system row cannot be deleted (edit instead)",
    "policy_not_found": "policy not found",
    "product_auth_missing": "authentication required",
    "project_not_found": "project not found",
    "role_is_built_in": "system row cannot be deleted (edit instead)",
    "role_not_found": "role not found",
    "second_factor_code_wrong": "invalid credentials",
    "user_not_found": "user not found",
    "workflow_is_built_in": "system row cannot be deleted (edit instead)",
    "workflow_not_found": "workflow not found",
}
