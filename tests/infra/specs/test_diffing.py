"""What two documents say differently."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.infra.specs import diffing
from quarterdeck.infra.specs.canonical import text
from quarterdeck.infra.specs.diffing import Change, changes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "name"]), inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["network", "databases", "region"]), JSON, max_size=3)


@given(before=DOCUMENTS, after=DOCUMENTS)
def test_there_is_a_change_exactly_where_documents_differ(before, after):
    found = changes(before, after)
    assert bool(found) == (text(before) != text(after))
    assert changes(before, before) == []
    back = changes(after, before)
    assert sorted((one.path, str(one.before)) for one in found) == sorted((one.path, str(one.after)) for one in back)


def test_entries_of_lists_go_by_their_names_wherever_they_stand():
    before = {"databases": [{"name": "a", "port": 1}, {"name": "b", "port": 2}]}
    after = {"databases": [{"name": "b", "port": 3}, {"name": "c", "port": 4}]}
    assert changes(before, after) == [
        Change("databases[a]", "removed", {"name": "a", "port": 1}, None),
        Change("databases[b].port", "changed", 2, 3),
        Change("databases[c]", "added", None, {"name": "c", "port": 4}),
    ]
    turned = {"databases": before["databases"][::-1]}
    assert changes(before, turned) == [Change("databases", "changed", ["a", "b"], ["b", "a"])]


def test_a_list_without_names_is_one_value():
    before = {"cluster": {"instance_types": ["a", "b"]}}
    after = {"cluster": {"instance_types": ["b"]}}
    assert changes(before, after) == [Change("cluster.instance_types", "changed", ["a", "b"], ["b"])]


def test_true_is_not_one():
    """Python says that they are equal; Terraform does not."""
    for one, other in ((1, True), (0, False), ([1], [True]), ({"a": 0}, {"a": False})):
        assert [found.kind for found in changes({"variables": one}, {"variables": other})] == ["changed"]


def test_there_are_never_more_than_a_list_can_carry(monkeypatch):
    monkeypatch.setattr(diffing, "MOST", 3)
    assert len(changes({}, {str(number): number for number in range(9)})) == 3
