"""Why a resource is replaced or destroyed, as a plan tells it: by what, in known words, and without a secret."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.infra.execution.workbench import MINIMAL

from quarterdeck.infra.execution import planning, reasons
from quarterdeck.infra.plans import summary
from quarterdeck.kernel.vault import MASK

HUSH = "hush-hush-hush"
MODULE = """
resource "terraform_data" "db" {
  triggers_replace = { size = %d, keys = sensitive({ "%s" = %d }) }
}
"""
GONE = """
resource "terraform_data" "gone" {}
"""


async def test_terraform_says_what_forces_a_replacement_and_why(bench, forge):
    first = forge.module({"main.tf": MODULE % (1, HUSH, 1) + GONE})
    plan = await bench.plan(MINIMAL, module=first)
    await bench.run(bench.order("DEPLOY", MINIMAL, plan=plan, module=first))
    await bench.plan(MINIMAL, module=forge.module({"main.tf": MODULE % (2, HUSH, 2)}))
    told = {one["address"]: one for one in bench.ledger.of("plan")[-1]["changes"]}
    assert (told["terraform_data.db"]["action"], told["terraform_data.db"]["reason"]) == (
        "replace", "replace_because_cannot_update",
    )  # fmt: skip
    assert told["terraform_data.db"]["forced_by"] == ["triggers_replace"]
    assert told["terraform_data.gone"]["reason"] == "delete_because_no_resource_config"
    assert HUSH not in json.dumps(list(told.values()))


def read(paths, *, actions=("delete", "create"), reason="replace_by_triggers", **marks):
    change = {"actions": list(actions), "before": {"a": 1}, "after": {"a": 2}, "replace_paths": paths, **marks}
    entry = {"address": "x.y", "type": "x", "action_reason": reason, "change": change}
    (told,) = planning.read(json.dumps({"resource_changes": [entry]}).encode()).changes
    return told


def test_a_place_is_told_as_people_write_it():
    assert read([["disk", 0, "size"], ["name"], ["name"]])["forced_by"] == ["disk[0].size", "name"]


def test_a_place_ends_where_something_sensitive_begins():
    told = read([["tags", HUSH, "more"], ["list", 1, HUSH]], before_sensitive={"tags": True, "list": [False, True]})
    assert told["forced_by"] == ["tags", "list[1]"]
    assert read([["a", HUSH]], after_sensitive=True)["forced_by"] == ["a"]
    marked = {"before": {"a": HUSH, "b": 1}, "before_sensitive": {"a": True}}
    assert read([["b", HUSH, "x"]], **marked)["forced_by"] == [f"b.{MASK}"]


@pytest.mark.parametrize("paths", [None, 3, [3], [[]], [[True]], [[None, "a"]], [{"a": 1}], [[["a"]]]])
def test_what_names_no_place_is_left_out(paths):
    assert "forced_by" not in read(paths)


def test_places_and_reasons_are_bounded():
    told = read([[f"a{number}", "x" * 5000] for number in range(500)])
    assert len(told["forced_by"]) == reasons.MOST_PATHS
    assert max(map(len, told["forced_by"])) <= reasons.LONGEST_PATH
    assert "reason" not in read([], reason="because_i_say_so")
    assert "forced_by" not in read([["a"]], actions=["update"])


def test_the_server_keeps_of_them_what_it_knows():
    entry = {"address": "a.b", "type": "a", "action": "replace", "before": None, "after": None}
    kept, _ = summary.changes([
        {**entry, "reason": "replace_because_tainted", "forced_by": ["size", 3, "", "x" * 9000, *"abcdefghijkl"]},
        {**entry, "reason": "because_i_say_so", "forced_by": "size"},
        {**entry, "action": "update", "forced_by": ["size"], "reason": ["x"]},
    ])  # fmt: skip
    assert kept[0]["reason"] == "replace_because_tainted"
    assert len(kept[0]["forced_by"]) == reasons.MOST_PATHS
    assert max(map(len, kept[0]["forced_by"])) <= reasons.LONGEST_PATH
    assert [one.keys() & {"reason", "forced_by"} for one in kept[1:]] == [set(), set()]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(ANY, ANY, ANY)
def test_whatever_stands_for_places_is_told_or_left_out(paths, left, right):
    told = read([paths, *(paths if isinstance(paths, list) else [])], before_sensitive=left, after_sensitive=right)
    assert all(isinstance(one, str) and one for one in told.get("forced_by", []))
