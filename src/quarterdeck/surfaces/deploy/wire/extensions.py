"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class CapabilityDetail(Struct, kw_only=True, rename="camel"):
    key: str
    title: str
    enabled: bool
    description: str | UnsetType = UNSET


class Diagnostic(Struct, kw_only=True, rename="camel"):
    code: str
    severity: Literal["info", "warning", "error"]
    message: str
    documentation_href: str | UnsetType = UNSET


class Configuration(Struct, kw_only=True, rename="camel"):
    status: Literal["configured", "not-configured", "partial", "unknown"]
    diagnostics: list[Diagnostic]


class SystemPluginsItem(Struct, kw_only=True, rename="camel"):
    name: str
    display_name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    version: str
    kind: Literal["user-extension", "system-extension"]
    capabilities: list[str]
    capability_details: list[CapabilityDetail] | UnsetType = UNSET
    compatible: bool
    configuration: Configuration | UnsetType = UNSET


class SystemProvidersItem(Struct, kw_only=True, rename="camel"):
    key: str
    title: str
    category: Literal["cloud-provider", "deploy-target", "infra-service"]
    capabilities: list[str]
    capability_details: list[CapabilityDetail] | UnsetType = UNSET
    configuration: Configuration | UnsetType = UNSET
