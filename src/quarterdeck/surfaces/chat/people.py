"""Who somebody on a platform is in Quarterdeck."""

from __future__ import annotations

from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.principal import Principal
from quarterdeck.notify.bots import links

PARTS = ("tasks:tasks.", "tasks:projects.", "tasks:project.", "tasks:machines.")
UNKNOWN = "chat_sender_unknown"


def reached() -> frozenset[str]:
    """What an account of a chat is good for: tasks, projects and machines, and nothing that opens accounts."""
    return frozenset(key for key in CATALOGUE if key.startswith(PARTS))


def sender(tx: Tx, organization_id: int, platform_uid: str) -> User:
    """The member of the bot's organization who is known by this account. Raises `Unauthenticated`."""
    found = links.known(tx, organization_id, platform_uid)
    if len(found) == 1:
        return found[0]
    if found:
        raise Unauthenticated(
            "User not found: several people are known by your account of this chat.",
            code=UNKNOWN,
            hint="Ask an administrator to leave it to one of them.",
        )
    raise Unauthenticated(
        "User not found: nobody is known by your account of this chat.",
        code=UNKNOWN,
        hint="Send `bind`, and give the token that you get to Quarterdeck.",
    )


def act_as(tx: Tx, user: User, organization_id: int, bot_uid: str) -> Principal:
    """From here on the unit acts for that person, within what a chat is good for."""
    principal = Principal(
        kind="user",
        id=user.id,
        uid=user.uid,
        label=user.username,
        organization_id=organization_id,
        credential=f"bot:{bot_uid}",
        scopes=reached(),
        by_token=True,
    )
    tx.act_as(principal)
    return principal
