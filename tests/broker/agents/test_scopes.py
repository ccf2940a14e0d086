"""Scopes as words of routes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from quarterdeck.broker.agents import scopes
from quarterdeck.kernel.jobs import routes

words = some.text("abz_09", max_size=8).map(lambda rest: f"w{rest}")
values = some.text(some.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30)


@given(some.dictionaries(words, values, max_size=4))
def test_a_scope_survives_the_way_through_capabilities_and_routes(scope):
    found = scopes.capabilities(scopes.checked(scope))
    spelt = routes.canonical(found)
    assert frozenset(filter(None, spelt.split(","))) == found
    assert not any(mark in one for one in found for mark in ",@|")
    assert scopes.of_capabilities(found) == scope


def test_facts_confine_and_other_words_only_enable():
    scope = {"cluster": "eu", "environment": "staging"}
    assert scopes.capabilities(scope) == {"secrets:cluster:eu", "secrets:environment:staging"}
    assert scopes.confining(scope) == {"~secrets:environment:staging", "~secrets:open"}
    facts = {"environment": "staging", "project_id": None, "other": "x"}
    assert scopes.labels(facts) == {"~secrets:environment:staging"}


def test_a_scope_covers_what_has_each_of_its_words():
    assert scopes.covers({}, {})
    assert scopes.covers({"cluster": "eu"}, {"cluster": "eu", "environment": "staging"})
    assert not scopes.covers({"cluster": "eu"}, {"cluster": "us"})
    assert not scopes.covers({"cluster": "eu"}, {})
