"""Outgoing webhooks, as administrators see them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Url = Annotated[str, Meta(min_length=1, max_length=2000)]
Events = Annotated[list[Annotated[str, Meta(max_length=96)]], Meta(min_length=1, max_length=100)]
Key = Annotated[str, Meta(min_length=16, max_length=200)]


class HookCreate(Struct, kw_only=True, rename="camel"):
    """`events` are names, groups such as `task.*`, or `*`. Without a `secret` one is drawn."""

    name: Name
    url: Url
    events: Events | UnsetType = UNSET
    secret: Key | UnsetType = UNSET


class HookChange(Struct, kw_only=True, rename="camel"):
    """What is left out stays. `enabled` begins anew with one that was given up."""

    name: Name | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    secret: Key | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class Hook(Struct, kw_only=True, rename="camel"):
    """`failingSince` is the first failure after the last success; `disabledReason` says why it was given up."""

    id: int
    name: str
    url: str
    events: list[str]
    enabled: bool
    failing_since: str | None
    disabled_reason: str | None
    created_at: str
    updated_at: str


class NewHook(Hook, kw_only=True, rename="camel"):
    """`secret` is shown this once."""

    secret: str


class Hooks(Struct, kw_only=True, rename="camel"):
    """`offered` are the events that there are."""

    items: list[Hook]
    next_cursor: str | None
    total: int
    offered: list[str]


class Delivery(Struct, kw_only=True, rename="camel"):
    """`id` is sent along as X-Quarterdeck-Delivery; `responseStatus` and `error` are of the last try."""

    id: str
    event: str
    status: Literal["pending", "delivered", "failed", "dropped"]
    attempts: int
    response_status: int | None
    error: str | None
    created_at: str
    attempted_at: str | None
    finished_at: str | None


class Deliveries(Struct, kw_only=True, rename="camel"):
    items: list[Delivery]
    next_cursor: str | None
    total: int
