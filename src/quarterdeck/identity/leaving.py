"""What goes when a person or an organization goes: who they are and what lets them in. What they made stays.

Rows are kept without what they said of anybody, since history names them by number.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update

from quarterdeck.access import Access, grants
from quarterdeck.access.model import Grant, ObjectRule
from quarterdeck.identity import links, members, organizations, sessions, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import (
    DeviceLogin,
    ExternalAccount,
    Invitation,
    Organization,
    PersonalToken,
    RecoveryCode,
    User,
    UserSession,
)
from quarterdeck.identity.oidc.model import OidcProvider, OidcRequest
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx


def delete_account(tx: Tx, access: Access, user: User) -> None:
    """Take somebody out of every organization, end all that lets them in, and forget who they were. Raises `Conflict`
    (`last_administrator`), and `Forbidden` where a token asks for it, or somebody who has other organizations than the
    one of the provider that vouched for them (`session_bound`).
    """
    sessions.require_in_person(tx.principal)
    tx.lock("access:membership", "identity:users")
    mine = organizations.of_user(tx, user.id)
    if tx.principal.vouched and len(mine) > 1:
        raise sessions.bound()
    for organization in mine:
        members.keep_one_of_each(tx, user, organization.id)
        grants.take_all(tx, access, user.id, organization.id)
    tx.execute(delete(Grant).where(Grant.user_id == user.id))
    tx.execute(delete(Invitation).where(Invitation.user_id == user.id))
    members.note(tx, user, IdentityAction.DELETED, tx.principal.organization_id)
    forget(tx, user)
    access.note(tx)


def forget(tx: Tx, user: User) -> None:
    """End all that lets somebody in, and forget who they were; name and address are free again."""
    members.end_sessions(tx, user)
    for purpose in links.LIFE:
        links.void(tx, purpose, user)
    for kind in (RecoveryCode, DeviceLogin, ExternalAccount, OidcRequest):
        tx.execute(delete(kind).where(kind.user_id == user.id))
    mine = (PersonalToken.user_id == user.id, PersonalToken.revoked_at.is_(None))
    tx.execute(update(PersonalToken).where(*mine).values(revoked_at=tx.now))
    user.username = user.display_name = users.name_of_gone(user)
    user.email = user.avatar_url = user.password_hash = user.preferences = None
    user.totp_secret = user.totp_enabled_at = user.totp_last_step = None
    user.active, user.email_verified, user.updated_at = False, False, tx.now


def delete_organization(tx: Tx, access: Access, organization: Organization) -> None:
    """Take everybody out of an organization, with its invitations, its identity providers and the sessions that act in
    it. Its projects, tokens and audit trail stay. Raises `Conflict` (`organization_delete_blocked`), and `Forbidden`
    where a token asks for it.
    """
    sessions.require_in_person(tx.principal)
    organizations.require_expendable(tx, organization)
    tx.lock("access:membership")
    here = UserSession.organization_id == organization.id
    for session in tx.scalars(select(UserSession).where(here, UserSession.revoked_at.is_(None))):
        sessions.revoke_row(tx, session)
    tx.execute(delete(Invitation).where(Invitation.organization_id == organization.id))
    theirs = select(OidcProvider.id).where(OidcProvider.organization_id == organization.id)
    tx.execute(delete(OidcRequest).where(OidcRequest.provider_id.in_(theirs)))
    tx.execute(delete(OidcProvider).where(OidcProvider.organization_id == organization.id))
    audit.record(
        tx,
        IdentityAction.ORGANIZATION_DELETED,
        resource_type="organization",
        resource_id=organization.ref,
        organization_id=organization.id,
        detail={"name": organization.name, "slug": organization.slug},
    )
    events.append(
        tx,
        f"organization:{organization.ref}",
        "organization-deleted",
        {"organizationId": organization.ref},
        organization_id=organization.id,
    )
    tx.execute(delete(Grant).where(Grant.organization_id == organization.id))
    tx.execute(delete(ObjectRule).where(ObjectRule.organization_id == organization.id))
    organization.deleted_at = organization.updated_at = tx.now
    organization.slug = f"deleted-{organization.uid}"  # the short name is free again
    access.note(tx)
