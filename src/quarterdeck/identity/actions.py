"""What of people, their sessions and their credentials is audited."""

from __future__ import annotations

from quarterdeck.kernel import audit


class IdentityAction(audit.Action):
    FIRST_ADMINISTRATOR = "user.first-administrator-created"
    SIGNED_IN = "session.signed-in"
    SIGN_IN_FAILED = "session.sign-in-failed"
    SIGNED_OUT = "session.signed-out"
    REFRESHED = "session.refreshed"
    REFRESH_REUSED = "session.refresh-reused"
    SESSION_REVOKED = "session.revoked"
    ORGANIZATION_SWITCHED = "session.organization-switched"
    PASSWORD_RESET = "user.password-reset"  # noqa: S105 - the name of an action
    PASSWORD_CHANGED = "user.password-changed"  # noqa: S105 - the name of an action
    PASSWORD_FORGOTTEN = "user.password-forgotten"  # noqa: S105 - the name of an action
    ROLE_GRANTED = "user.role-granted"
    ADDRESS_ASKED = "user.address-asked"
    ADDRESS_CHANGED = "user.address-changed"
    CREATED = "user.created"
    CHANGED = "user.changed"
    DEACTIVATED = "user.deactivated"
    ACTIVATED = "user.activated"
    DELETED = "user.deleted"
    SECOND_FACTOR_BEGUN = "user.second-factor-begun"
    SECOND_FACTOR_ENABLED = "user.second-factor-enabled"
    SECOND_FACTOR_DISABLED = "user.second-factor-disabled"
    RECOVERY_CODES_RENEWED = "user.recovery-codes-renewed"
    RECOVERY_CODE_USED = "user.recovery-code-used"
    INVITED = "invitation.created"
    INVITATION_RENEWED = "invitation.renewed"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_ACCEPTED = "invitation.accepted"
    MEMBER_ROLES_CHANGED = "member.roles-changed"
    MEMBER_REMOVED = "member.removed"
    OWNERSHIP_TRANSFERRED = "organization.ownership-transferred"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_CHANGED = "organization.changed"
    ORGANIZATION_DELETED = "organization.deleted"
    TOKEN_CREATED = "personal-token.created"  # noqa: S105 - the name of an action
    TOKEN_REVOKED = "personal-token.revoked"  # noqa: S105 - the name of an action
    DEPLOY_TOKEN_CREATED = "deploy-token.created"  # noqa: S105 - the name of an action
    DEPLOY_TOKEN_ROTATED = "deploy-token.rotated"  # noqa: S105 - the name of an action
    DEPLOY_TOKEN_REVOKED = "deploy-token.revoked"  # noqa: S105 - the name of an action
    DEVICE_APPROVED = "device-login.approved"
    DEVICE_REFUSED = "device-login.refused"
    IDENTITY_PROVED = "user.identity-proved"
    PREFERENCES_CHANGED = "user.preferences-changed"
    SSH_KEY_CHANGED = "user.ssh-key-changed"
    EXTERNAL_ACCOUNT_LINKED = "external-account.linked"
    EXTERNAL_ACCOUNT_REMOVED = "external-account.removed"
    PROVIDER_ADDED = "identity-provider.added"
    PROVIDER_CHANGED = "identity-provider.changed"
    PROVIDER_REMOVED = "identity-provider.removed"
