"""What jobs are frozen with: the nested document with the keys of both generations, and a hash that plans keep."""

from __future__ import annotations

import json

import msgspec
from sqlalchemy import select

from infra.specs.test_outputs import as_ada
from quarterdeck.infra.specs import canonical, snapshots, specs, statuses
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.zones import zones

GIT = {"kind": "git", "url": "https://git.example.com/team/stack.git", "commit": "a" * 40}


async def test_a_snapshot_is_nested_and_read_by_both_generations(crew):
    def verb(tx):
        zone = zones.create(tx, "payments")
        spec = specs.create(tx, {
            "project_name": "ledger", "region": "eu-west-1", "zone_id": zone.uid, "module": GIT,
            "module_token": "ghp_veryprivate", "queues": [{"name": "q", "fifo": True}],
            "nosql_tables": [{"name": "t", "hash_key": "id", "range_key": "at"}],
        })  # fmt: skip
        return zone.uid, spec, snapshots.snapshot(tx, spec)

    zone, spec, taken = await as_ada(crew, verb)
    document = taken.document
    assert document["id"] == document["spec_id"] == document["configuration_id"] == spec.uid
    assert document["zone_id"] == document["vineyard_id"] == zone
    assert (document["provider"], document["status"], document["git_access_token"]) == ("aws", "DRAFT", "")
    assert document["user_id"]
    assert document["queues"][0]["fifo"] is document["queues"][0]["ordered"] is True
    (table,) = document["nosql_tables"]
    assert (table["hash_key"], table["partition_key"]) == ("id", "id")
    assert (table["range_key"], table["sort_key"]) == ("at", "at")
    assert table["billing_mode"] == table["capacity_mode"] == "on_demand"
    assert "ghp_veryprivate" not in json.dumps(document)
    msgspec.convert(document["module"], dict[str, str])
    assert taken.hash == spec.configuration_hash == canonical.hashed(spec.document)
    assert "ordered" not in spec.document["queues"][0], "the document itself stays as it was"


async def test_queueing_a_plan_does_not_change_the_hash(crew):
    """In the original it did, so that no apply ever matched its plan."""

    def verb(tx):
        spec = specs.create(tx, {"project_name": "ledger", "region": "eu-west-1"})
        before = snapshots.snapshot(tx, spec).hash
        statuses.apply(tx, spec, "plan-asked")
        spec.estimated_monthly_cost = 12.5
        return before, snapshots.snapshot(tx, spec).hash, spec.uid

    before, after, uid = await as_ada(crew, verb)
    assert before == after
    read = await crew.db.read(lambda tx: tx.first(select(Spec).where(Spec.uid == uid)))
    assert canonical.hashed(read.document) == after, "each database gives back what was hashed"
