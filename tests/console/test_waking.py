"""When an open page is looked at again."""

from __future__ import annotations

import pytest

from quarterdeck.console.domain.waking import APART, POLL, REST, SOON, Pace
from quarterdeck.kernel.bus import Concern, Message

RESOURCE, DEPLOYMENT = "resource:shop/production/web", "deployment:shop/production/web/2"


def paced(*topics: str) -> Pace:
    pace = Pace(1, topics, 0.0)
    pace.learn({
        RESOURCE: frozenset({"resource:res_1", "deployment:dep_1", "deployment:dep_2"}),
        DEPLOYMENT: frozenset({"resource:res_1", "deployment:dep_2"}),
    })  # fmt: skip
    return pace


def event(subject: str, organization: int | None = 1) -> Message:
    return Message("events", Concern(organization, subject, "deployment-progress"))


def jobs(*concerns: Concern) -> Message:
    return Message("jobs", frozenset(concerns))


@pytest.mark.parametrize(
    ("topic", "message", "due"),
    [
        (DEPLOYMENT, event("deployment:dep_2"), SOON),
        (DEPLOYMENT, event("resource:res_1"), SOON),
        (DEPLOYMENT, event("deployment:dep_1"), APART),
        (RESOURCE, event("deployment:dep_1"), SOON),
        (RESOURCE, event("resource:res_2"), APART),
        (RESOURCE, event("resource:res_1", 2), POLL),
        (RESOURCE, event("resource:res_1", None), POLL),
        (RESOURCE, jobs(Concern(1, "deployment:dep_1")), POLL),
        ("project:shop", event("deployment:dep_9"), REST),
        ("project:shop", jobs(Concern(1, None)), POLL),
        ("home", event("deployment:dep_9"), REST),
        ("home", event("deployment:dep_9", 2), POLL),
        ("jobs", jobs(Concern(1, "deployment:dep_9")), REST),
        ("jobs", jobs(Concern(2, "deployment:dep_9"), Concern(None, None)), REST),
        ("jobs", jobs(Concern(2, "deployment:dep_9")), POLL),
        ("jobs", Message("jobs", None), REST),
        (DEPLOYMENT, Message("jobs", None), POLL),
    ],
)
def test_a_page_waits_as_long_as_what_woke_it_is_far_from_what_it_shows(topic, message, due):
    pace = paced(topic)
    pace.heard(message)
    assert pace.soonest == due
    assert pace.ripe(due - 0.01) == []
    assert pace.ripe(due) == [topic]
    assert pace.soonest == due + POLL


def test_the_phases_of_a_deployment_are_prompt_and_the_rest_is_at_least_a_second_apart():
    assert SOON <= 0.25
    assert min(REST, APART) >= 1
    pace = paced("home", DEPLOYMENT)
    seen: dict[str, list[float]] = {"home": [], DEPLOYMENT: []}
    for tick in range(1, 401):
        pace.heard(event("deployment:dep_2"))
        pace.heard(event("deployment:dep_7"))
        for topic in pace.ripe(tick / 100):
            seen[topic].append(tick / 100)
    assert len(seen["home"]) <= 4
    assert len(seen[DEPLOYMENT]) >= 20


def test_a_new_attempt_is_asked_after_once():
    pace = paced(RESOURCE)
    new = [event("deployment:dep_3"), event("resource:res_1"), event("deployment:dep_4", 2), event("deployment:dep_1")]
    assert pace.strangers(new) == {"deployment:dep_3"}
    pace.learn({RESOURCE: frozenset({"resource:res_1"})}, {"deployment:dep_3"})
    assert pace.strangers(new) == set()
    assert paced(DEPLOYMENT).strangers(new) == set()


def test_lost_wake_ups_are_made_up_for():
    pace = paced("home", DEPLOYMENT)
    pace.missed()
    assert pace.ripe(REST) == ["home", DEPLOYMENT]
