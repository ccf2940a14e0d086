"""The flat keys of both generations of clients, in the places of the nested document (contract: infra §1.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quarterdeck.infra.specs.fields import Report

PLACES: dict[str, tuple[str, ...]] = {
    "vineyard_id": ("zone_id",),
    "aws_region": ("region",),
    "cloud_provider": ("provider",),
    "provision_network": ("network", "provision_network"),
    "cidr_block": ("network", "cidr_block"),
    "network_id": ("network", "network_id"),
    "single_nat_gateway": ("network", "single_nat_gateway"),
    "create_vpc": ("network", "provision_network"),
    "vpc_cidr": ("network", "cidr_block"),
    "selected_vpc_id": ("network", "network_id"),
    "cluster_version": ("cluster", "cluster_version"),
    "cluster_provider_config": ("cluster", "provider_config"),
    "cluster_admins": ("cluster", "cluster_admins"),
    "cluster_admin_list": ("cluster", "cluster_admins"),
    "instance_types": ("cluster", "instance_types"),
    "node_min_size": ("cluster", "node_min_size"),
    "node_max_size": ("cluster", "node_max_size"),
    "node_desired_size": ("cluster", "node_desired_size"),
    "enable_karpenter": ("cluster", "provider_config", "enable_karpenter"),
    "dns_enabled": ("dns", "enabled"),
    "dns_domain_name": ("dns", "domain_name"),
    "dns_zone_id": ("dns", "zone_id"),
    "dns_managed_certificate": ("dns", "managed_certificate"),
    "dns_waf_enabled": ("dns", "waf_enabled"),
    "dns_provider_config": ("dns", "provider_config"),
    "enable_dns": ("dns", "enabled"),
    "dns_main_domain": ("dns", "domain_name"),
    "dns_hosted_zone": ("dns", "zone_id"),
    "acm_certificate_enable": ("dns", "managed_certificate"),
    "waf_enabled": ("dns", "waf_enabled"),
    "cloudfront_waf_enabled": ("dns", "provider_config", "cloudfront_waf_enabled"),
    "application_waf_enabled": ("dns", "provider_config", "application_waf_enabled"),
    **{
        name: ("repositories", name.replace("applications_destination_repo", "apps_destination_repo"))
        for name in (
            "apps_destination_repo", "applications_destination_repo", "applications_template_repo",
            "applications_template_repo_branch", "env_template_repo", "env_template_repo_branch", "env_git_repo",
            "gitops_template_repo", "gitops_template_repo_branch", "gitops_destination_repo",
        )
    },
}  # fmt: skip
"""A provider's switch is off where it is not there, so that one which is false needs no place."""
AGGREGATES = {"databases": ("has_database", "create_rds"), "caches": ("has_cache", "enable_redis")}
DEEPEST = 24
CAPACITIES = {"db_min_capacity": "min_capacity", "db_max_capacity": "max_capacity"}
FLAT = frozenset({*PLACES, *CAPACITIES, *(name for names in AGGREGATES.values() for name in names)})


def nested(raw: Mapping[str, Any], report: Report) -> dict[str, Any] | None:
    """The document with its flat keys put where they belong; what both forms say differently is told. None for one that
    is nested deeper than a document can be, at which nothing else looks.
    """
    if too_deep(raw):
        report.add("document", f"it is nested more than {DEEPEST} deep.")
        return None
    found: dict[str, Any] = {name: _own(value) for name, value in raw.items() if name not in FLAT}
    for name, place in PLACES.items():
        value = _said(name, raw.get(name))
        if value is None or value == "" or (len(place) == 3 and value is False):
            continue
        _put(found, place, value, name, report)
    for section, names in AGGREGATES.items():
        if any(raw.get(name) is True for name in names) and not found.get(section):
            found[section] = [{"name": "main", **(_capacities(raw) if section == "databases" else {})}]
    return found


def too_deep(value: Any) -> bool:
    layer, depth = [value], 0
    while layer:
        if depth > DEEPEST:
            return True
        inner = (one.values() if isinstance(one, dict) else one for one in layer if isinstance(one, dict | list))
        layer, depth = [one for some in inner for one in some if isinstance(one, dict | list)], depth + 1
    return False


def _own(value: Any) -> Any:
    """A section that may be written to, down to the options of its provider."""
    if not isinstance(value, dict):
        return value
    return {name: dict(one) if isinstance(one, dict) else one for name, one in value.items()}


def _said(name: str, value: Any) -> Any:
    """Programs that want a text of administrators get them as JSON in one, and send it back."""
    if name == "cluster_admins" and isinstance(value, str) and value.startswith("["):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return value if too_deep(found) else found
    return dict(value) if isinstance(value, dict) else value


def _put(found: dict[str, Any], place: tuple[str, ...], value: Any, name: str, report: Report) -> None:
    where = found
    for step in place[:-1]:
        inner = where.get(step)
        if inner is None:
            inner = where[step] = {}
        if not isinstance(inner, dict):
            return  # what is wrong with the section is told when it is read
        where = inner
    known = where.get(place[-1])
    if known in (None, "") or known == value:
        where[place[-1]] = value
    else:
        report.add(name, f"it says another thing than {'.'.join(place)}.")


def _capacities(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {own: raw[name] for name, own in CAPACITIES.items() if raw.get(name) is not None}
