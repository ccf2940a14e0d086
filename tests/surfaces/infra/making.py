"""Zones and specifications, made over the API."""

from __future__ import annotations

ZONES, SPECS = "/api/cli/zones", "/api/cli/configurations"


def ledger(**more):
    """The document of the contract's example."""
    return {
        "project_name": "ledger", "environment_stage": "staging", "region": "eu-west-1", "terraform_version": "1.11.4",
        "network": {
            "provision_network": True, "cidr_block": "10.20.0.0/16", "network_id": None, "single_nat_gateway": True,
        },
        "cluster": {
            "cluster_version": "1.32", "instance_types": ["t3.large"], "node_min_size": 2, "node_max_size": 6,
            "node_desired_size": 3, "cluster_admins": [{"username": "ops", "groups": ["system:masters"]}],
            "provider_config": {"enable_karpenter": True},
        },
        "dns": {"enabled": True, "zone_id": "Z123", "domain_name": "ledger.example.net", "provider_config": {}},
        "repositories": {"apps_destination_repo": "https://git.example.net/acme/ledger-apps"},
        "databases": [
            {
                "name": "main", "engine": "postgres", "engine_version": "16", "min_capacity": 0.5, "max_capacity": 4,
                "port": 5432, "backup_retention_days": 7, "iam_auth": False,
            },
        ],
        "caches": [], "queues": [], "topics": [], "nosql_tables": [], "secrets": [], "container_registries": [],
        "storage_buckets": [],
        **more,
    }  # fmt: skip


async def zone(crew, name="payments", **options):
    return (await crew.ok("POST", ZONES, {"name": name}, **options))["zone"]


async def spec(crew, *, token="", **more):
    return (await crew.ok("POST", SPECS, ledger(**more), status=201, token=token))["configuration"]
