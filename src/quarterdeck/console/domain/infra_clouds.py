"""Cloud identities and clusters for their pages, and how an identity is connected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.access import Access
from quarterdeck.console.domain.confirming import require_typed
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.infra import JOBS, SPECS
from quarterdeck.console.views.infra_clouds import NAMES, ClusterList, ClusterRow, IdentityRow, IdentityView
from quarterdeck.infra.clouds import binding, clusters, connecting, credentials, identities, issuing
from quarterdeck.infra.clouds.credentials import FEDERATED
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs import listing
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.zones import listing as zone_listing
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal

MANAGE = "infra:clouds.manage"
MOST, MOST_FOUND = 200, 40
SHOWN = {
    "role_arn": "Role",
    "account_id": "Account",
    "project_id": "Project",
    "project_number": "Number of the project",
    "service_account_email": "Service account",
    "audience": "Audience",
    "tenant_id": "Tenant",
    "client_id": "Application",
    "subscription_id": "Subscription",
}


class InfraClouds:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def cloud_identities(self, who: Principal) -> tuple[IdentityRow, ...]:
        def read(tx: Tx) -> tuple[IdentityRow, ...]:
            return tuple(_row(tx, one) for one in identities.page(tx, MOST, every=True)[0])

        found: tuple[IdentityRow, ...] = await self.instance.db.read(read)
        return found

    async def cloud_identity(self, who: Principal, uid: str) -> IdentityView:
        found: IdentityView = await self.instance.db.read(
            lambda tx: _view(tx, self.instance.access, identities.find(tx, uid))
        )
        return found

    async def begin_cloud_identity(self, who: Principal, provider: str, name: str) -> str:
        made: str = await self.instance.db.write(lambda tx: connecting.begin(tx, provider, name or None).identity.uid)
        return made

    async def connect_cloud_identity(self, who: Principal, uid: str, values: Mapping[str, str]) -> str:
        def connect(tx: Tx) -> str:
            provider = identities.find(tx, uid).provider
            said = {name: value for name, value in values.items() if value}
            return connecting.connect(tx, provider, uid, said).job.uid

        made: str = await self.instance.db.write(connect)
        return made

    async def bind_cloud_identity(self, who: Principal, uid: str, zones: Sequence[str]) -> None:
        await self.instance.db.write(binding.bind, uid, zones)

    async def refresh_cloud_identity(self, who: Principal, uid: str) -> str:
        made: str = await self.instance.db.write(lambda tx: connecting.refresh(tx, uid).job.uid)
        return made

    async def disconnect_cloud_identity(self, who: Principal, uid: str, confirmation: str) -> None:
        def disconnect(tx: Tx) -> None:
            found = identities.find(tx, uid)
            require_typed(confirmation, found.name)
            connecting.disconnect(tx, found.provider, uid)

        await self.instance.db.write(disconnect)

    async def infra_clusters(self, who: Principal, before: str, limit: int) -> ClusterList:
        found: ClusterList = await self.instance.db.read(_clusters, before, limit)
        return found


def _row(tx: Tx, one: CloudIdentity) -> IdentityRow:
    check = tx.get(InfraJob, one.check_job_id) if one.check_job_id is not None else None
    state, note = "pending", "Nothing is connected to it yet." if not one.credentials else ""
    if one.verified_at is not None:
        state = "verified"
    elif check is not None and check.completed_at is None:
        state, note = "testing", "A runner tries the connection."
    elif check is not None:
        state, note = "failed", check.error_message or "The test has not succeeded."
    return IdentityRow(
        uid=one.uid,
        provider=one.provider,
        name=one.name,
        label=credentials.label(one),
        state=("cloud-identity", state),
        verified=one.verified_at,
        looked=one.cached_at,
        check=f"{JOBS}/{check.uid}" if check is not None else "",
        note=note.strip().partition("\n")[0],
        connected=bool(one.credentials),
    )


def _view(tx: Tx, access: Access, one: CloudIdentity) -> IdentityView:
    facts = [Fact("Cloud", NAMES.get(one.provider, one.provider)), Fact("Identifier", one.uid, code=True)]
    facts += [
        Fact(label, str(one.credentials[name]), code=True) for name, label in SHOWN.items() if one.credentials.get(name)
    ]
    used = listing.of_identity(tx, one.id, MOST_FOUND)
    return IdentityView(
        row=_row(tx, one),
        facts=tuple(facts),
        trust=_trust(tx, one) if access.decide(tx.principal, MANAGE).allowed else (),
        found=tuple(_found(one.cached_resources)),
        used_by=tuple((spec.project_name, f"{SPECS}/{spec.uid}") for spec in used),
        zones=_zones(tx, one),
        bound=bool(one.zones),
    )


def _zones(tx: Tx, one: CloudIdentity) -> tuple[tuple[str, str, bool], ...]:
    """Those that it is bound to are among them however many there are: a form without them would take them away."""
    bound = {zone.uid: zone for zone in binding.zones(tx, one)}
    names = dict(zone_listing.search(tx, "", MOST)) | {
        uid: name for uid, name in zone_listing.names(tx, [zone.id for zone in bound.values()]).values() if uid
    }
    return tuple((uid, name, uid in bound) for uid, name in sorted(names.items(), key=lambda pair: pair[1].lower()))


def _trust(tx: Tx, one: CloudIdentity) -> tuple[Fact, ...]:
    """What its cloud has to be told, so that it trusts this installation."""
    if one.provider in FEDERATED:
        facts = [
            Fact("Issuer", issuing.issuer(tx) or "none: the server has no public address", code=True),
            Fact("Subject", issuing.subject(one), code=True),
        ]
        if one.provider == "azure":
            facts.append(Fact("Audience", issuing.AZURE_AUDIENCE, code=True))
        return tuple(facts)
    return (Fact("External id", credentials.opened(tx, one).get("external_id", ""), code=True),)


def _found(told: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Words and names of what a runner found."""
    found = []
    for name, value in told.items():
        if not isinstance(value, list) or not value:
            continue
        names = tuple(_named(one) for one in value[:MOST_FOUND])
        found.append((name.replace("_", " ").replace("dns", "DNS").capitalize(), names))
    return found


def _named(one: Any) -> str:
    if isinstance(one, Mapping):
        known = next((one[word] for word in ("name", "id", "arn", "username") if one.get(word)), None)
        return str(known) if known is not None else ", ".join(f"{key} {value}" for key, value in one.items())
    return str(one)


def _clusters(tx: Tx, before: str, limit: int) -> ClusterList:
    found, more = clusters.page(tx, limit, before or None)
    return ClusterList(tuple(_cluster(one) for one in found), found[-1].spec.uid if more else None)


def _cluster(one: clusters.Cluster) -> ClusterRow:
    spec, said, told = one.spec, one.declared, one.told
    least, most = said.get("node_min_size"), said.get("node_max_size")
    console = str(told.get("argocd_url") or "")
    return ClusterRow(
        name=str(told.get("cluster_name") or "not made yet"),
        version=str(told.get("cluster_version") or said.get("cluster_version") or ""),
        state=one.status.lower(),
        nodes=f"{least} to {most}" if least is not None and most is not None else "",
        spec=(spec.project_name, f"{SPECS}/{spec.uid}"),
        stage=spec.environment_stage,
        region=spec.region,
        cost=spec.estimated_monthly_cost,
        console=console if console.startswith(("https://", "http://")) else "",
    )
