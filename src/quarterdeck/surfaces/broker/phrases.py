"""What the documented clients of this surface read under `error`, by code; `message` beside it says the same to people
(contract: broker §1).
"""

from __future__ import annotations

PHRASES = {
    "assignment_not_found": "assignment not found",
    "invalid_credentials": "invalid credentials",
    "product_auth_missing": "authentication required",
    "role_is_built_in": "system row cannot be deleted (edit instead)",
    "role_not_found": "role not found",
    "second_factor_code_wrong": "invalid credentials",
    "user_not_found": "user not found",
}
