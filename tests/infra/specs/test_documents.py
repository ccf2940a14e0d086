"""Every section and field of a document: what is taken, what is refused, and that all that is wrong is told at once."""

from __future__ import annotations

import json

import pytest

from quarterdeck.infra.specs import document
from quarterdeck.infra.specs.document import Known, SpecInvalid, declared

UID = "01890a5d-ac96-774b-bcce-b302099a8057"
BASE = {"project_name": "ledger", "region": "eu-west-1"}
GIT = {"kind": "git", "url": "https://git.example.com/team/stack.git", "commit": "a" * 40}


def read(raw=None, known=None, **more):
    return declared({**BASE, **(raw or {}), **more}, known).document


def wrong(raw=None, known=None, **more):
    """The fields that are named."""
    with pytest.raises(SpecInvalid) as caught:
        declared({**BASE, **(raw or {}), **more}, known)
    assert caught.value.code == "spec_invalid"
    assert caught.value.hint
    return [one["field"] for one in caught.value.details["fields"]]


def test_defaults_are_those_of_the_contract():
    found = read()
    assert found["terraform_version"] == "1.11.4"
    assert found["environment_stage"] == "development"
    assert found["provider"] == "aws"
    assert found["module"] == {"kind": "bundled", "name": "aws", "url": "", "commit": "", "path": ""}
    assert found["network"] == {
        "provision_network": True, "cidr_block": "10.0.0.0/16", "network_id": None, "single_nat_gateway": True,
        "allowed_cidr_blocks": [], "provider_config": {},
    }  # fmt: skip
    cluster = found["cluster"]
    assert (cluster["node_min_size"], cluster["node_max_size"], cluster["node_desired_size"]) == (2, 5, 2)
    assert found["dns"]["enabled"] is False
    (base,) = read(databases=[{"name": "main"}])["databases"]
    assert (base["min_capacity"], base["max_capacity"], base["port"], base["backup_retention_days"]) == (
        0.5,
        4,
        5432,
        7,
    )
    (queue,) = read(queues=[{"name": "q"}])["queues"]
    assert (queue["visibility_timeout"], queue["message_retention"], queue["delay_seconds"]) == (30, 345_600, 0)
    (secret,) = read(secrets=[{"name": "s"}])["secrets"]
    assert (secret["generate"], secret["length"], secret["special_chars"]) == (True, 32, True)
    (cache,) = read(caches=[{"name": "c"}])["caches"]
    assert (cache["engine"], cache["num_cache_nodes"]) == ("redis", 1)
    (table,) = read(nosql_tables=[{"name": "t", "hash_key": "id"}])["nosql_tables"]
    assert (table["table_type"], table["hash_key_type"], table["billing_mode"]) == ("standard", "S", "on_demand")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"project_name": None}, "project_name"),
        ({"project_name": ""}, "project_name"),
        ({"project_name": "a b"}, "project_name"),
        ({"project_name": "a/b"}, "project_name"),
        ({"project_name": "-a"}, "project_name"),
        ({"project_name": "x" * 64}, "project_name"),
        ({"project_name": "validate"}, "project_name"),
        ({"project_name": "by-project-name"}, "project_name"),
        ({"project_name": UID}, "project_name"),
        ({"project_name": 7}, "project_name"),
        ({"project_name": "a\u202eb"}, "project_name"),
        ({"environment_stage": "prod"}, "environment_stage"),
        ({"region": None}, "region"),
        ({"region": "EU WEST"}, "region"),
        ({"region": "europe-west1"}, "region"),
        ({"region": "westeurope"}, "region"),
        ({"provider": "gcp"}, "region"),
        ({"provider": "azure"}, "region"),
        ({"provider": "hetzner"}, "provider"),
        ({"terraform_version": "latest"}, "terraform_version"),
        ({"terraform_version": "1.11"}, "terraform_version"),
        ({"cloud_identity_id": "nobody"}, "cloud_identity_id"),
        ({"zone_id": "payments"}, "zone_id"),
        ({"drift_minutes": 4}, "drift_minutes"),
        ({"drift_minutes": 10_081}, "drift_minutes"),
        ({"drift_minutes": True}, "drift_minutes"),
        ({"network": "10.0.0.0/16"}, "network"),
        ({"network": {"cidr_block": "10.0.0.1/16"}}, "network.cidr_block"),
        ({"network": {"cidr_block": "10.0.0.0"}}, "network.cidr_block"),
        ({"network": {"cidr_block": "10.0.0.0/30"}}, "network.cidr_block"),
        ({"network": {"cidr_block": "fd00::/64"}}, "network.cidr_block"),
        ({"network": {"provision_network": False}}, "network.network_id"),
        ({"network": {"provision_network": "yes"}}, "network.provision_network"),
        ({"network": {"allowed_cidr_blocks": ["0.0.0.0/0", "10.0.0.0/99"]}}, "network.allowed_cidr_blocks[1]"),
        ({"network": {"allowed_cidr_blocks": ["10.0.0.0/8", "10.0.0.0/8"]}}, "network.allowed_cidr_blocks"),
        ({"network": {"nat": True}}, "network.nat"),
        ({"cluster": {"cluster_version": "v1"}}, "cluster.cluster_version"),
        ({"cluster": {"node_min_size": 6, "node_max_size": 3}}, "cluster.node_min_size"),
        ({"cluster": {"node_min_size": 2, "node_max_size": 3, "node_desired_size": 4}}, "cluster.node_desired_size"),
        ({"cluster": {"node_min_size": 2, "node_desired_size": 1}}, "cluster.node_desired_size"),
        ({"cluster": {"node_min_size": -1}}, "cluster.node_min_size"),
        ({"cluster": {"node_max_size": 2.5}}, "cluster.node_max_size"),
        ({"cluster": {"node_max_size": 1001}}, "cluster.node_max_size"),
        ({"cluster": {"instance_types": "t3.large"}}, "cluster.instance_types"),
        ({"cluster": {"instance_types": ["t3 large"]}}, "cluster.instance_types[0]"),
        ({"cluster": {"cluster_admins": [{"groups": []}]}}, "cluster.cluster_admins[0].username"),
        ({"cluster": {"cluster_admins": [{"username": "a"}, {"username": "A"}]}}, "cluster.cluster_admins[1].username"),
        ({"cluster": {"provider_config": {"enable_karpenter": "yes"}}}, "cluster.provider_config.enable_karpenter"),
        ({"cluster": {"provider_config": {"db_password": "hunter2"}}}, "cluster.provider_config.db_password"),
        ({"cluster": {"provider_config": {"a": 1e300}}}, "cluster.provider_config.a"),
        ({"cluster": {"provider_config": {"a b": 1}}}, "cluster.provider_config.a b"),
        ({"dns": {"enabled": True}}, "dns.domain_name"),
        ({"dns": {"domain_name": "localhost"}}, "dns.domain_name"),
        ({"dns": {"domain_name": "-a.example.com"}}, "dns.domain_name"),
        ({"repositories": {"apps_destination_repo": "/etc/passwd"}}, "repositories.apps_destination_repo"),
        ({"repositories": {"apps_destination_repo": "file:///etc"}}, "repositories.apps_destination_repo"),
        ({"repositories": {"env_git_repo": "ext::sh -c id"}}, "repositories.env_git_repo"),
        ({"repositories": {"env_git_repo": "https://bob:s3cret@git.example.com/x"}}, "repositories.env_git_repo"),
        ({"repositories": {"env_template_repo_branch": "--upload-pack=x"}}, "repositories.env_template_repo_branch"),
        ({"databases": {"name": "a"}}, "databases"),
        ({"databases": [{"name": "a", "engine": "oracle"}]}, "databases[0].engine"),
        ({"databases": [{"engine": "postgres"}]}, "databases[0].name"),
        ({"databases": [{"name": "a", "min_capacity": 8}]}, "databases[0].min_capacity"),
        ({"databases": [{"name": "a", "port": 0}]}, "databases[0].port"),
        ({"databases": [{"name": "a", "port": "5432"}]}, "databases[0].port"),
        ({"databases": [{"name": "a", "backup_retention_days": 36}]}, "databases[0].backup_retention_days"),
        ({"databases": [{"name": "a", "engine_version": "latest"}]}, "databases[0].engine_version"),
        ({"databases": [{"name": "a"}, {"name": "A"}]}, "databases[1].name"),
        ({"databases": [{"name": "a"}] * 101}, "databases"),
        ({"databases": [7]}, "databases[0]"),
        ({"caches": [{"name": "a", "engine": "memcached"}]}, "caches[0].engine"),
        ({"caches": [{"name": "a", "num_cache_nodes": 0}]}, "caches[0].num_cache_nodes"),
        ({"queues": [{"name": "a", "visibility_timeout": 43_201}]}, "queues[0].visibility_timeout"),
        ({"queues": [{"name": "a", "message_retention": 59}]}, "queues[0].message_retention"),
        ({"queues": [{"name": "a", "delay_seconds": 901}]}, "queues[0].delay_seconds"),
        (
            {"topics": [{"name": "a", "subscriptions": [{"protocol": "fax", "endpoint": "1"}]}]},
            "topics[0].subscriptions[0].protocol",
        ),
        ({"topics": [{"name": "a", "subscriptions": [{"protocol": "sqs"}]}]}, "topics[0].subscriptions[0].endpoint"),
        ({"nosql_tables": [{"name": "a"}]}, "nosql_tables[0].hash_key"),
        ({"nosql_tables": [{"name": "a", "hash_key": "i", "hash_key_type": "X"}]}, "nosql_tables[0].hash_key_type"),
        ({"nosql_tables": [{"name": "a", "hash_key": "i", "range_key": "i"}]}, "nosql_tables[0].range_key"),
        (
            {"nosql_tables": [{"name": "a", "hash_key": "i", "global_replicas": ["eu-west-1"]}]},
            "nosql_tables[0].global_replicas",
        ),
        ({"nosql_tables": [{"name": "a", "hash_key": "i", "billing_mode": "cheap"}]}, "nosql_tables[0].billing_mode"),
        ({"secrets": [{"name": "a", "length": 7}]}, "secrets[0].length"),
        ({"secrets": [{"name": "a", "value": "hunter2"}]}, "secrets[0].value"),
        ({"container_registries": [{"name": "a b"}]}, "container_registries[0].name"),
        ({"storage_buckets": [{"name": "Upper"}]}, "storage_buckets[0].name"),
        ({"storage_buckets": [{"name": "ok", "cors_origins": ["example.com"]}]}, "storage_buckets[0].cors_origins[0]"),
        ({"module": {"kind": "zip"}}, "module.kind"),
        ({"module": {"kind": "git"}}, "module.url"),
        ({"module": {**GIT, "commit": "main"}}, "module.commit"),
        ({"module": {**GIT, "commit": "a" * 39}}, "module.commit"),
        ({"module": {**GIT, "path": "../other"}}, "module.path"),
        ({"module": {**GIT, "path": "a/../../b"}}, "module.path"),
        ({"module": {**GIT, "path": "/abs"}}, "module.path"),
        ({"module": {**GIT, "url": "https://x:y@git.example.com/a"}}, "module.url"),
        ({"module": {**GIT, "url": "https://git.example.com/a?token=abc"}}, "module.url"),
        ({"module": {**GIT, "token": "ghp_x"}}, "module.token"),
        ({"module": GIT, "variables": {"db_password": ["x"]}}, "variables.db_password"),
        ({"module": GIT, "variables": {"db_password": {"value": "x"}}}, "variables.db_password"),
        ({"module": GIT, "variables": {"db_password": 271828}}, "variables.db_password"),
        ({"module": GIT, "variables": {"a": {"api_key": [{"b": [0.5]}]}}}, "variables.a.api_key"),
        ({"module": {"name": "gcp"}, "provider": "aws"}, "module.name"),
        ({"module": {"kind": "bundled", "url": "https://git.example.com/a"}}, "module.url"),
        ({"variables": {"size": 3}}, "variables"),
        ({"module": GIT, "variables": {"a": [1] * 3000}}, "variables"),
        (
            {"module": GIT, "variables": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}}},
            "variables.a.b.c.d.e.f.g.h",
        ),
        ({"module": GIT, "variables": {"a": "x" * 20_001}}, "variables.a"),
        ({"module": GIT, "variables": {"a": {"x" * 201: 1}}}, "variables.a." + "x" * 99 + "…"),
        ({"module": GIT, "variables": {f"v{at}": 1 for at in range(201)}}, "variables"),
        ({"module": GIT, "variables": {"1st": 3}}, "variables.1st"),
        ({"module": GIT, "variables": {"admin_password": "hunter2"}}, "variables.admin_password"),
        ({"module": GIT, "variables": {"deep": {"api_token": "hunter2"}}}, "variables.deep.api_token"),
        ({"module": GIT, "variables": ["a"]}, "variables"),
        ({"module_token": "a\nb"}, "module_token"),
        ({"comment": "x" * 501}, "comment"),
        ({"clutser": {}}, "clutser"),
        ({"Region": "eu-west-1"}, "Region"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_and_named(raw, field):
    assert field in wrong(raw)


def test_everything_that_is_wrong_is_told_at_once():
    found = wrong(
        project_name="a/b",
        region="Nowhere!",
        network={"cidr_block": "x", "provision_network": False},
        cluster={"node_min_size": 9, "node_max_size": 2},
        databases=[{"name": "a", "port": 0, "engine": "oracle"}, {"name": "a"}],
        hello=1,
    )
    assert sorted(found) == sorted([
        "project_name", "region", "network.cidr_block", "network.network_id", "cluster.node_min_size",
        "databases[0].port", "databases[0].engine", "hello",
    ])  # fmt: skip


def test_what_says_nothing_under_the_name_of_a_secret_is_taken():
    given = {"a_secret": True, "b_secret": "", "c_secret": None, "d_secret": [], "e_secret": {"f": False, "g": ""}}
    assert read(module=GIT, variables=given)["variables"] == given


def test_a_secret_that_is_refused_is_not_repeated():
    with pytest.raises(SpecInvalid) as caught:
        declared({**BASE, "module": GIT, "variables": {"password": "hunter2"}, "module_token": "hunter2\n"})
    assert "hunter2" not in str(caught.value) + json.dumps(caught.value.details)
    with pytest.raises(SpecInvalid) as caught:
        declared({**BASE, "module": {**GIT, "url": "https://bob:hunter2@git.example.com/a"}})
    assert "hunter2" not in str(caught.value) + json.dumps(caught.value.details)


def test_a_name_that_is_nearly_right_is_asked_for():
    with pytest.raises(SpecInvalid, match="Is cidr_block meant"):
        declared({**BASE, "network": {"cidr_blok": "10.0.0.0/16"}})


def test_no_more_than_a_hundred_fields_are_told_however_many_are_wrong():
    assert len(wrong({f"unknown{at}": 1 for at in range(5000)})) == 100


@pytest.mark.parametrize("where", ["network", "variables", "cluster_admins", "databases", "unknown"])
def test_what_is_nested_without_end_is_refused(where):
    deep: object = 1
    for _ in range(400):
        deep = {"a": [deep]}
    assert wrong({where: deep, "cluster": {"cluster_admins": deep}}) == ["document"]
    text = "[" * 5000 + "]" * 5000
    assert "cluster.cluster_admins" in wrong(cluster_admins=text)


def test_who_provides_is_what_is_said_or_what_tells():
    europe = {"region": "europe-west1"}
    assert read(europe, provider="gcp")["provider"] == "gcp"
    assert read(europe, cloud_provider="gcp")["provider"] == "gcp"
    assert read(europe, Known("gcp"))["provider"] == "gcp"
    assert read(europe, module={"name": "gcp"})["provider"] == "gcp"
    assert read(europe, Known(before={"provider": "gcp"}))["provider"] == "gcp"
    assert wrong(europe, Known("gcp"), provider="aws") == ["provider", "region"]
    assert declared({"project_name": "a", "provider": "local"}).document["region"] == "local"
    assert read(cloud_provider="")["provider"] == "aws"


def test_a_database_has_the_port_of_its_engine_and_one_name_for_it():
    said = [{"name": "a", "engine": "aurora-mysql"}, {"name": "b", "engine": "postgresql"}, {"name": "c", "port": 1}]
    found = read(databases=said)["databases"]
    assert [(one["engine"], one["port"]) for one in found] == [("mysql", 3306), ("postgres", 5432), ("postgres", 1)]
    assert "databases[0].engine" in wrong(databases=[{"name": "a", "engine": "mariadb"}])


def test_null_and_an_empty_text_are_nothing_said():
    nothing = dict.fromkeys(["environment_stage", "network", "databases", "module", "variables", "terraform_version"])
    assert read(nothing) == read()
    assert read(cloud_identity_id="", zone_id="", environment_stage="") == read()


def test_counts_of_nodes_follow_what_is_given():
    def nodes(**said):
        cluster = read(cluster=said)["cluster"]
        return cluster["node_min_size"], cluster["node_desired_size"], cluster["node_max_size"]

    assert nodes(node_min_size=6) == (6, 6, 6)
    assert nodes(node_max_size=1) == (1, 1, 1)
    assert nodes(node_desired_size=8) == (2, 8, 8)
    assert nodes(node_min_size=0, node_max_size=9) == (0, 2, 9)


def test_a_module_of_a_repository_is_a_whole_commit_and_a_path_below_it():
    found = read(module={**GIT, "commit": "A" * 40, "path": "stacks//ledger/"}, variables={"size": 3.0, "on": None})
    assert found["module"] == {**GIT, "path": "stacks/ledger", "name": ""}
    assert found["variables"] == {"size": 3, "on": None}
    ssh = read(module={**GIT, "url": "git@git.example.com:team/stack.git"})
    assert ssh["module"]["url"].startswith("git@")


def test_a_token_is_beside_the_document_and_never_in_it():
    said = declared({**BASE, "module": GIT, "module_token": "ghp_abc"})
    assert said.module_token.reveal() == "ghp_abc"
    assert "ghp_abc" not in json.dumps(said.document) + repr(said)


def test_fields_of_the_second_generation_are_the_same_fields():
    one = read(
        queues=[{"name": "q", "fifo": True}],
        nosql_tables=[{"name": "t", "hash_key": "i", "range_key": "j", "billing_mode": "PAY_PER_REQUEST"}],
    )
    two = read(
        queues=[{"name": "q", "ordered": True}],
        nosql_tables=[{"name": "t", "partition_key": "i", "sort_key": "j", "capacity_mode": "on_demand"}],
    )
    assert one == two
    assert wrong(queues=[{"name": "q", "fifo": True, "ordered": False}]) == ["queues[0].ordered"]


FLAT = {
    "aws_region": "eu-west-1", "create_vpc": False, "selected_vpc_id": "vpc-1", "vpc_cidr": "10.9.0.0/16",
    "enable_karpenter": True, "enable_dns": True, "dns_main_domain": "a.example.com", "dns_hosted_zone": "Z1",
    "acm_certificate_enable": True, "waf_enabled": True, "cloudfront_waf_enabled": True,
    "application_waf_enabled": False, "env_git_repo": "https://git.example.com/env",
    "gitops_template_repo": "https://git.example.com/t", "gitops_template_repo_branch": "main",
    "applications_destination_repo": "https://git.example.com/apps", "create_rds": True, "db_min_capacity": 1,
    "db_max_capacity": 8, "enable_redis": True, "vpc_status": "ACTIVE", "eks_status": "ACTIVE",
}  # fmt: skip


def test_the_flat_keys_of_the_first_generation_find_their_places():
    found = declared({"project_name": "ledger", **FLAT}).document
    assert (
        found["network"] | {"provision_network": False, "network_id": "vpc-1", "cidr_block": "10.9.0.0/16"}
        == found["network"]
    )
    assert found["cluster"]["provider_config"] == {"enable_karpenter": True}
    assert found["dns"] == {
        "enabled": True, "zone_id": "Z1", "domain_name": "a.example.com", "managed_certificate": True,
        "waf_enabled": True, "provider_config": {"cloudfront_waf_enabled": True},
    }  # fmt: skip
    assert found["repositories"]["apps_destination_repo"] == "https://git.example.com/apps"
    assert [(one["name"], one["min_capacity"], one["max_capacity"]) for one in found["databases"]] == [("main", 1, 8)]
    assert [one["name"] for one in found["caches"]] == ["main"]


def test_the_flat_keys_of_the_second_generation_find_their_places():
    found = read(
        provision_network=False, network_id="vpc-2", cluster_provider_config={"enable_autopilot": True},
        cluster_admins='[{"username": "ops"}]', dns_enabled=True, dns_domain_name="b.example.com", has_cache=True,
        has_database=True, databases=[{"name": "own"}],
    )  # fmt: skip
    assert found["network"]["network_id"] == "vpc-2"
    assert found["cluster"]["provider_config"] == {"enable_autopilot": True}
    assert found["cluster"]["cluster_admins"] == [{"username": "ops", "groups": ["system:masters"]}]
    assert found["dns"]["domain_name"] == "b.example.com"
    assert [one["name"] for one in found["databases"]] == ["own"]
    assert [one["name"] for one in found["caches"]] == ["main"]


def test_both_forms_may_not_say_different_things():
    assert wrong(network={"cidr_block": "10.1.0.0/16"}, vpc_cidr="10.2.0.0/16") == ["vpc_cidr"]
    assert read(network={"cidr_block": "10.1.0.0/16"}, vpc_cidr="10.1.0.0/16", cidr_block="10.1.0.0/16")


def test_what_was_given_is_left_as_it_was():
    raw = {
        **BASE,
        "cluster": {"provider_config": {}},
        "enable_karpenter": True,
        "network": {},
        "vpc_cidr": "10.9.0.0/16",
    }
    before = json.dumps(raw)
    declared(raw)
    assert json.dumps(raw) == before


def test_the_schema_of_the_documentation_takes_what_is_taken():
    from jsonschema import Draft202012Validator

    checker = Draft202012Validator(document.SCHEMA)
    Draft202012Validator.check_schema(document.SCHEMA)
    checker.validate({**BASE, "module": GIT, "databases": [{"name": "a"}], "dns": {"domain_name": None}})
    checker.validate(read(module=GIT, databases=[{"name": "a"}], nosql_tables=[{"name": "t", "hash_key": "i"}]))
    assert not checker.is_valid({**BASE, "network": {"provision_network": "yes"}})
