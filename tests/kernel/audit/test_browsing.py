"""Lists: filters, walks of bounded size, totals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import browse, reach

from .conftest import ThingAction, record


@pytest.fixture
def trail(database):
    events = [record(database, f"thg_{number % 3}", detail={"number": number, "word": "Ahoy"}) for number in range(7)]
    events.append(database.write_sync(
        audit.record, ThingAction.READ, organization_id=1, resource_type="thing", resource_id="thg_0", outcome="denied"
    ))  # fmt: skip
    record(database, "thg_0", organization_id=2)
    database.write_sync(audit.seal)
    record(database, "thg_0", detail={"waits": True})
    return events


def found(database, limit=50, **wanted):
    seen = database.read_sync(audit.look, audit.Filter(organization_id=1, **wanted), limit)
    return len(seen.events)


def test_every_filter_narrows_and_its_total_agrees(database, trail):
    for wanted, count in (
        ({}, 9),
        ({"aggregate_id": "thg_0"}, 5),
        ({"actions": ("test-thing.read",)}, 1),
        ({"actions": ("test-thing.read", "test-thing.made")}, 9),
        ({"actions": ()}, 0),
        ({"starting": "test-thing."}, 9),
        ({"starting": "test-thing.r"}, 1),
        ({"starting": "test_thing."}, 0),
        ({"actor_kind": "system"}, 9),
        ({"actor_kind": "user"}, 0),
        ({"actor_id": 0}, 9),
        ({"actor_id": 7}, 0),
        ({"actor_kind": "system", "actor_id": 0, "actions": ("test-thing.read",)}, 1),
        ({"actor_id": 0, "starting": "test-thing.r"}, 1),
        ({"actor_label": "QuarterDeck"}, 9),
        ({"actor_label": "QuarterDeck", "starting": "test-thing.r"}, 1),
        ({"actor_label": "nobody"}, 0),
        ({"resource_type": "thing"}, 9),
        ({"resource_type": "nothing"}, 0),
        ({"resource_id": "thg_1"}, 2),
        ({"resource_type": "thing", "resource_id": "thg_1"}, 2),
        ({"correlation_ids": (trail[0].correlation_id,)}, 9),
        ({"correlation_ids": ("x", "y")}, 0),
        ({"outcome": "denied"}, 1),
        ({"outcome": "success"}, 8),
        ({"outcome": "failure"}, 0),
        ({"outcome": "denied", "resource_type": "thing", "actor_kind": "system", "aggregate_id": "thg_0"}, 1),
        ({"text": "ahoy"}, 7),
        ({"text": "100%"}, 0),
        ({"text": "thg_2"}, 2),
        ({"since": trail[3].at}, 6),
        ({"until": trail[3].at}, 3),
        ({"since": trail[1].at, "until": trail[3].at}, 2),
        ({"since": trail[1].at, "until": trail[3].at, "aggregate_id": "thg_1"}, 1),
        ({"actions": ("test-thing.made",), "outcome": "denied"}, 0),
    ):
        assert found(database, **wanted) == count, wanted
        assert database.read_sync(audit.total, audit.Filter(organization_id=1, **wanted)) == count, wanted


def test_a_walk_ends_after_so_many_and_goes_on_from_there(database, trail, monkeypatch):
    monkeypatch.setattr(browse, "LOOK", 3)
    wanted = audit.Filter(organization_id=1, text="ahoy")
    first = database.read_sync(audit.look, wanted, 50)
    assert (len(first.events), first.rest is not None) == (1, True)
    refs = []
    before = None
    while True:
        seen = database.read_sync(audit.look, wanted, 2, before)
        refs += [event.ref for event in seen.events]
        before = seen.rest
        if before is None:
            break
    assert refs == [event.ref for event in reversed(trail[:7])]


def test_walks_are_merged_newest_first_and_go_on_where_they_ended(database, trail, monkeypatch):
    both = ("test-thing.made", "test-thing.read", "test-thing.nowhere")
    for wanted in ({"actions": both}, {"actions": both, "actor_id": 0}, {"starting": "test-thing", "text": "thing"}):
        for most in (1_000, 4):
            monkeypatch.setattr(browse, "LOOK", most)
            seen, before = [], None
            while True:
                part = database.read_sync(audit.look, audit.Filter(organization_id=1, **wanted), 2, before)
                seen += [event.id for event in part.events]
                before = part.rest
                if before is None:
                    break
            assert len(seen) == 9, wanted
            assert seen == sorted({*seen}, reverse=True), wanted


def test_more_walks_than_are_worth_merging_are_one_walk_through_the_organization(database, trail, monkeypatch):
    monkeypatch.setattr(reach, "MOST_LEGS", 1)
    for wanted, count in (
        ({"starting": "test-thing."}, 9),
        ({"actions": ("test-thing.read", "test-thing.made"), "actor_kind": "system", "actor_id": 0}, 9),
        ({"actions": ("test-thing.read", "test-thing.made"), "actor_kind": "user", "actor_id": 0}, 0),
    ):
        assert found(database, **wanted) == count, wanted


def test_a_total_of_what_no_index_holds_together_is_of_the_newest(database, trail, monkeypatch):
    monkeypatch.setattr(browse, "SURVEYED", 3)
    monkeypatch.setattr(browse, "COUNTED", 5)
    for wanted, count in (
        ({"resource_type": "thing"}, 5),
        ({"since": trail[0].at}, 5),
        ({"resource_type": "thing", "outcome": "success"}, 2),
    ):
        assert database.read_sync(audit.total, audit.Filter(organization_id=1, **wanted)) == count, wanted


async def test_finding_looks_until_it_has_found_enough(database, trail, monkeypatch):
    monkeypatch.setattr(browse, "LOOK", 2)
    wanted = audit.Filter(organization_id=1, text="ahoy")
    seen = await audit.find(database, wanted, 4)
    assert [event.ref for event in seen.events] == [event.ref for event in reversed(trail[3:7])]
    rest = await audit.find(database, wanted, 50, seen.rest)
    assert ([event.ref for event in rest.events], rest.rest) == ([event.ref for event in reversed(trail[:3])], None)
    monkeypatch.setattr(browse, "LOOKS", 1)
    assert (await audit.find(database, wanted, 50)).rest is not None


async def test_a_stream_gives_everything_once_in_parts(database, monkeypatch):
    for number in range(25):
        record(database, f"thg_{number}")
    monkeypatch.setattr(browse, "PART", 10)
    wanted = audit.Filter(organization_id=1)
    parts = [part async for part in audit.stream(database, wanted)]
    assert [len(part) for part in parts] == [10, 10, 5]
    assert len({event.ref for part in parts for event in part}) == 25
    assert [len(part) async for part in audit.stream(database, wanted, 15)] == [10, 5]
    assert [part async for part in audit.stream(database, audit.Filter(organization_id=2))] == []


def test_tallies_follow_prunings_and_name_who_did_what(database, trail):
    facets = database.read_sync(audit.facets, 1)
    assert (facets.actors, facets.actions) == (["quarterdeck"], ["test-thing.made", "test-thing.read"])
    later = database.clock.now() + timedelta(seconds=1)
    database.write_sync(audit.step, audit.Scope(before=later, organization_id=1, action="test-thing.read"))
    assert database.read_sync(audit.total, audit.Filter(organization_id=1, actions=("test-thing.read",))) == 0
    assert database.read_sync(audit.total, audit.Filter(organization_id=1)) == 9  # eight, and the pruning's own
    assert database.read_sync(audit.facets, 1).actions == ["audit.pruned", "test-thing.made"]
    assert database.read_sync(audit.facets, 3) == audit.Facets([], [])


def test_times_at_the_end_of_the_calendar_are_only_bounds(database, trail):
    from datetime import UTC, datetime

    assert found(database, since=datetime.min.replace(tzinfo=UTC)) == 9
    assert found(database, until=datetime.max.replace(tzinfo=UTC)) == 9
