"""The sections of a specification that there is one of: network, cluster, dns, repositories (contract: infra §4.2)."""

from __future__ import annotations

from typing import Any

from quarterdeck.fleet.git import locators
from quarterdeck.infra.specs.components import CIDRS, SIZE, TOLD
from quarterdeck.infra.specs.fields import (
    MISSING,
    Field,
    Report,
    Rule,
    Shape,
    Together,
    each,
    flag,
    inside,
    integer,
    network,
    of,
    text,
    texts,
    words,
)
from quarterdeck.infra.specs.free import free
from quarterdeck.kernel.errors import Invalid

HOST = text(
    r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+",
    "a domain name such as app.example.com",
    253,
)
RESOURCE_ID = text(r"[A-Za-z0-9/][A-Za-z0-9._:/@-]*", "an id as the provider writes it", 500)
BRANCH = text(r"(?![-/.])[A-Za-z0-9._/-]+(?<![/.])", "the name of a branch", 250)
CONFIG = Field(free(r"[A-Za-z_][A-Za-z0-9_.-]*", "of letters, digits and _ . -"), dict)
SWITCHES = ("enable_karpenter", "enable_autopilot", "enable_cluster_autoscaler")
NODES = 1000


def repository(value: Any, path: str, report: Report) -> Any:
    """An address that git is given; one that carries a password is refused, since whoever sees the spec
    would read it.
    """
    try:
        address = locators.parse(value) if isinstance(value, str) and len(value) <= 1000 else None
    except Invalid:
        address = None
    if address is None or address.protocol == "file":
        report.add(path, "it is the address of a repository, such as https://git.example.com/team/apps.git.")
        return MISSING
    if address.password or (address.username and address.protocol != "ssh") or "?" in address.url:
        report.add(path, "it carries a credential, which whoever sees the specification would read: leave it out.")
        return MISSING
    return value


REPOSITORY = Rule(repository, {"type": "string", "maxLength": 1000})


def _network(found: dict[str, Any], path: str, report: Report) -> None:
    if not found["provision_network"] and not found["network_id"]:
        report.add(inside(path, "network_id"), "it is needed where provision_network is false.")


NETWORK = Shape(
    {
        "provision_network": Field(flag, True),
        "cidr_block": Field(network(8, 28), "10.0.0.0/16"),
        "network_id": Field(RESOURCE_ID, None),
        "single_nat_gateway": Field(flag, True),
        "allowed_cidr_blocks": CIDRS,
        "provider_config": CONFIG,
    },
    told=TOLD,
    together=(Together(("provision_network", "network_id"), _network),),
)


def _nodes(found: dict[str, Any], path: str, report: Report) -> None:
    least, most, wanted = (found[f"node_{word}_size"] for word in ("min", "max", "desired"))
    if least is None:
        least = min([2, *(one for one in (most, wanted) if one is not None)])
    if most is None:
        most = max(5, least, wanted or 0)
    if wanted is None:
        wanted = min(max(2, least), most)
    found |= {"node_min_size": least, "node_max_size": most, "node_desired_size": wanted}
    if least > most:
        report.add(inside(path, "node_min_size"), f"it is more than node_max_size, {most}.")
    elif not least <= wanted <= most:
        report.add(inside(path, "node_desired_size"), f"it is from node_min_size to node_max_size, {least} to {most}.")


def _switches(found: dict[str, Any], path: str, report: Report) -> None:
    for word in SWITCHES:
        if not isinstance(found["provider_config"].get(word, False), bool):
            report.add(inside(path, f"provider_config.{word}"), "it is true or false.")


ADMIN = Shape({"username": Field(words(200)), "groups": Field(texts(words(200)), lambda: ["system:masters"])})
CLUSTER = Shape(
    {
        "cluster_version": Field(text(r"[0-9]+\.[0-9]+", "a version such as 1.32", 20), "1.32"),
        "instance_types": Field(texts(SIZE), list),
        "node_min_size": Field(integer(0, NODES), None),
        "node_max_size": Field(integer(1, NODES), None),
        "node_desired_size": Field(integer(0, NODES), None),
        "cluster_admins": Field(each(ADMIN, key="username"), list),
        "provider_config": CONFIG,
    },
    aliases={"cluster_provider_config": "provider_config"},
    told=TOLD | {"cluster_name", "cluster_endpoint", "argocd_url", "argocd_admin_password"},
    together=(
        Together(("node_min_size", "node_max_size", "node_desired_size"), _nodes),
        Together(("provider_config",), _switches),
    ),
)


def _dns(found: dict[str, Any], path: str, report: Report) -> None:
    if found["enabled"] and not found["domain_name"]:
        report.add(inside(path, "domain_name"), "it is needed where dns is enabled.")


DNS = Shape(
    {
        "enabled": Field(flag, False),
        "zone_id": Field(RESOURCE_ID, None),
        "domain_name": Field(HOST, None),
        "managed_certificate": Field(flag, False),
        "waf_enabled": Field(flag, False),
        "provider_config": CONFIG,
    },
    told=TOLD,
    together=(Together(("enabled", "domain_name"), _dns),),
)

REPOSITORIES = Shape(
    {
        "apps_destination_repo": Field(REPOSITORY, None),
        "env_template_repo": Field(REPOSITORY, None),
        "env_template_repo_branch": Field(BRANCH, None),
        "env_git_repo": Field(REPOSITORY, None),
        "gitops_template_repo": Field(REPOSITORY, None),
        "gitops_template_repo_branch": Field(BRANCH, None),
        "gitops_destination_repo": Field(REPOSITORY, None),
        "applications_template_repo": Field(REPOSITORY, None),
        "applications_template_repo_branch": Field(BRANCH, None),
    },
    aliases={"applications_destination_repo": "apps_destination_repo"},
    told=TOLD,
)

SECTIONS = {"network": of(NETWORK), "cluster": of(CLUSTER), "dns": of(DNS), "repositories": of(REPOSITORIES)}
