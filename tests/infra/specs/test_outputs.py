"""What an apply told is kept with its spec, bounded and without secrets."""

from __future__ import annotations

import json

from sqlalchemy import select

from quarterdeck.infra.specs import outputs, specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.specs.outputs import HIDDEN, redacted

RAW = {"project_name": "ledger", "region": "eu-west-1", "databases": [{"name": "main"}, {"name": "second"}],
       "dns": {"enabled": True, "domain_name": "a.example.com"}}  # fmt: skip


def test_what_is_sensitive_only_says_that_it_is_there():
    told = redacted({
        "endpoint": {"value": "db.internal", "type": "string", "sensitive": False},
        "key": {"value": "hunter2", "type": "string", "sensitive": True},
        "hidden": {"sensitive": True},
        "db_password": "hunter2",
        "argocd_admin_password": {"value": "hunter2", "sensitive": False},
        "users": {"value": [{"name": "ops", "token": "hunter2", "id": 1}], "sensitive": False},
        "nested": {"deep": {"api_key": "hunter2", "api_key_id": "k1"}},
        "plain": "yes",
    })  # fmt: skip
    assert "hunter2" not in json.dumps(told)
    assert told["endpoint"] == "db.internal"
    assert told["key"] == told["hidden"] == told["db_password"] == told["argocd_admin_password"] == HIDDEN
    assert told["users"] == [{"name": "ops", "token": HIDDEN, "id": 1}]
    assert told["nested"] == {"deep": {"api_key": HIDDEN, "api_key_id": "k1"}}


def test_there_is_never_more_of_them_than_a_row_can_carry():
    assert len(redacted({str(number): number for number in range(2000)})) == outputs.MOST
    large = redacted({str(number): "x" * 100_000 for number in range(9)})
    assert len(json.dumps(large)) <= outputs.LARGEST
    assert redacted({"a\x00": "b\x00\ud800"}) == {"a\ufffd": "b\ufffd?"}


async def test_known_outputs_find_their_components(crew):
    def verb(tx):
        spec = specs.create(tx, RAW)
        told = {"rds_cluster_endpoint": "db.internal", "eks_cluster_arn": "arn:aws:eks:x", "argocd_url": "https://argo"}
        cluster = {
            "cluster_name": "ledger\x1b[2J",
            "cluster_endpoint": "https://k8s",
            "argocd_admin_password": "hunter2",
        }
        outputs.keep(tx, spec, spec.document, told, cluster)
        return spec.uid

    uid = await as_ada(crew, verb)
    kept = await crew.db.read(lambda tx: tx.first(select(Spec).where(Spec.uid == uid)))
    assert kept.components["databases"] == {
        "main": {"status": "ACTIVE", "endpoint": "db.internal"}, "second": {"status": "ACTIVE"},
    }  # fmt: skip
    assert kept.components["cluster"] == {
        "status": "ACTIVE", "arn": "arn:aws:eks:x", "cluster_name": "ledger\ufffd[2J",
        "cluster_endpoint": "https://k8s", "argocd_url": "https://argo",
    }  # fmt: skip
    assert kept.components["network"] == kept.components["dns"] == {"status": "ACTIVE"}
    shown = (await crew.ok("GET", f"/api/cli/configurations/{uid}"))["configuration"]
    assert (shown["cluster_endpoint"], shown["cluster_status"]) == ("https://k8s", "ACTIVE")
    assert not any("hunter2" in one for one in crew.deck.heard)


async def as_ada(crew, verb):
    """A unit of the first administrator."""
    from quarterdeck.identity import setup, users
    from quarterdeck.identity.model import User

    def unit(tx):
        tx.act_as(users.principal(tx.get(User, 1), setup.default_organization(tx).id))
        return verb(tx)

    return await crew.db.write(unit)
