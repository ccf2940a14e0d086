"""Identity providers: routes of ours beside the contracts, and where providers tell of sign-outs."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs

from msgspec import UNSET, Meta, Struct, UnsetType

from quarterdeck.identity.oidc import providers
from quarterdeck.identity.oidc.model import OidcProvider
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, Unauthenticated
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.shared.mail_links import base as base_of
from quarterdeck.surfaces.shared.values import given

LIST, MANAGE = "identity-providers:list", "identity-providers:manage"
NOTICES = Rate(120, 60)
Text = Annotated[str, Meta(min_length=1, max_length=100)]
Address = Annotated[str, Meta(min_length=1, max_length=500)]
Client = Annotated[str, Meta(min_length=1, max_length=255)]
ClientSecret = Annotated[str, Meta(max_length=2000)]
Words = Annotated[list[Annotated[str, Meta(min_length=1, max_length=255)]], Meta(max_length=500)]
Roles = Annotated[list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=50)]


class Settings(Struct, kw_only=True, rename="camel"):
    """What of a provider can be changed; what is left out stays. An empty secret takes it away."""

    name: Text | UnsetType = UNSET
    client_secret: ClientSecret | UnsetType = UNSET
    scopes: Words | UnsetType = UNSET
    groups_claim: Text | UnsetType = UNSET
    group_roles: dict[str, Roles] | UnsetType = UNSET
    default_roles: Roles | UnsetType = UNSET
    email_domains: Words | UnsetType = UNSET
    links_by_email: bool | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class NewProvider(Settings, kw_only=True, rename="camel"):
    """`slug` stands in the addresses that the provider is told; it cannot be changed."""

    slug: Text
    issuer: Address
    client_id: Client


class Change(Settings, kw_only=True, rename="camel"):
    issuer: Address | UnsetType = UNSET
    client_id: Client | UnsetType = UNSET


class Provider(Struct, kw_only=True, rename="camel"):
    """`redirectUri` and `backchannelLogoutUri` are what the provider has to know of us."""

    id: str
    slug: str
    name: str
    issuer: str
    client_id: str
    client_secret_configured: bool
    scopes: list[str]
    groups_claim: str
    group_roles: dict[str, list[str]]
    default_roles: list[str]
    email_domains: list[str]
    links_by_email: bool
    enabled: bool
    redirect_uri: str
    backchannel_logout_uri: str
    created_at: str
    updated_at: str


class Providers(Struct, kw_only=True, rename="camel"):
    items: list[Provider]


class Removed(Struct, kw_only=True, rename="camel"):
    id: str
    ended_sessions: int


class Tested(Struct, kw_only=True, rename="camel"):
    """What the provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    keys: int


def shown(call: Call, row: OidcProvider) -> Provider:
    base = base_of(call)
    return Provider(
        id=row.uid,
        slug=row.slug,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        client_secret_configured=row.client_secret is not None,
        scopes=list(row.scopes),
        groups_claim=row.groups_claim,
        group_roles={group: list(roles) for group, roles in row.group_roles.items()},
        default_roles=list(row.default_roles),
        email_domains=list(row.email_domains),
        links_by_email=row.links_by_email,
        enabled=row.enabled,
        redirect_uri=f"{base}/console/sign-in/{row.slug}/callback",
        backchannel_logout_uri=f"{base}/api/auth/oidc/{row.slug}/logout",
        created_at=wire_time(row.created_at),
        updated_at=wire_time(row.updated_at),
    )


def _settings(body: Settings) -> dict[str, Any]:
    secret = given(body.client_secret)
    return {
        "name": given(body.name),
        "client_secret": None if secret is None else Secret(secret),
        "scopes": given(body.scopes),
        "groups_claim": given(body.groups_claim),
        "group_roles": given(body.group_roles),
        "default_roles": given(body.default_roles),
        "email_domains": given(body.email_domains),
        "links_by_email": given(body.links_by_email),
        "enabled": given(body.enabled),
    }


@route("GET", "/api/identity-providers", permission=LIST, tags=("identity",))
async def listed(call: Call) -> Providers:
    """Identity providers of the organization."""
    return await call.read(lambda tx: Providers(items=[shown(call, row) for row in providers.listed(tx)]))


@route(
    "POST",
    "/api/identity-providers",
    permission=MANAGE,
    status=201,
    errors=((400, "validation_error"), (403, "permission_not_held"), (409, "identity_provider_exists")),
    body_required=True,
    tags=("identity",),
)
async def add(call: Call, body: NewProvider) -> Provider:
    """Add an identity provider."""

    def verb(tx: Tx) -> Provider:
        return shown(call, providers.add(tx, body.slug, body.issuer, body.client_id, **_settings(body)))

    return await call.write(verb)


@route(
    "GET",
    "/api/identity-providers/{identityProviderId}",
    permission=LIST,
    errors=((404, "identity_provider_not_found"),),
    tags=("identity",),
)
async def show(call: Call, identity_provider_id: str) -> Provider:
    """One identity provider, by its id or slug."""
    return await call.read(lambda tx: shown(call, providers.find(tx, identity_provider_id)))


@route(
    "PATCH",
    "/api/identity-providers/{identityProviderId}",
    permission=MANAGE,
    errors=((400, "validation_error"), (403, "permission_not_held"), (404, "identity_provider_not_found")),
    body_required=True,
    tags=("identity",),
)
async def change(call: Call, identity_provider_id: str, body: Change) -> Provider:
    """Change an identity provider."""

    def verb(tx: Tx) -> Provider:
        row = providers.find(tx, identity_provider_id)
        providers.change(tx, row, issuer=given(body.issuer), client_id=given(body.client_id), **_settings(body))
        return shown(call, row)

    return await call.write(verb)


@route(
    "DELETE",
    "/api/identity-providers/{identityProviderId}",
    permission=MANAGE,
    errors=((404, "identity_provider_not_found"),),
    tags=("identity",),
)
async def remove(call: Call, identity_provider_id: str) -> Removed:
    """Remove an identity provider and end the sessions that it vouched for; the people stay."""

    def verb(tx: Tx) -> Removed:
        row = providers.find(tx, identity_provider_id)
        return Removed(id=row.uid, ended_sessions=providers.remove(tx, row))

    return await call.write(verb)


@route(
    "POST",
    "/api/identity-providers/{identityProviderId}/test",
    permission=MANAGE,
    errors=((404, "identity_provider_not_found"), (503, "oidc_provider_unreachable")),
    tags=("identity",),
)
async def test(call: Call, identity_provider_id: str) -> Tested:
    """Ask an identity provider for its description and its keys, now."""
    issuer = await call.read(lambda tx: providers.find(tx, identity_provider_id).issuer)
    discovery = call.service("instance").relying_party.discovery
    known = await discovery.metadata(issuer, fresh=True)
    keys = await discovery.keys(known)
    return Tested(
        issuer=known.issuer,
        authorization_endpoint=known.authorization_endpoint,
        token_endpoint=known.token_endpoint,
        keys=len(keys.keys),
    )


@route(
    "POST",
    "/api/auth/oidc/{provider}/logout",
    permission="public",
    rate=NOTICES,
    raw_body=True,
    errors=((400, "validation_error"), (400, "oidc_token_invalid"), (404, "identity_provider_not_found")),
    tags=("identity",),
)
async def ended(call: Call, provider: str) -> Answer[dict[str, int]]:
    """A provider tells that somebody has signed out (OpenID Connect Back-Channel Logout 1.0)."""
    body = (await call.request.body()).decode("ascii", errors="replace")
    try:
        tokens = parse_qs(body, max_num_fields=10).get("logout_token", [])
    except ValueError:
        tokens = []
    if len(tokens) != 1:
        raise Invalid("A logout_token is missing.", hint="Send it as a form field.", field="logout_token")
    try:
        count: int = await call.service("instance").relying_party.ended(provider, tokens[0])
    except Unauthenticated as refused:  # the specification asks for 400
        raise Invalid(refused.message, code=refused.code, hint=refused.hint) from None
    return Answer({"endedSessions": count}, headers={"cache-control": "no-store"})
