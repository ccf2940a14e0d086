"""A filter of the audit trail looks through so many events and not the whole trail."""

from __future__ import annotations

import pytest

from quarterdeck.console.domain import ledger
from quarterdeck.identity import setup
from quarterdeck.kernel import audit
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


def page(database, **asked):
    asked = {"action": "", "outcome": "", "actor": "", "before": "", "limit": 10, **asked}
    return database.read_sync(lambda tx: ledger.audit(tx, **asked))


def test_what_is_rare_is_found_page_by_page(trail, monkeypatch):
    monkeypatch.setattr(ledger, "WALK", 20)
    found, pages, before = [], 0, ""
    while True:
        shown = page(trail, action="walk-test.rare", before=before)
        pages += 1
        found += shown.rows
        if shown.older is None:
            break
        before = shown.older
    assert (len(found), pages) == (1, 3)


def test_no_event_is_lost_or_told_twice_between_pages(trail, monkeypatch):
    monkeypatch.setattr(ledger, "WALK", 20)
    refs, before = [], ""
    while True:
        shown = page(trail, before=before, limit=15)
        refs += [row.ref for row in shown.rows]
        if shown.older is None:
            break
        before = shown.older
    assert len(refs) == len(set(refs))
    assert len(refs) >= 50
