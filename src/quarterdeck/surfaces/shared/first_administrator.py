"""The first administrator, by both documented doors."""

from __future__ import annotations

import hmac
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from quarterdeck.access import Access
from quarterdeck.identity import setup, signing_in
from quarterdeck.identity.model import Organization
from quarterdeck.identity.oidc import providers
from quarterdeck.identity.sessions import API_KINDS
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.http.guard import names_this_machine
from quarterdeck.kernel.vault import Secret
from quarterdeck.runbooks import vault_password
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.wire import bootstrap as wire
from quarterdeck.surfaces.shared.signing_in import DOOR, client_kind, signed_in
from quarterdeck.surfaces.shared.values import given

SETUP_HEADER = "x-setup-token"


class Setup(Struct, kw_only=True):
    username: str
    password: str
    vault_password: str | UnsetType | None = UNSET


def check_own_name(host: str) -> None:
    """Without a token only this machine may knock: `Forbidden` for a foreign page that has its name lead here."""
    if not names_this_machine(host):
        raise Forbidden(
            "The first administrator is created from this machine, under its own name.",
            code="setup_host_refused",
            hint="Open the server as http://localhost or http://127.0.0.1 with its port.",
        )


def check_setup_token(call: Call) -> None:
    """Raise `Forbidden` unless the request carries the token that `serve` printed, where one is required."""
    token: Secret[str] | None = call.service("setup_token")
    if token is None:
        check_own_name(call.headers.get("host", ""))
        return
    presented = call.headers.get(SETUP_HEADER, "")
    if not hmac.compare_digest(presented.encode(), token.reveal().encode()):
        raise Forbidden(
            "The first administrator is created with the setup token.",
            code="setup_token_required",
            hint=f"Send the token that the server printed at its start as the header {SETUP_HEADER}.",
        )


def login_methods(tx: Tx) -> list[dict[str, Any]]:
    """The ways to sign in, as documented: any OpenID Connect provider stands for the last."""
    missing = {"configured": False, "enabled": False, "reason": "not-configured"}
    there = {"configured": True, "enabled": True}
    return [
        {"key": "local-password", **there},
        *({"key": key, **missing} for key in ("github", "google")),
        {"key": "oidc", **(there if providers.offered(tx) else missing)},
    ]


@operation("auth.bootstrap-status")
async def status(call: Call) -> dict[str, Any]:
    exists = await call.read(setup.administrator_exists)
    return {
        "bootstrapRequired": not exists,
        "firstAdminConfigured": exists,
        "organizationConfigured": exists,
        "loginMethods": await call.read(login_methods),
        "nextSteps": [] if exists else ["create-first-admin"],
        "loginUrl": "/console/sign-in",
    }


@operation("auth.bootstrap-first-admin", rate=DOOR)
async def first_admin(
    call: Call, body: wire.AuthBootstrapFirstAdminBody, db: Database, access: Access
) -> dict[str, Any]:
    if not await call.read(setup.administrator_exists):
        check_setup_token(call)
    ids = db.ids
    chosen = given(body.password)
    password = chosen or f"aplt-admin-{ids.text(12)}-{ids.text(12)}"
    user, organization = await signing_in.create_first_administrator(
        db,
        access,
        email=body.email,
        username=None,
        display_name=given(body.display_name),
        password=Secret(password),
        organization_name=given(body.organization_name),
        organization_slug=given(body.organization_slug),
    )
    answer: dict[str, Any] = {
        "bootstrapRequired": False,
        "created": True,
        "userId": user.uid.replace("-", ""),
        "email": user.email,
        "loginMethods": await call.read(login_methods),
        "organizationId": organization.ref,
        "organizationSlug": organization.slug,
        "loginUrl": "/console/sign-in",
    }
    return answer if chosen else {**answer, "generatedPassword": password}


@route("POST", "/api/auth/setup", permission="public", rate=DOOR)
async def first_user(call: Call, body: Setup, db: Database, access: Access) -> dict[str, Any]:
    """Create the first administrator by name, and sign in. A vault password is kept for runbooks."""
    if not await call.read(setup.administrator_exists):
        check_setup_token(call)
    vault = Secret(given(body.vault_password) or "")

    def also(tx: Tx, place: Organization) -> None:
        if vault.reveal():
            vault_password.keep(tx, place.id, vault)

    made = await signing_in.set_up(
        db,
        access,
        username=body.username,
        password=Secret(body.password),
        kinds=API_KINDS,
        client_kind=client_kind(call),
        also=also,
    )
    return await signed_in(call, made)


@route("GET", "/api/auth/setup-required", permission="public")
async def setup_required(db: Database) -> dict[str, bool]:
    """Whether the first administrator still has to be created."""
    exists = await db.read(setup.administrator_exists)
    return {"setup_required": not exists, "setup_complete": exists}
