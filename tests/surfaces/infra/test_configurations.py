"""Specifications over the API: made, read flat, changed, compared, cloned, exported, deleted."""

from __future__ import annotations

ZONES, SPECS = "/api/cli/zones", "/api/cli/configurations"


def ledger(**more):
    return {
        "project_name": "ledger", "environment_stage": "staging", "region": "eu-west-1", "terraform_version": "1.11.4",
        "network": {"provision_network": True, "cidr_block": "10.20.0.0/16", "network_id": None},
        "cluster": {
            "cluster_version": "1.32", "instance_types": ["t3.large"], "node_min_size": 2, "node_max_size": 6,
            "node_desired_size": 3, "cluster_admins": [{"username": "ops", "groups": ["system:masters"]}],
            "provider_config": {"enable_karpenter": True},
        },
        "dns": {"enabled": True, "zone_id": "Z123", "domain_name": "ledger.example.net", "provider_config": {}},
        "repositories": {"apps_destination_repo": "https://git.example.net/acme/ledger-apps"},
        "databases": [{"name": "main", "engine": "postgres", "min_capacity": 0.5, "max_capacity": 4}],
        **more,
    }  # fmt: skip


async def made(crew, **more):
    return (await crew.ok("POST", SPECS, ledger(**more), status=201))["configuration"]


async def test_a_zone_holds_a_spec_that_is_read_flat_by_its_project_name(crew):
    zone = (await crew.ok("POST", ZONES, {"name": "payments"}))["zone"]
    spec = await made(crew, zone_id=zone["id"])
    flat = (await crew.ok("GET", f"{SPECS}/by-project-name/ledger"))["configuration"]
    assert flat["cluster_admins"] is None
    assert flat["cluster_admin_list"] == [{"username": "ops", "groups": ["system:masters"]}]
    assert (flat["id"], flat["zone_id"], flat["vineyard_id"]) == (spec["id"], zone["id"], zone["id"])
    assert (flat["status"], flat["db_max_capacity"], flat["vpc_cidr"]) == ("DRAFT", 4, "10.20.0.0/16")
    listed = (await crew.ok("GET", ZONES))["zones"]
    assert [one["project_name"] for one in listed[0]["specs"]] == ["ledger"]
