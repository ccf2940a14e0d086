"""Which rules fit is found by bits; one by one they would be the same."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarterdeck.broker.policies.compiling import Book, Rule
from quarterdeck.broker.policies.facts import Facts
from quarterdeck.broker.policies.selectors import EXACT, KEYS, PREFIX, never_matches

WORDS = st.sampled_from(["", "a", "b", "ab", "abc", "prod", "non_prod", None, 5])
SELECTORS = st.dictionaries(st.sampled_from([*sorted(KEYS), "cluster"]), WORDS, max_size=4)
NAMES = st.sampled_from(["a", "b", "ab", "abc", "abcd"])
FACTS = st.builds(
    Facts,
    organization_id=st.just(1),
    project_id=st.sampled_from([None, 1, 2]),
    project_uid=st.none() | NAMES,
    environment=st.none() | NAMES,
    environment_kind=st.sampled_from([None, "production", "staging"]),
    provider_type=NAMES,
    secret_ref=NAMES,
    operation=NAMES,
)


def rule(number: int, selector: dict[str, object], project: int | None) -> Rule:
    return Rule(
        id=number, uid=str(number), name=str(number), project_id=project, priority=0, selector=selector,
        exact={key: selector[key] for key in EXACT if key in selector}, prefix=selector.get(PREFIX),
        never=never_matches(selector), direct_reveal=False, workflow_id=1, workflow_uid="w", workflow_name="w",
        workflow_enabled=True,
    )  # fmt: skip


def fits(one: Rule, facts: Facts) -> bool:
    """The contract, read word by word."""
    said = {**facts.words(), "environment_kind": "non_prod" if facts.environment_kind == "staging" else "prod"}
    for key, value in one.selector.items():
        if not isinstance(value, str) or not value or key not in KEYS:
            return False
        if not (facts.secret_ref.startswith(value) if key == PREFIX else said[key] == value):
            return False
    return one.project_id in {None, facts.project_id}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(SELECTORS, st.sampled_from([None, 1, 2])), max_size=20), FACTS)
def test_the_rules_that_fit_are_found_in_their_order(drawn, facts):
    rules = tuple(rule(number, *one) for number, one in enumerate(drawn))
    assert list(Book(rules).fitting(facts)) == [one for one in rules if fits(one, facts)]
