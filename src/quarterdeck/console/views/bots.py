"""Chat bots of an organization as their page shows them. No secret is among it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A chat, and the project that it means."""

    id: int
    chat: str
    name: str
    project: str


@dataclass(frozen=True, slots=True)
class BotRow:
    """`receives` is the path that the platform is told to send to."""

    id: int
    platform: str
    app_id: str
    name: str
    enabled: bool
    receives: str
    chats: tuple[ChatRow, ...] = ()

    @property
    def state(self) -> str:
        return "active" if self.enabled else "inactive"


@dataclass(frozen=True, slots=True)
class BotsView:
    rows: tuple[BotRow, ...]
    projects: tuple[tuple[str, str], ...]
