"""Lines that somebody keeps: a copy that outlives the log, and goes by a pruning alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.logs import Line
from support.served import SOURCE


@pytest.fixture
async def shop(deck):
    """A resource whose runtime has said something."""
    place = await deck.place()
    resource = await deck.resource(place, source=SOURCE)
    now = deck.instance.db.clock.now()
    lines = [Line(now, "application", "stdout", None, "info", f"said {number}") for number in range(5)]
    await deck.instance.logs.store(f"runtime:{resource}", lines)
    return resource


async def kept(deck, resource, **body):
    return (await deck.do("resources.runtime-logs.archive", body, resourceId=resource))["archive"]


async def test_lines_are_kept_as_they_are_and_outlive_the_log(deck, shop):
    made = await kept(deck, shop, tailLines=3, reason="an incident")
    assert (made["lineCount"], made["reason"], made["retentionStatus"]) == (3, "an incident", "retained")
    assert [line["message"] for line in made["lines"]] == ["said 2", "said 3", "said 4"]
    await deck.instance.logs.forget(f"runtime:{shop}")
    shown = await deck.do("resources.runtime-log-archives.show", archiveId=made["archiveId"])
    assert shown["archive"] == made


async def test_pages_and_filters(deck, shop):
    made = [(await kept(deck, shop))["archiveId"] for _ in range(3)]
    first = await deck.do("resources.runtime-log-archives.list", query={"limit": 2})
    assert [one["archiveId"] for one in first["items"]] == made[:0:-1]
    rest = await deck.do("resources.runtime-log-archives.list", query={"limit": 2, "cursor": first["nextCursor"]})
    assert [one["archiveId"] for one in rest["items"]] == made[:1]
    assert "nextCursor" not in rest
    for query, count in (
        ({"resourceId": shop}, 3),
        ({"resourceId": "res_000000000000"}, 0),
        ({"serviceName": "db"}, 0),
    ):
        found = await deck.do("resources.runtime-log-archives.list", query=query)
        assert len(found["items"]) == count
    await deck.refused(400, "validation_error", "resources.runtime-log-archives.list", query={"cursor": "x"})


async def test_a_pruning_is_a_look_unless_it_is_meant_and_spares_what_is_at_the_border(deck, shop):
    made = await kept(deck, shop)
    border = made["capturedAt"]
    after = wire_time(deck.instance.db.clock.now() + timedelta(seconds=1))
    for body, matched, pruned in (
        ({"before": border, "dryRun": False}, 0, 0),
        ({"before": after}, 1, 0),
        ({"before": after, "dryRun": False, "resourceId": "res_000000000000"}, 0, 0),
        ({"before": after, "dryRun": False}, 1, 1),
        ({"before": after, "dryRun": False}, 0, 0),
    ):
        found = await deck.do("resources.runtime-log-archives.prune", body)
        assert (found["matchedCount"], found["prunedCount"]) == (matched, pruned), body
    await deck.refused(404, "not_found", "resources.runtime-log-archives.show", archiveId=made["archiveId"])
    actions = await deck.instance.db.read(
        lambda tx: [row[0] for row in tx.execute(
            select(audit_events.c.action).where(audit_events.c.action.startswith("log-archive.")).order_by(audit_events.c.id)
        )]
    )  # fmt: skip
    assert actions == ["log-archive.created", "log-archive.pruned"]


async def test_what_is_kept_stands_in_the_way_of_deleting_the_project(deck, shop):
    await kept(deck, shop)
    shown = await deck.do("resources.show", resourceId=shop)
    project = shown["resource"]["projectId"]
    found = await deck.do("projects.delete-check", projectId=project)
    assert {"runtime-log-retention"} <= {one["kind"] for one in found["blockers"]}


async def test_another_organization_sees_none(deck, shop):
    made = await kept(deck, shop)
    stranger = await deck.member("owner", "org_other")
    await deck.refused(
        404, "not_found", "resources.runtime-log-archives.show", archiveId=made["archiveId"], token=stranger
    )
    await deck.refused(404, "not_found", "resources.runtime-logs.archive", {}, resourceId=shop, token=stranger)
    assert (await deck.do("resources.runtime-log-archives.list", token=stranger))["items"] == []
