"""Nothing that can be read afterwards has a secret in it, and everything else of a plan can be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.infra.execution.workbench import MINIMAL

from quarterdeck.infra.execution import costing, outputs, planning
from quarterdeck.infra.execution.planning import MOST_ENTRIES, MOST_LISTED
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import MASK

HUSH = "hush-hush-hush"
MODULE = f"""
variable "secret" {{
  sensitive = true
  default   = "{HUSH}"
}}
variable "open" {{
  default = "everybody"
}}
resource "terraform_data" "holder" {{
  input = {{
    told     = var.open
    hidden   = var.secret
    leaked   = nonsensitive("before-${{var.secret}}-after")
    password = "under-its-name"
  }}
}}
resource "terraform_data" "shouting" {{
  provisioner "local-exec" {{
    command = "echo shouted {HUSH}"
  }}
}}
output "told" {{
  value = var.open
}}
output "secret" {{
  value     = var.secret
  sensitive = true
}}
output "leaked" {{
  value = nonsensitive(var.secret)
}}
"""


async def test_no_secret_is_told_by_a_plan_an_apply_or_the_log(bench, server, forge):
    module = forge.module({"main.tf": MODULE})
    plan = await bench.plan(MINIMAL, module=module)
    (report,) = bench.ledger.of("plan")
    held = next(one for one in report["changes"] if one["address"] == "terraform_data.holder")
    assert held["after"]["input"] == {
        "told": "everybody", "hidden": MASK, "leaked": f"before-{MASK}-after", "password": MASK,
    }  # fmt: skip
    assert HUSH not in json.dumps(bench.ledger.records)
    order = bench.order("DEPLOY", MINIMAL, plan=plan, module=module)
    await bench.run(order)
    (applied,) = bench.ledger.of("applied")
    assert applied["outputs"] == {"told": "everybody", "secret": {"sensitive": True}, "leaked": MASK}
    assert "shouted" in bench.ledger.text
    assert HUSH not in bench.ledger.text + json.dumps(bench.ledger.records)
    assert order.place.password not in bench.ledger.text + json.dumps(bench.ledger.records)
    assert HUSH.encode() in server.state, "the state is where it is kept"


def change(before, after, **more):
    return {"address": "x.y", "type": "x", "change": {"actions": ["update"], "before": before, "after": after, **more}}


def read(*entries, **plan):
    return planning.read(json.dumps({"resource_changes": entries, **plan}).encode())


def test_only_attributes_that_change_are_told():
    (told,) = read(change({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5}, after_unknown={"c": True})).changes
    assert told["before"] == {"b": 2, "c": 3}
    assert told["after"] == {"b": 5, "c": "(known after apply)"}


def test_what_becomes_sensitive_was_a_secret_before():
    (told,) = read(change({"key": "older-secret"}, {"key": "newer-secret"}, after_sensitive={"key": True})).changes
    assert told["before"] == told["after"] == {"key": MASK}


def test_a_resource_that_is_sensitive_as_a_whole_shows_nothing():
    entry = change({"key": "one"}, {"key": "two"}, before_sensitive=True, after_sensitive=True)
    assert read(entry).changes[0]["before"] == {"key": MASK}


def test_a_secret_within_a_list_is_found_elsewhere():
    marked = change({"keys": ["first-secret", "open"]}, {"keys": []}, before_sensitive={"keys": [True, False]})
    planned = read(marked, change({"note": "it is first-secret!"}, {"note": ""}))
    assert "first-secret" not in json.dumps(planned.changes)
    assert planned.changes[0]["before"] == {"keys": [MASK, "open"]}


@pytest.mark.parametrize(
    ("actions", "word"),
    [
        (["create"], "create"), (["delete"], "delete"), (["update"], "update"), (["no-op"], "no_op"),
        (["read"], "read"), (["delete", "create"], "replace"), (["create", "delete"], "replace"),
        (["forget"], "forget"), (["create", "forget"], "replace"), ([], "no_op"), (None, "no_op"), ("create", "no_op"),
    ],
)  # fmt: skip
def test_actions_are_one_word(actions, word):
    assert planning.action_of(actions) == word


def test_a_plan_that_is_huge_is_told_within_bounds():
    entries = [change({"text": "a" * 3000, "n": at}, {"text": "b" * 3000, "n": -at}) for at in range(MOST_ENTRIES * 2)]
    planned = read(*entries)
    assert planned.truncated
    assert planned.summary["update"] == MOST_ENTRIES * 2, "all are counted"
    assert len(json.dumps(planned.changes)) < MOST_LISTED * 1.1
    assert planned.changes[0]["before"]["text"] == "a" * 3000
    assert planned.changes[-1]["truncated"]


def test_a_value_that_is_long_is_cut():
    (told,) = read(change({"a": ["x" * 9000]}, {"a": []})).changes
    assert told["truncated"]
    assert len(told["before"]["a"]) < 5000


@pytest.mark.parametrize("content", [b"", b"[]", b"nonsense", b"[" * 100_000, b'{"a": ' * 50_000])
def test_what_is_no_plan_is_refused(content):
    with pytest.raises(Problem) as refused:
        planning.read(content)
    assert refused.value.code == "infra_plan_unreadable"


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(ANY, ANY, ANY, ANY, ANY)
def test_whatever_a_plan_holds_is_told_or_refused(before, after, unknown, left, right):
    entry = change(before, after, after_unknown=unknown, before_sensitive=left, after_sensitive=right)
    planned = read(entry, variables=before, output_changes=after, resource_drift=left, configuration=right)
    assert planned.summary["update"] == 1


@given(ANY)
def test_a_marked_value_never_shows(value):
    told = json.dumps(read(change({"it": value}, {"it": [value, "more"]}, before_sensitive={"it": True})).changes)
    assert json.loads(told)[0]["before"]["it"] in (MASK, None)


def test_outputs_that_are_huge_are_left_out_one_by_one():
    listed = {"big": {"value": "x" * 100_000}, "small": {"value": "kept"}, "db_password": {"value": "secret"}}
    assert outputs.redacted(json.dumps(listed).encode(), set()) == {
        "big": {"truncated": True}, "small": "kept", "db_password": MASK,
    }  # fmt: skip
    assert outputs.redacted(b"nonsense", set()) == {}


def test_costs_are_numbers():
    said = {
        "totalMonthlyCost": "12.5", "totalHourlyCost": "0.017", "diffTotalMonthlyCost": None, "currency": "EUR",
        "summary": {"totalDetectedResources": 5, "totalSupportedResources": 3, "totalNoPriceResources": 2},
    }  # fmt: skip
    assert costing.summarize(json.dumps(said).encode()) == {
        "total_monthly": 12.5, "total_hourly": 0.017, "diff_monthly": 0.0, "resources_with_cost": 3,
        "resources_free": 2, "total_resources": 5, "currency": "EUR",
    }  # fmt: skip
    for wrong in (b"", b"[]", b'{"totalMonthlyCost": "nan"}', b'{"totalMonthlyCost": "x"}', b'{"summary": 3}'):
        assert costing.summarize(wrong) is None
