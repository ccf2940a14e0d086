"""The hash of a configuration is of what is declared, and of nothing else."""

from __future__ import annotations

import copy
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarterdeck.infra.specs import canonical, document

NAME = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)
PARTS = {
    "network": st.fixed_dictionaries(
        {}, optional={
            "cidr_block": st.sampled_from(["10.0.0.0/16", "10.20.0.0/16", "192.168.0.0/24"]),
            "single_nat_gateway": st.booleans(),
            "allowed_cidr_blocks": st.sampled_from([[], ["10.1.0.0/16"]]),
            "network_id": st.sampled_from([None, "vpc-1"]),
        },
    ),
    "cluster": st.fixed_dictionaries(
        {}, optional={
            "node_min_size": st.integers(0, 2),
            "node_max_size": st.integers(5, 9),
            "instance_types": st.sampled_from([[], ["t3.large"], ["m5.large", "t3.large"]]),
            "provider_config": st.sampled_from([{}, {"enable_karpenter": True}, {"a": 1.0, "b": [1, {"c": 0.5}]}]),
        },
    ),
    "databases": st.lists(NAME, unique=True, max_size=3).map(lambda names: [{"name": one} for one in names]),
    "queues": st.lists(NAME, unique=True, max_size=2).map(lambda names: [{"name": one, "fifo": True} for one in names]),
    "environment_stage": st.sampled_from(document.STAGES),
}  # fmt: skip
DOCUMENTS = st.fixed_dictionaries({"project_name": NAME.filter(lambda one: one[-1] != "-")}, optional=PARTS).map(
    lambda found: {"region": "eu-west-1", **found}
)


def hashed(raw):
    return canonical.hashed(document.declared(raw).document)


def drawn(seed):
    return random.Random(seed)  # noqa: S311 - to be repeated, not to be secret


def shuffled(value, draw):
    if isinstance(value, dict):
        items = list(value.items())
        draw.shuffle(items)
        return {name: shuffled(one, draw) for name, one in items}
    return [shuffled(one, draw) for one in value] if isinstance(value, list) else value


@settings(max_examples=150, deadline=None)
@given(raw=DOCUMENTS, seed=st.integers(0, 2**32))
def test_the_order_of_keys_and_spelt_out_defaults_change_nothing(raw, seed):
    known = hashed(raw)
    filled = document.declared(raw).document
    assert hashed(shuffled(raw, drawn(seed))) == known
    assert hashed(filled) == known
    assert hashed(shuffled(filled, drawn(seed))) == known
    assert hashed(json.loads(json.dumps(filled))) == known


@settings(max_examples=100, deadline=None)
@given(raw=DOCUMENTS)
def test_what_we_tell_of_a_spec_changes_nothing(raw):
    known = hashed(raw)
    told = copy.deepcopy(document.declared(raw).document)
    told |= {
        "id": "x", "status": "ACTIVE", "updated_at": "2026-06-01T08:00:00Z", "created_at": "2026-06-01T08:00:00Z",
        "estimated_monthly_cost": 12.5, "git_access_token": "ghs_x", "module_token": "ghp_x", "outputs": {"a": 1},
        "comment": "as it was", "drift_minutes": 30,
    }  # fmt: skip
    told["cluster"] |= {"status": "ACTIVE", "cluster_endpoint": "https://k8s", "argocd_admin_password": "x"}
    for one in told["databases"]:
        one |= {"status": "CREATING", "status_message": "…", "estimated_monthly_cost": 3, "endpoint": "db.internal"}
    assert hashed(told) == known


@settings(max_examples=60, deadline=None)
@given(raw=DOCUMENTS, where=st.sampled_from(["region", "cidr", "database", "identity", "nodes", "stage"]))
def test_what_is_declared_changes_it(raw, where):
    other = copy.deepcopy(document.declared(raw).document)
    if where == "region":
        other["region"] = "us-east-1"
    elif where == "cidr":
        other["network"]["cidr_block"] = "172.16.0.0/12"
    elif where == "database":
        other["databases"].append({"name": "one-more"})
    elif where == "identity":
        other["cloud_identity_id"] = "01890a5d-ac96-774b-bcce-b302099a8057"
    elif where == "nodes":
        other["cluster"]["node_max_size"] += 1
    else:
        other["environment_stage"] = next(one for one in document.STAGES if one != other["environment_stage"])
    assert hashed(other) != hashed(raw)


@pytest.mark.parametrize(("said", "same"), [(4, 4.0), (0.5, 0.50), (1e2, 100)])
def test_a_number_is_the_same_however_it_is_written(said, same):
    raws = [
        {"project_name": "a", "region": "eu-west-1", "databases": [{"name": "m", "max_capacity": one}]}
        for one in (said, same)
    ]
    assert hashed(raws[0]) == hashed(raws[1])
    assert canonical.text(document.declared(raws[0]).document) == canonical.text(document.declared(raws[1]).document)
