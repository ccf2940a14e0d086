"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

ResourcesKind = Literal[
    "local-folder",
    "local-git",
    "remote-git",
    "git-public",
    "git-github-app",
    "git-deploy-key",
    "zip-artifact",
    "dockerfile-inline",
    "docker-compose-inline",
    "docker-image",
    "compose",
]


class Error(Struct, kw_only=True, rename="camel"):
    code: str
    category: Literal["user", "infra", "provider", "retryable", "timeout"]
    message: str
    retryable: bool
    details: dict[str, str | float | bool | list[str] | None] | UnsetType = UNSET


class Http2(Struct, kw_only=True, rename="camel"):
    method: Literal["GET", "HEAD", "POST", "OPTIONS"]
    scheme: Literal["http", "https"]
    host: str
    port: Annotated[int, Meta(gt=0, le=65535)] | UnsetType = UNSET
    path: str
    expected_status_code: Annotated[int, Meta(ge=100, le=599)]
    expected_response_text: str | UnsetType = UNSET


class HealthCheck2(Struct, kw_only=True, rename="camel"):
    enabled: bool
    type: Literal["http", "command"]
    interval_seconds: Annotated[int, Meta(gt=0)]
    timeout_seconds: Annotated[int, Meta(gt=0)]
    retries: Annotated[int, Meta(gt=0)]
    start_period_seconds: Annotated[int, Meta(ge=0)]
    http: Http2 | UnsetType = UNSET
