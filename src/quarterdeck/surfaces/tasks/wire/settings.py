"""The settings, as one flat object."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Seconds = Annotated[int, Meta(ge=1, le=604_800)]
Percent = Annotated[int, Meta(ge=1, le=100)]
Agent = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=10_000)]
Boot = Literal["grace", "strict"]


class Stage(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One stage of a pipeline; see the rules in `quarterdeck.tasks.pipelines`."""

    name: Annotated[str, Meta(max_length=64)]
    command: Text
    timeout: int | UnsetType = UNSET
    confirm: bool | UnsetType = UNSET
    choices: list[Annotated[str, Meta(max_length=200)]] | UnsetType | None = UNSET
    input: bool | UnsetType = UNSET
    confirm_timeout: int | UnsetType = UNSET
    on_timeout: Literal["fail", "fallback"] | UnsetType = UNSET
    fallback_result: Text | UnsetType = UNSET
    retries: Annotated[int, Meta(ge=0, le=10)] | UnsetType = UNSET
    continue_on_error: bool | UnsetType = UNSET
    agent_type: Agent | UnsetType = UNSET
    marker: Text | UnsetType = UNSET


class DegradeRecovery(Struct, kw_only=True, forbid_unknown_fields=True):
    auth_failure: Seconds
    rate_limit: Seconds
    unknown: Seconds


class Settings(Struct, kw_only=True, rename="camel"):
    heartbeat_interval_sec: int
    heartbeat_timeout_sec: int
    reconnect_grace_sec: int
    load_threshold_percent: int
    disk_drain_percent: int
    degrade_after_failures: int
    degrade_recover_sec: DegradeRecovery
    confirm_timeout_sec: int
    default_stage_timeout_sec: int
    access_token_ttl_sec: int
    refresh_token_ttl_sec: int
    tunnel_ttl_hours: int
    tunnel_start_timeout_sec: int
    pty_replay_bytes: int
    channel_token_ttl_sec: int
    log_retention_days: int
    workspace_retention_hours: int
    max_tasks_per_developer: int
    require_totp: bool
    machines_visible_to_developers: bool
    boot_reconcile: Boot
    web_url: str | None
    default_agent_type: str
    default_pipeline: list[Stage]


class SettingsChange(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Any of them; a name that is none of them is refused."""

    heartbeat_interval_sec: Annotated[int, Meta(ge=1, le=3600)] | UnsetType = UNSET
    heartbeat_timeout_sec: Annotated[int, Meta(ge=2, le=86_400)] | UnsetType = UNSET
    reconnect_grace_sec: Annotated[int, Meta(ge=0, le=86_400)] | UnsetType = UNSET
    load_threshold_percent: Percent | UnsetType = UNSET
    disk_drain_percent: Percent | UnsetType = UNSET
    degrade_after_failures: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET
    degrade_recover_sec: DegradeRecovery | UnsetType = UNSET
    confirm_timeout_sec: Seconds | UnsetType = UNSET
    default_stage_timeout_sec: Annotated[int, Meta(ge=1, le=86_400)] | UnsetType = UNSET
    access_token_ttl_sec: int | UnsetType = UNSET
    refresh_token_ttl_sec: int | UnsetType = UNSET
    tunnel_ttl_hours: Annotated[int, Meta(ge=1, le=24)] | UnsetType = UNSET
    tunnel_start_timeout_sec: Annotated[int, Meta(ge=1, le=600)] | UnsetType = UNSET
    pty_replay_bytes: Annotated[int, Meta(ge=4096, le=16_777_216)] | UnsetType = UNSET
    channel_token_ttl_sec: Annotated[int, Meta(ge=5, le=3600)] | UnsetType = UNSET
    log_retention_days: Annotated[int, Meta(ge=1, le=3650)] | UnsetType = UNSET
    workspace_retention_hours: Annotated[int, Meta(ge=0, le=8760)] | UnsetType = UNSET
    max_tasks_per_developer: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    require_totp: bool | UnsetType = UNSET
    machines_visible_to_developers: bool | UnsetType = UNSET
    boot_reconcile: Boot | UnsetType = UNSET
    web_url: Annotated[str, Meta(max_length=2000)] | UnsetType | None = UNSET
    default_agent_type: Agent | UnsetType = UNSET
    default_pipeline: Annotated[list[Stage], Meta(max_length=100)] | UnsetType = UNSET
