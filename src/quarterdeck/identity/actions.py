"""What of people and their sessions is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class IdentityAction(audit.Action):
    FIRST_ADMINISTRATOR = "user.first-administrator-created"
    SIGNED_IN = "session.signed-in"
    SIGN_IN_FAILED = "session.sign-in-failed"
    SIGNED_OUT = "session.signed-out"
    REFRESH_REUSED = "session.refresh-reused"
    SESSION_REVOKED = "session.revoked"
    PASSWORD_RESET = "user.password-reset"  # noqa: S105 - the name of an action
    ROLE_GRANTED = "user.role-granted"
