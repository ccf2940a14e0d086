"""Cloud identities, how they are connected, and this server as an issuer that clouds trust (contract: infra §1.5)."""

from __future__ import annotations

from msgspec import convert

from quarterdeck.access import Access
from quarterdeck.infra.clouds import binding, connecting, credentials, identities, issuing
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.infra.shapes import at
from quarterdeck.surfaces.infra.wire import clouds as wire
from quarterdeck.surfaces.infra.wire.device_login import Success
from quarterdeck.surfaces.shared.values import given

VIEW, MANAGE = "infra:clouds.view", "infra:clouds.manage"
HERE, PROVIDER = "/api/cli/cloud-identities", "/api/cli/providers/{provider}"
CLOUD = (404, "cloud_provider_unknown")
UNKNOWN = (404, "cloud_identity_not_found")
IN_USE = (409, "cloud_identity_in_use")
ABSENT = (409, "cloud_issuer_absent")
FETCHING = Rate(600, 60)
"""Clouds fetch the keys; each keeps them for hours."""
CACHED = {"cache-control": "public, max-age=300"}


@route("GET", HERE, permission=VIEW, errors=(UNKNOWN,))
async def listed(call: Call, query: wire.IdentitiesQuery) -> wire.CloudIdentities:
    """Cloud identities that were verified, newest first."""
    rows, more = await call.read(identities.page, query.limit, given(query.before), every=query.all)
    return wire.CloudIdentities(cloud_identities=[shape(one) for one in rows], next=rows[-1].uid if more else None)


@route("GET", HERE + "/{id}", permission=VIEW, errors=(UNKNOWN,))
async def show(call: Call) -> wire.OneCloudIdentity:
    """One cloud identity, with what a runner found with it."""
    found = await call.read(identities.find, call.path["id"])
    whole = {**_facts(found), "cached_resources": found.cached_resources}
    return wire.OneCloudIdentity(cloud_identity=convert(whole, wire.WholeCloudIdentity))


@route("POST", HERE + "/{id}/refresh", permission=MANAGE, errors=(UNKNOWN, (409, "cloud_identity_unverified")))
async def refresh(call: Call) -> wire.ProviderQueued:
    """Have a runner look again at what the cloud has."""
    queued = await call.write(connecting.refresh, call.path["id"])
    return wire.ProviderQueued(job_id=queued.job.uid, identity_id=queued.identity.uid)


@route("PUT", HERE + "/{id}/zones", permission=MANAGE, errors=(UNKNOWN, (404, "zone_not_found"), IN_USE))
async def bind(call: Call, body: wire.Bind) -> wire.Bound:
    """Say in which zones alone an identity may be used; without any, everywhere."""

    def verb(tx: Tx) -> wire.Bound:
        return _bound(tx, binding.bind(tx, call.path["id"], body.zone_ids))

    return await call.write(verb)


@route("GET", HERE + "/{id}/zones", permission=VIEW, errors=(UNKNOWN,))
async def bound(call: Call) -> wire.Bound:
    """The zones that an identity is bound to; none: it may be used everywhere."""
    return await call.read(lambda tx: _bound(tx, identities.find(tx, call.path["id"])))


def _bound(tx: Tx, identity: CloudIdentity) -> wire.Bound:
    return wire.Bound(zone_ids=[one.uid for one in binding.zones(tx, identity)], bound=bool(identity.zones))


@route("POST", PROVIDER + "/init", permission=MANAGE, errors=(CLOUD, ABSENT, (409, "cloud_identities_too_many")))
async def begin(call: Call, body: wire.ProviderInit) -> wire.ProviderBegun:
    """Begin a cloud identity: what its cloud has to be told to trust."""
    begun = await call.write(connecting.begin, call.path["provider"], given(body.name))
    return wire.ProviderBegun(
        identity_id=begun.identity.uid,
        external_id=begun.external_id,
        issuer=begun.issuer,
        subject=begun.subject,
        audience=begun.audience,
    )


@route(
    "POST",
    PROVIDER + "/connect",
    permission=MANAGE,
    errors=(
        (400, "cloud_credentials_invalid"),
        (400, "infra_wif_config_invalid"),
        CLOUD,
        UNKNOWN,
        IN_USE,
        ABSENT,
        (409, "spec_account_held"),
    ),
)
async def connect(call: Call, body: wire.ProviderConnect) -> wire.ProviderQueued:
    """Give an identity its role, federation or application, and have a runner try it."""
    queued = await call.write(connecting.connect, call.path["provider"], body.identity_id, body.credentials)
    return wire.ProviderQueued(job_id=queued.job.uid, identity_id=queued.identity.uid)


@route(
    "POST",
    PROVIDER + "/verify",
    permission=MANAGE,
    errors=(
        CLOUD, UNKNOWN, (404, "cloud_check_not_found"), (409, "cloud_check_running"), (409, "cloud_check_failed"),
    ),
)  # fmt: skip
async def verify(call: Call, body: wire.ProviderVerify) -> wire.ProviderVerified:
    """Whether the test of the connection has proved the identity."""
    found = await call.read(connecting.verify, call.path["provider"], body.identity_id, body.job_id)
    return wire.ProviderVerified(success=True, verified=True, identity_id=found.uid, label=credentials.label(found))


@route("POST", PROVIDER + "/disconnect", permission=MANAGE, errors=(CLOUD, UNKNOWN, IN_USE))
async def disconnect(call: Call, body: wire.ProviderDisconnect) -> Success:
    """Forget an identity that nothing works with."""
    await call.write(connecting.disconnect, call.path["provider"], body.identity_id)
    return Success()


@route("GET", PROVIDER + "/status", permission=VIEW, errors=(CLOUD,))
async def status(call: Call, access: Access) -> wire.ProviderStatus:
    """The newest verified identity of a cloud, else the newest that was begun."""
    provider = credentials.check_provider(call.path["provider"])

    def verb(tx: Tx) -> wire.ProviderStatus:
        found = identities.newest(tx, provider)
        if found is None:
            return wire.ProviderStatus(connected=False)
        access.load(tx)
        may = access.decide(tx.principal, MANAGE).allowed
        kept = {name: value or None for name, value in found.credentials.items()}
        return wire.ProviderStatus(
            connected=found.verified_at is not None,
            identity_id=found.uid,
            account_id=kept.get("account_id"),
            role_arn=kept.get("role_arn"),
            external_id=credentials.opened(tx, found).get("external_id") if may else None,
            project_id=kept.get("project_id"),
            service_account_email=kept.get("service_account_email"),
            tenant_id=kept.get("tenant_id"),
            client_id=kept.get("client_id"),
            subscription_id=kept.get("subscription_id"),
        )

    return await call.read(verb)


@route(
    "GET",
    issuing.PATH + "/.well-known/openid-configuration",
    permission="public",
    rate=FETCHING,
    errors=((404, "cloud_issuer_not_found"),),
)
async def configuration(call: Call) -> Answer[wire.IssuerConfiguration]:
    """What this server says of itself to clouds that trust its tokens."""
    said = await call.read(issuing.configuration)
    return Answer(convert(said, wire.IssuerConfiguration), headers=CACHED)


@route(
    "GET", issuing.PATH + issuing.KEYS, permission="public", rate=FETCHING, errors=((404, "cloud_issuer_not_found"),)
)
async def keys(call: Call) -> Answer[wire.IssuerKeys]:
    """The public keys of this server's tokens for clouds."""
    return Answer(wire.IssuerKeys(**await call.read(issuing.keys)), headers=CACHED)


def _facts(one: CloudIdentity) -> dict[str, object]:
    return {
        "id": one.uid,
        "provider": one.provider,
        "name": one.name,
        "label": credentials.label(one),
        "verified": one.verified_at is not None,
        "verified_at": at(one.verified_at),
        "cached_at": at(one.cached_at),
        "created_at": at(one.created_at),
    }


def shape(one: CloudIdentity) -> wire.CloudIdentity:
    return convert(_facts(one), wire.CloudIdentity)
