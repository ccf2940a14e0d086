"""Statuses that this surface documents for a code where the kind of the refusal says another: what breaks a rule of
the business is 400 here (contract: runbooks §1).
"""

from __future__ import annotations

STATUSES = dict.fromkeys(
    (
        "already_member",
        "email_taken",
        "first_admin_bootstrap_disabled",
        "invitation_ended",
        "invitation_pending",
        "last_administrator",
        "mail_missing",
        "role_in_use",
        "role_is_built_in",
        "role_name_taken",
        "second_factor_disabled",
        "second_factor_enabled",
        "second_factor_not_pending",
        "username_taken",
    ),
    400,
)
