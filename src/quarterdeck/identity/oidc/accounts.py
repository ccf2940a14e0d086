"""Accounts at providers that a person has connected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from quarterdeck.identity import members
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import ExternalAccount, User, UserSession
from quarterdeck.identity.oidc.model import OidcProvider
from quarterdeck.identity.sessions import revoke_row
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Connection:
    """A provider of the caller's organization, and since when the caller is known by it; never, if not connected."""

    slug: str
    name: str
    account: str | None
    since: datetime | None


def connections(tx: Tx) -> list[Connection]:
    """The caller's, by the name of the provider."""
    mine = OidcProvider.organization_id == tx.principal.organization_id
    rows = tx.scalars(select(OidcProvider).where(mine, OidcProvider.enabled.is_(True)).order_by(OidcProvider.name))
    accounts = {
        row.issuer: row for row in tx.scalars(select(ExternalAccount).where(ExternalAccount.user_id == tx.principal.id))
    }
    found = [(row, accounts.get(row.issuer)) for row in rows]
    return [
        Connection(row.slug, row.name, account.uid if account else None, account.created_at if account else None)
        for row, account in found
    ]


def disconnect(tx: Tx, uid: str) -> None:
    """Forget an account of the caller, and end the sessions that it began. Raises `NotFound`
    (`external_account_not_found`), and `Conflict` (`last_way_in`) where nothing else would let them in.
    """
    tx.lock("identity:users")
    mine = list(tx.scalars(select(ExternalAccount).where(ExternalAccount.user_id == tx.principal.id)))
    account = next((one for one in mine if one.uid == uid), None)
    user = tx.get(User, tx.principal.id)
    if account is None or user is None:
        raise NotFound(
            "There is no such connected account.", code="external_account_not_found", hint="Look at your own page."
        )
    if user.password_hash is None and len(mine) == 1:
        raise Conflict(
            "Without this account you could not sign in any more.",
            code="last_way_in",
            hint="Set a password first.",
        )
    here = (UserSession.external_account_id == account.id, UserSession.revoked_at.is_(None))
    for session in tx.scalars(select(UserSession).where(*here)):
        revoke_row(tx, session)
    tx.session.delete(account)
    members.note(tx, user, IdentityAction.EXTERNAL_ACCOUNT_REMOVED, tx.principal.organization_id, issuer=account.issuer)
