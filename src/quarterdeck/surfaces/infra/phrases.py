"""What the documented clients of this surface read under `error` of a 401, by code (contract: infra §1, §2)."""

from __future__ import annotations

PHRASES = {
    "product_auth_invalid": "Unauthorized: Invalid token",
    "product_auth_missing": "Unauthorized: Missing token",
    "token_type_wrong": "Unauthorized: Invalid token type",
}
APPROVING = dict.fromkeys(PHRASES, "Unauthorized")
"""Where somebody who is signed in lets a program in."""
RENEWING = {"product_auth_invalid": "Invalid refresh token", "token_type_wrong": "Invalid token type"}
"""Where a program exchanges its refresh token."""
