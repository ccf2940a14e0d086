"""What a credential may do to credentials, and whose: a token of a program makes none, and nobody gets at what somebody
with more permissions may do by changing how that person signs in.
"""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.identity import organizations
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden
from quarterdeck.kernel.principal import Principal


def require_session(principal: Principal) -> None:
    """Raise `Forbidden` (`session_required`) for a token of a program."""
    if principal.by_token or principal.kind != "user":
        raise Forbidden(
            "A token is no session, and cannot make or change what somebody signs in with.",
            code="session_required",
            hint="Sign in with your password, then do it again.",
        )


def require_whole(principal: Principal) -> None:
    """Raise `Forbidden` (`token_narrowed`) for a token that is narrowed to scopes."""
    if principal.scopes:
        raise Forbidden(
            "This token is narrowed to scopes, and none of them changes your account.",
            code="token_narrowed",
            hint="Use a token without scopes, or sign in.",
        )


def require_another(tx: Tx, user: User, what: str) -> None:
    """Raise `Conflict` (`own_account`) where an administrator means themselves; `what` begins the sentence."""
    if user.id == tx.principal.id:
        raise Conflict(
            f"{what} of your own account is not changed here.",
            code="own_account",
            hint="Use your profile, or ask another administrator.",
        )


def require_over(tx: Tx, access: Access, user: User) -> None:
    """Raise `Forbidden` (`permission_not_held`) unless the caller may do all that somebody may, wherever they may.

    Who sets another's password can sign in as them.
    """
    if tx.principal.kind == "system":
        return
    access.load(tx)
    for organization in organizations.of_user(tx, user.id):
        mine = access.permissions(tx.principal.id, organization.id)
        if lacking := access.permissions(user.id, organization.id) - mine:
            raise Forbidden(
                f"{user.username} may do more than you, such as {min(lacking)}, so how they sign in is not yours to "
                "change.",
                code="permission_not_held",
                hint="Ask an administrator who has all their roles.",
            )
