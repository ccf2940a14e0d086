"""Chat bots and their bindings. No secret of a bot is ever answered."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Platform = Literal["lark", "slack"]
Short = Annotated[str, Meta(min_length=1, max_length=100)]
Hidden = Annotated[str, Meta(min_length=1, max_length=500)]
Optional = Annotated[str, Meta(max_length=500)]
Address = Annotated[str, Meta(max_length=1000)]
Number = Annotated[int, Meta(ge=1, le=2**53)]


class BotCreate(Struct, kw_only=True, rename="camel"):
    """Of Slack `appSecret` is the bot's token and `webhookToken` the signing secret; of Lark they are the secret and
    the verification token. `encryptKey` is Lark's; `apiUrl` the base address of the platform's API where it is not the
    usual one, such as https://open.feishu.cn.
    """

    platform: Platform
    app_id: Short
    app_secret: Hidden
    webhook_token: Hidden
    name: Short
    encrypt_key: Optional | UnsetType | None = UNSET
    api_url: Address | UnsetType | None = UNSET


class BotChange(Struct, kw_only=True, rename="camel"):
    """What is left out stays; of `encryptKey` and `apiUrl` null takes it away."""

    platform: Platform | UnsetType = UNSET
    app_id: Short | UnsetType = UNSET
    app_secret: Hidden | UnsetType = UNSET
    webhook_token: Hidden | UnsetType = UNSET
    name: Short | UnsetType = UNSET
    encrypt_key: Optional | UnsetType | None = UNSET
    api_url: Address | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class Bot(Struct, kw_only=True, rename="camel"):
    """`webhookUrl` is what the platform is told: of Slack the address of its events."""

    id: int
    platform: Platform
    app_id: str
    name: str
    enabled: bool
    webhook_url: str
    has_encrypt_key: bool
    api_url: str | None
    binding_count: int
    created_at: str


class Bots(Struct, kw_only=True, rename="camel"):
    items: list[Bot]
    next_cursor: str | None
    total: int


class BindingCreate(Struct, kw_only=True, rename="camel"):
    platform_chat_id: Annotated[str, Meta(min_length=1, max_length=200)]
    project_key: Annotated[str, Meta(min_length=1, max_length=64)]
    chat_name: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET


class Binding(Struct, kw_only=True, rename="camel"):
    id: int
    bot_id: int
    platform_chat_id: str
    project_key: str
    chat_name: str | None
    created_at: str


class Bindings(Struct, kw_only=True, rename="camel"):
    items: list[Binding]
    next_cursor: str | None
    total: int


class BindingNamed(Struct, kw_only=True, rename="camel"):
    """Which binding is meant: one of the two, in the query or in the body."""

    binding_id: Number | UnsetType = UNSET
    platform_chat_id: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET


class PlatformToken(Struct, kw_only=True, rename="camel"):
    token: Annotated[str, Meta(min_length=1, max_length=200)]
