"""Clusters over the API: what configurations declare, and what an apply has told."""

from __future__ import annotations

from sqlalchemy import update

from quarterdeck.infra.specs import outputs, specs
from quarterdeck.infra.specs.model import Spec

CLUSTERS = "/api/cli/clusters"
CLUSTER = {
    "cluster_version": "1.32", "instance_types": ["t3.large"], "node_min_size": 2, "node_max_size": 6,
    "node_desired_size": 3,
}  # fmt: skip


async def configured(crew, name, token="", **more):
    body = {
        "project_name": name, "environment_stage": "staging", "region": "eu-west-1", "terraform_version": "1.11.4",
        "provider": "aws", "cluster": CLUSTER, **more,
    }  # fmt: skip
    return (await crew.ok("POST", "/api/cli/configurations", body, status=201, token=token))["configuration"]["id"]


async def test_a_cluster_waits_until_an_apply_has_told_of_it(crew):
    uid = await configured(crew, "ledger")
    one = (await crew.ok("GET", CLUSTERS))["clusters"][0]
    assert (one["id"], one["status"], one["cluster_name"], one["node_max_size"]) == (uid, "PENDING", None, 6)
    assert (one["spec_project_name"], one["spec_environment"], one["spec_region"]) == ("ledger", "staging", "eu-west-1")
    assert (one["vine_project_name"], one["vine_environment"], one["vine_region"]) == ("ledger", "staging", "eu-west-1")

    def applied(tx):
        spec = specs.locked(tx, 1)
        outputs.keep(tx, spec, spec.document, {"argocd_url": "https://argo.example.net"}, {"cluster_name": "ledger-eu"})

    await crew.db.write(applied)
    one = (await crew.ok("GET", CLUSTERS))["clusters"][0]
    assert (one["status"], one["cluster_name"], one["cluster_version"]) == ("ACTIVE", "ledger-eu", "1.32")
    assert one["argocd_url"] == "https://argo.example.net"
    await crew.db.write(lambda tx: tx.execute(update(Spec).values(status="DESTROYING")))
    assert (await crew.ok("GET", CLUSTERS))["clusters"][0]["status"] == "DESTROYING"


async def test_clusters_are_listed_in_pages_without_what_has_none_and_without_those_of_others(crew):
    made = [await configured(crew, f"ledger-{number}") for number in range(3)]
    await configured(crew, "local", provider="local", cluster=None)
    _, stranger = await crew.person("eve", "organization:owner", organization="org_other")
    first = await crew.ok("GET", CLUSTERS, params={"limit": 2})
    assert [one["id"] for one in first["clusters"]] == [made[2], made[1]]
    rest = await crew.ok("GET", CLUSTERS, params={"limit": 2, "before": first["next"]})
    assert ([one["id"] for one in rest["clusters"]], rest["next"]) == ([made[0]], None)
    assert (await crew.ok("GET", CLUSTERS, token=stranger))["clusters"] == []
    assert (await crew.send("GET", f"{CLUSTERS}?before={made[0]}", token=stranger)).status_code == 404
    for wrong in ("limit=0", "limit=501", "limit=x"):
        assert (await crew.send("GET", f"{CLUSTERS}?{wrong}")).status_code == 400
