"""What is asked before an account changes, besides what `accounts` asks of its administrators."""

from __future__ import annotations

from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden
from quarterdeck.kernel.principal import Principal


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
