"""Shapes below /api/bootstrap. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.surfaces.deploy.wire.login_methods import LoginMethod
from quarterdeck.surfaces.deploy.wire.scalars import Email, Text


class AuthBootstrapStatusResponse(Struct, kw_only=True, rename="camel"):
    bootstrap_required: bool
    first_admin_configured: bool
    organization_configured: bool
    login_methods: list[LoginMethod]
    first_admin_email: str | UnsetType = UNSET
    login_url: str | UnsetType = UNSET
    organization_id: str | UnsetType = UNSET
    organization_slug: str | UnsetType = UNSET
    next_steps: list[str] | UnsetType = UNSET


class AuthBootstrapFirstAdminBody(Struct, kw_only=True, rename="camel"):
    email: Email
    display_name: Text
    password: Text | UnsetType = UNSET
    organization_name: Text | UnsetType = UNSET
    organization_slug: Text | UnsetType = UNSET
    idempotency_key: Text | UnsetType = UNSET


class AuthBootstrapFirstAdminResponse(Struct, kw_only=True, rename="camel"):
    bootstrap_required: bool
    created: bool
    email: str
    login_methods: list[LoginMethod]
    organization_id: str
    organization_slug: str
    user_id: str
    generated_password: str | UnsetType = UNSET
    login_url: str | UnsetType = UNSET
