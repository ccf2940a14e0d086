"""What every platform can do; the other half, reading what a platform sends, is `surfaces.chat.reading.Reader`."""

from __future__ import annotations

from typing import Protocol

from quarterdeck.notify.bots import lark, slack
from quarterdeck.notify.bots.bots import Login
from quarterdeck.notify.bots.cards import Card


class Adapter(Protocol):
    """Speaks as one bot. Raises `Unavailable` for what may pass, `ProviderFailure` for a refusal."""

    async def send_message(
        self, chat_id: str, said: str | Card, *, row: int = 0, only: str | None = None, key: str = ""
    ) -> str:
        """Say something in a chat, seen by one person alone where `only` names one. `row` is the card's, for its
        buttons; what is sent again under one `key` is said once where the platform can. Answers the message's id.
        """
        ...

    async def update_message(self, chat_id: str, message_id: str, card: Card, *, row: int = 0) -> None:
        """Put a card in the place of what a message said."""
        ...

    async def resolve_user(self, platform_uid: str) -> str:
        """What somebody is called there."""
        ...


def adapter(login: Login) -> Adapter:
    return slack.Slack(login) if login.platform == "slack" else lark.Lark(login)
