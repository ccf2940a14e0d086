"""Bots, their chats, and the cards that wait for an answer. Projects are named by key, tasks by number."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from quarterdeck.kernel.db import Base, Identified


class Bot(Identified, Base):
    """An application of a chat platform. `app_secret`, `webhook_token` and `encrypt_key` are sealed; `api_url` is the
    base address of the platform's API, None for the usual one.
    """

    __tablename__ = "notify_bots"
    __table_args__ = (
        UniqueConstraint("organization_id", "platform", "app_id"),
        Index("ix_notify_bots_platform", "platform", "app_id"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    platform: Mapped[str] = mapped_column(String(20))
    app_id: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    app_secret: Mapped[str] = mapped_column(Text)
    webhook_token: Mapped[str] = mapped_column(Text)
    encrypt_key: Mapped[str | None] = mapped_column(Text)
    api_url: Mapped[str | None] = mapped_column(String(1000))
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Binding(Identified, Base):
    """The project that a chat means when it names none."""

    __tablename__ = "notify_bindings"
    __table_args__ = (
        UniqueConstraint("bot_id", "platform_chat_id"),
        Index("ix_notify_bindings_organization_id", "organization_id", "project_key"),
    )

    bot_id: Mapped[int] = mapped_column(ForeignKey("notify_bots.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    platform_chat_id: Mapped[str] = mapped_column(String(200))
    project_key: Mapped[str] = mapped_column(String(64))
    chat_name: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]


class Received(Base):
    """A message that a platform has delivered, by the digest of its id: delivered again it is nothing new.
    `done_at`: what it asks for was done.
    """

    __tablename__ = "notify_received"
    __table_args__ = (Index("ix_notify_received_received_at", "received_at"),)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    bot_id: Mapped[int] = mapped_column(ForeignKey("notify_bots.id", ondelete="CASCADE"))
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class PlatformLink(Base):
    """A token by which somebody shows who they are on a platform, kept as its hash."""

    __tablename__ = "notify_platform_links"
    __table_args__ = (Index("ix_notify_platform_links_expires_at", "expires_at"),)

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    bot_id: Mapped[int] = mapped_column(ForeignKey("notify_bots.id", ondelete="CASCADE"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    platform_uid: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Thread(Identified, Base):
    """The chat that a task began in. `message_id` is the message that tells how it stands, which is edited."""

    __tablename__ = "notify_threads"
    __table_args__ = (UniqueConstraint("organization_id", "task_id", "bot_id", "chat_id"),)

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    task_id: Mapped[int] = mapped_column(BigInteger)
    bot_id: Mapped[int] = mapped_column(ForeignKey("notify_bots.id", ondelete="CASCADE"))
    chat_id: Mapped[str] = mapped_column(String(200))
    message_id: Mapped[str | None] = mapped_column(String(200))
    text: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class PostedCard(Identified, Base):
    """A question to people in a chat. `subject` is what it asks about (`gate:12`); `content` is a `cards.Card`;
    `message_id` is the platform's, None until it was sent; `outcome` says what came of it, and by whom.
    """

    __tablename__ = "notify_cards"
    __table_args__ = (
        UniqueConstraint("organization_id", "subject", "bot_id", "chat_id"),
        Index("ix_notify_cards_created_at", "created_at"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("identity_organizations.id"))
    bot_id: Mapped[int] = mapped_column(ForeignKey("notify_bots.id", ondelete="CASCADE"))
    chat_id: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(100))
    task_id: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[dict[str, Any]]
    message_id: Mapped[str | None] = mapped_column(String(200))
    outcome: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
