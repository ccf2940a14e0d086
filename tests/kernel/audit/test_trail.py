from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta

import psycopg
import pytest

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import Action
from quarterdeck.kernel.errors import Forbidden, Invalid, NotFound
from quarterdeck.kernel.principal import Context, Principal, current
from quarterdeck.kernel.vault import Secret
from support.promptness import best

from .conftest import ThingAction, record

REFUSED = (sqlite3.IntegrityError, psycopg.errors.RestrictViolation)


def test_an_event_says_who_did_what_to_which_thing_in_which_request(database):
    ada = Principal(kind="user", id=7, uid="u-7", label="ada", organization_id=3)
    token = current.set(Context(principal=ada, request_id="req_1", correlation_id="cor_1", address="192.0.2.7"))
    try:
        written = database.write_sync(
            audit.record, ThingAction.READ, resource_type="thing", resource_id="thg_1", aggregate_id="prj_1"
        )
    finally:
        current.reset(token)
    shown = database.read_sync(audit.show, written.ref, organization_id=3, aggregate_id="prj_1")
    assert shown == written
    assert (shown.actor_kind, shown.actor_id, shown.actor_label) == ("user", 7, "ada")
    assert (shown.request_id, shown.correlation_id, shown.address) == ("req_1", "cor_1", "192.0.2.7")
    assert (shown.organization_id, shown.action, shown.outcome) == (3, "test-thing.read", "success")


def test_details_are_redacted_by_type_and_by_name(database):
    detail = {
        "name": "x",
        "dbPassword": "p",
        "tokenId": "tok_1",
        "nested": [{"apiKey": "k"}, Secret("s")],
        "at": object(),
    }
    written = record(database, detail=detail)
    assert written.detail == {
        "name": "x",
        "dbPassword": "****",
        "tokenId": "tok_1",
        "nested": [{"apiKey": "****"}, "****"],
        "at": "<object>",
    }


def test_an_event_is_lost_with_the_change_that_it_speaks_of(database):
    def refused(tx):
        audit.record(tx, ThingAction.MADE, resource_type="thing", resource_id="thg_1")
        raise Forbidden("no")

    with pytest.raises(Forbidden):
        database.write_sync(refused)
    assert database.read_sync(audit.page, organization_id=None).events == []


async def test_a_refusal_is_written_down_in_a_unit_of_its_own(database):
    await audit.record_refusal(database, ThingAction.MADE, resource_type="thing", resource_id="thg_1")
    (event,) = (await database.read(audit.page, organization_id=None)).events
    assert event.outcome == "denied"


def test_an_action_of_wrong_form_or_taken_stops_the_import():
    with pytest.raises(ValueError, match=r"not of the form subject\.action"):

        class Shouted(Action):
            DONE = "Thing Done"

    with pytest.raises(ValueError, match="declared by"):

        class Twin(Action):
            MADE = "test-thing.made"


@pytest.mark.parametrize("table", ["audit_events", "audit_seals", "audit_tombstones"])
def test_updates_and_deletes_are_refused_by_the_database(database, intruder, table):
    record(database)
    record(database)
    database.write_sync(audit.seal)
    database.write_sync(audit.prune, database.clock.now() + timedelta(seconds=1), dry_run=False, limit=1)
    column = "outcome = 'denied'" if table == "audit_events" else "hash = 'x'"
    for statement in (f"UPDATE {table} SET {column}", f"DELETE FROM {table}"):
        with pytest.raises(REFUSED, match="append-only"):
            intruder.run(statement, triggers=True)
    around = {"postgresql": f"TRUNCATE {table}", "sqlite": f"REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"}
    with pytest.raises(REFUSED, match="append-only"):
        intruder.run(around[intruder.kind], triggers=True)


def test_lists_are_newest_first_and_walked_by_cursor(database):
    for number in range(5):
        record(database, f"thg_{number}", aggregate_id="prj_1")
    record(database, "other", aggregate_id="prj_2")
    record(database, "foreign", aggregate_id="prj_1", organization_id=2)
    seen, cursor = [], None
    while True:
        page = database.read_sync(audit.page, organization_id=1, aggregate_id="prj_1", limit=2, cursor=cursor)
        seen += [event.resource_id for event in page.events]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["thg_4", "thg_3", "thg_2", "thg_1", "thg_0"]
    with pytest.raises(Invalid):
        database.read_sync(audit.page, organization_id=1, cursor="!")


def test_an_event_of_another_organization_is_not_shown(database):
    written = record(database, organization_id=2)
    with pytest.raises(NotFound):
        database.read_sync(audit.show, written.ref, organization_id=1)


async def test_events_are_sealed_within_a_second_of_their_commit(database):
    sealing = asyncio.create_task(audit.Sealer(database).run())
    await asyncio.sleep(0.1)
    try:

        async def sealed() -> None:
            await database.write(audit.record, ThingAction.MADE, resource_type="thing", resource_id="thg_1")
            async with asyncio.timeout(60):
                while (await database.read(audit.verify)).unsealed.count:
                    await asyncio.sleep(0.02)

        assert await best(sealed, 1) <= 1
    finally:
        sealing.cancel()
