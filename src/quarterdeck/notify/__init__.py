"""What people and other programs are told: in the application, by mail, by webhooks, in chats."""

from quarterdeck.notify.telling import tell
from quarterdeck.notify.withdrawing import withdraw

__all__ = ["tell", "withdraw"]
