"""The states of a spec: every event in every status, against a table written from the contract."""

from __future__ import annotations

import itertools

import pytest

from quarterdeck.infra.specs import statuses
from quarterdeck.infra.specs.statuses import BUSY, MOVES, STANDING, STATUSES, moved

BEFORE = {status: None if status in STANDING else "ACTIVE" for status in STATUSES}
ALL = dict.fromkeys(STATUSES)
EXPECTED = {
    # event: {status: (status, before)}; a busy spec stood at ACTIVE before
    "plan-asked": {
        "DRAFT": ("QUEUED", "DRAFT"), "ACTIVE": ("QUEUED", "ACTIVE"), "FAILED": ("QUEUED", "FAILED"),
        "DESTROYED": ("QUEUED", "DESTROYED"), "QUEUED": ("QUEUED", "ACTIVE"),
        "PROVISIONING": ("PROVISIONING", "ACTIVE"), "DESTROYING": ("DESTROYING", "ACTIVE"),
    },
    "plan-ended": {
        "DRAFT": ("DRAFT", None), "ACTIVE": ("ACTIVE", None), "FAILED": ("FAILED", None),
        "DESTROYED": ("DESTROYED", None), "QUEUED": ("ACTIVE", None), "PROVISIONING": ("PROVISIONING", "ACTIVE"),
        "DESTROYING": ("DESTROYING", "ACTIVE"),
    },
    "deploy-asked": {
        "DRAFT": ("QUEUED", "DRAFT"), "ACTIVE": ("QUEUED", "ACTIVE"), "FAILED": ("QUEUED", "FAILED"),
        "DESTROYED": ("QUEUED", "DESTROYED"), "QUEUED": ("QUEUED", "ACTIVE"),
        "PROVISIONING": ("PROVISIONING", "ACTIVE"), "DESTROYING": ("DESTROYING", "ACTIVE"),
    },
    "deploy-began": {
        "DRAFT": ("PROVISIONING", "DRAFT"), "ACTIVE": ("PROVISIONING", "ACTIVE"),
        "FAILED": ("PROVISIONING", "FAILED"), "DESTROYED": ("PROVISIONING", "DESTROYED"),
        "QUEUED": ("PROVISIONING", "ACTIVE"), "PROVISIONING": ("PROVISIONING", "ACTIVE"),
        "DESTROYING": ("PROVISIONING", "ACTIVE"),
    },
    "destroy-asked": {
        "DRAFT": ("DESTROYING", "DRAFT"), "ACTIVE": ("DESTROYING", "ACTIVE"), "FAILED": ("DESTROYING", "FAILED"),
        "DESTROYED": ("DESTROYING", "DESTROYED"), "QUEUED": ("DESTROYING", "ACTIVE"),
        "PROVISIONING": ("PROVISIONING", "ACTIVE"), "DESTROYING": ("DESTROYING", "ACTIVE"),
    },
    "destroy-began": {
        "DRAFT": ("DESTROYING", "DRAFT"), "ACTIVE": ("DESTROYING", "ACTIVE"), "FAILED": ("DESTROYING", "FAILED"),
        "DESTROYED": ("DESTROYING", "DESTROYED"), "QUEUED": ("DESTROYING", "ACTIVE"),
        "PROVISIONING": ("DESTROYING", "ACTIVE"), "DESTROYING": ("DESTROYING", "ACTIVE"),
    },
    "withdrawn": {
        "DRAFT": ("DRAFT", None), "ACTIVE": ("ACTIVE", None), "FAILED": ("FAILED", None),
        "DESTROYED": ("DESTROYED", None), "QUEUED": ("ACTIVE", None), "PROVISIONING": ("ACTIVE", None),
        "DESTROYING": ("ACTIVE", None),
    },
    "deploy-done": dict.fromkeys(ALL, ("ACTIVE", None)),
    "deploy-failed": dict.fromkeys(ALL, ("FAILED", None)),
    "destroy-done": dict.fromkeys(ALL, ("DESTROYED", None)),
    "destroy-failed": dict.fromkeys(ALL, ("FAILED", None)),
    "interrupted": dict.fromkeys(ALL, ("FAILED", None)),
}  # fmt: skip


@pytest.mark.parametrize(("event", "status"), list(itertools.product(MOVES, STATUSES)))
def test_every_event_leads_in_every_status_where_the_contract_says(event, status):
    assert moved(status, BEFORE[status], event) == EXPECTED[event][status]


def test_the_table_knows_every_event_and_every_status():
    assert set(EXPECTED) == set(MOVES) == set(statuses.Event.__args__)
    assert all(set(row) == set(STATUSES) for row in MOVES.values())
    with pytest.raises(KeyError):
        moved("DRAFT", None, "promoted")


@pytest.mark.parametrize("asked", ["plan-asked", "deploy-asked", "destroy-asked"])
@pytest.mark.parametrize("standing", STANDING)
def test_what_is_withdrawn_before_it_began_gives_back_where_the_spec_stood(asked, standing):
    assert moved(*moved(standing, None, asked), "withdrawn") == (standing, None)


@pytest.mark.parametrize("standing", STANDING)
def test_a_plan_never_changes_where_a_spec_stands(standing):
    """In the original a good plan of an active spec made it a draft, and a bad one made it failed."""
    assert moved(*moved(standing, None, "plan-asked"), "plan-ended") == (standing, None)


def test_only_a_busy_spec_remembers_where_it_stood():
    for event, status in itertools.product(MOVES, STATUSES):
        after, before = moved(status, BEFORE[status], event)
        assert (before is None) == (after in STANDING), (event, status)
        assert before in (None, *STANDING)
    assert set(BUSY) | set(STANDING) == set(STATUSES)
