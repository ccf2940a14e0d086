"""A spec in the flat form of both generations of clients (contract: infra §1.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from quarterdeck.infra import people
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.specs.statuses import ACTIVE, DESTROYED, DESTROYING, FAILED, PROVISIONING
from quarterdeck.infra.zones import listing
from quarterdeck.kernel.db import Tx

COMPONENT = {
    ACTIVE: "ACTIVE",
    PROVISIONING: "CREATING",
    DESTROYING: "DESTROYING",
    DESTROYED: "DESTROYED",
    FAILED: "FAILED",
}
"""What a component is where nothing was told of it by itself."""
PLATFORMS = {"aws": "EKS", "gcp": "GKE", "azure": "AKS", "local": ""}
ACCOUNTS = ("account_id", "project_id", "subscription_id")


@dataclass(frozen=True, slots=True)
class Around:
    """A spec with what stands in other rows: uids of zone, owner and identity, and the account of the latter."""

    spec: Spec
    owner: str
    zone: str | None
    zone_name: str | None
    identity: str | None
    drift_identity: str | None
    identity_provider: str
    account: str | None


def around(tx: Tx, specs: Sequence[Spec]) -> list[Around]:
    owners = people.uids(tx, [spec.owner_id for spec in specs])
    zones = listing.names(tx, [spec.zone_id for spec in specs])
    named = {row for spec in specs for row in (spec.cloud_identity_id, spec.drift_cloud_identity_id)}
    wanted = named - {None}
    query = select(CloudIdentity).where(CloudIdentity.id.in_(wanted))
    identities = {one.id: one for one in tx.scalars(query)} if wanted else {}
    found = []
    for spec in specs:
        identity = identities.get(spec.cloud_identity_id or 0)
        account = (
            next((str(identity.credentials[one]) for one in ACCOUNTS if identity.credentials.get(one)), None)
            if (identity)
            else None
        )
        looks = identities.get(spec.drift_cloud_identity_id or 0)
        zone, name = zones.get(spec.zone_id or 0, (None, None))
        found.append(
            Around(
                spec,
                owners.get(spec.owner_id, ""),
                zone,
                name,
                identity.uid if identity else None,
                looks.uid if looks else None,
                identity.provider if identity else "",
                account,
            )
        )
    return found


def core(one: Around) -> dict[str, Any]:
    """What a list shows; `cloud_provider` is empty where no identity is named, `provider` never."""
    spec = one.spec
    return {
        "id": spec.uid,
        "project_name": spec.project_name,
        "zone_id": one.zone,
        "environment_stage": spec.environment_stage,
        "status": spec.status,
        "region": spec.region,
        "cloud_provider": one.identity_provider,
        "estimated_monthly_cost": spec.estimated_monthly_cost,
    }


def flat(one: Around, older: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The columns of the contract's view, by the names of both generations; times are left to whoever sends it.
    `older` is a document of before, in the place of the one there is.
    """
    spec, document = one.spec, older or one.spec.document
    network, cluster, dns = document["network"], document["cluster"], document["dns"]
    databases, told = document["databases"], spec.components.get("cluster", {})
    capacity = {
        "db_min_capacity": min((base["min_capacity"] for base in databases), default=None),
        "db_max_capacity": max((base["max_capacity"] for base in databases), default=None),
    }
    return {
        **core(one),
        **{name: document[name] for name in ("project_name", "environment_stage", "region")},
        "user_id": one.owner,
        "cloud_identity_id": one.identity,
        "drift_cloud_identity_id": one.drift_identity,
        "cloud_account_id": one.account,
        "provider": document["provider"],
        "zone_name": one.zone_name,
        "terraform_version": document["terraform_version"],
        "container_platform": PLATFORMS[document["provider"]],
        "provision_network": network["provision_network"],
        "cidr_block": network["cidr_block"],
        "network_id": network["network_id"],
        "single_nat_gateway": network["single_nat_gateway"],
        "network_status": component(spec, "network"),
        "cluster_version": cluster["cluster_version"],
        "cluster_provider_config": cluster["provider_config"],
        "cluster_admins": cluster["cluster_admins"],
        "cluster_admin_list": cluster["cluster_admins"],
        "instance_types": cluster["instance_types"],
        "node_min_size": cluster["node_min_size"],
        "node_max_size": cluster["node_max_size"],
        "node_desired_size": cluster["node_desired_size"],
        "cluster_name": told.get("cluster_name"),
        "cluster_endpoint": told.get("cluster_endpoint"),
        "cluster_status": component(spec, "cluster"),
        "dns_enabled": dns["enabled"],
        "dns_domain_name": dns["domain_name"],
        "dns_zone_id": dns["zone_id"],
        "dns_managed_certificate": dns["managed_certificate"],
        "dns_waf_enabled": dns["waf_enabled"],
        "dns_provider_config": dns["provider_config"],
        "dns_status": component(spec, "dns"),
        **document["repositories"],
        "has_database": bool(databases),
        **capacity,
        "has_cache": bool(document["caches"]),
        **_first(one, document),
    }


def _first(one: Around, document: Mapping[str, Any]) -> dict[str, Any]:
    """The same by the names of the first generation."""
    spec = one.spec
    network, cluster, dns = document["network"], document["cluster"], document["dns"]
    return {
        "vineyard_id": one.zone,
        "aws_region": document["region"],
        "aws_account_id": one.account if document["provider"] == "aws" else None,
        "create_vpc": network["provision_network"],
        "vpc_cidr": network["cidr_block"],
        "selected_vpc_id": network["network_id"],
        "vpc_status": component(spec, "network"),
        "enable_karpenter": bool(cluster["provider_config"].get("enable_karpenter", False)),
        "eks_status": component(spec, "cluster"),
        "enable_dns": dns["enabled"],
        "dns_main_domain": dns["domain_name"],
        "dns_hosted_zone": dns["zone_id"],
        "acm_certificate_enable": dns["managed_certificate"],
        "waf_enabled": dns["waf_enabled"],
        "cloudfront_waf_enabled": bool(dns["provider_config"].get("cloudfront_waf_enabled", False)),
        "application_waf_enabled": bool(dns["provider_config"].get("application_waf_enabled", False)),
        "applications_destination_repo": document["repositories"]["apps_destination_repo"],
        "create_rds": bool(document["databases"]),
        "enable_redis": bool(document["caches"]),
    }


def component(spec: Spec, name: str) -> str:
    told = spec.components.get(name, {}).get("status")
    return str(told or COMPONENT.get(spec.status, "PENDING"))
