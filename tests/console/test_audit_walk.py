"""The page of the audit trail: a filter looks through so many events and not the whole trail, days are the viewer's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from quarterdeck.console.domain import trail as room
from quarterdeck.console.views.ledger import AuditAsked
from quarterdeck.identity import setup
from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import browse
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Context, Principal, current


class Seen(audit.Action):
    RARE = "walk-test.rare"
    COMMON = "walk-test.common"


@pytest.fixture
def trail(database):
    """Fifty events; the oldest is the rare one."""

    def fill(tx: Tx) -> int:
        organization = setup.default_organization(tx).id
        for number in range(50):
            audit.record(
                tx,
                Seen.COMMON if number else Seen.RARE,
                resource_type="thing",
                resource_id=f"thing_{number}",
                organization_id=organization,
            )
        return organization

    organization = database.write_sync(fill)
    before = current.set(Context(principal=Principal("user", 1, "u", "Ada", organization)))
    yield database
    current.reset(before)


async def walked(database, limit=10, **asked):
    rows, pages, before = [], 0, ""
    while True:
        shown = await room.page(database, AuditAsked(**asked), before, limit)
        pages += 1
        rows += shown.rows
        if shown.older is None:
            return rows, pages
        before = shown.older


async def test_what_is_rare_is_found_page_by_page(trail, monkeypatch):
    monkeypatch.setattr(browse, "LOOK", 20)
    monkeypatch.setattr(browse, "LOOKS", 1)
    rows, pages = await walked(trail, text="walk-test.r")
    assert (len(rows), pages) == (1, 3)


async def test_what_an_index_leads_to_is_found_at_once(trail, monkeypatch):
    monkeypatch.setattr(browse, "LOOK", 20)
    monkeypatch.setattr(browse, "LOOKS", 1)
    for action in ("walk-test.r", "walk-test.rare"):
        rows, pages = await walked(trail, action=action)
        assert (len(rows), pages) == (1, 1)


async def test_no_event_is_lost_or_told_twice_between_pages(trail, monkeypatch):
    monkeypatch.setattr(browse, "LOOK", 20)
    rows, _ = await walked(trail, limit=15, text="thing")
    refs = [row.ref for row in rows]
    assert len(refs) == len(set(refs)) == 50


async def test_days_are_those_of_the_viewer_and_both_included(trail):
    day = AuditAsked(since=date(2026, 3, 1), until=date(2026, 3, 1), zone=ZoneInfo("Asia/Tokyo"))
    meant = await trail.read(room.wanted, day)
    assert meant.since == datetime(2026, 2, 28, 15, tzinfo=UTC)
    assert meant.until == datetime(2026, 3, 1, 15, tzinfo=UTC)
    beyond = await trail.read(room.wanted, AuditAsked(since=date(1, 1, 1), until=date(9999, 12, 31)))
    assert (beyond.since, beyond.until) == (None, None)


async def test_everything_is_streamed_and_other_organizations_are_not(trail):
    trail.write_sync(audit.record, Seen.RARE, resource_type="x", resource_id="x", organization_id=99)
    parts = [part async for part in room.everything(trail, AuditAsked(action="walk-test."))]
    assert sum(map(len, parts)) == 50
