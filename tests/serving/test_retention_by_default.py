"""Defaults carried out: what they lengthen, what they shorten, and for whom."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

import quarterdeck.instance  # noqa: F401 - registers the categories of all rooms
from quarterdeck.deploy.observation.model import LogArchive
from quarterdeck.identity import setup
from quarterdeck.identity.model import Organization
from quarterdeck.kernel import audit, events, jobs, retention
from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.retention import Category, Share, Sweep, defaults
from quarterdeck.kernel.retention.categories import find
from quarterdeck.kernel.retention.defaults import SYSTEM, Wish
from quarterdeck.kernel.retention.model import RetentionDefault
from support.served import SOURCE, deployed

DAY = 86_400
NOW = datetime(2026, 6, 1, tzinfo=UTC)
STORED = {
    "audit-rows", "deployment-logs", "domain-event-streams", "process-attempts", "provider-job-logs",
    "resource-runtime-log-archives",
}  # fmt: skip


class SweptAction(audit.Action):
    SEEN = "swept.seen"


def said(owner: int, days: int, *, destructive: bool = False, dry_run: bool = True) -> RetentionDefault:
    wish = Wish("x", owner, days, dry_run, destructive, enabled=True)
    return RetentionDefault(**asdict(wish))


async def nobody(instance, sweep) -> int:
    return 0


def days(count: int) -> datetime:
    return NOW - timedelta(days=count)


KEPT = Category("x", "x", timedelta(days=100), sweep=nobody, governed="x")
FOREVER = Category("x", "x", None, sweep=nobody, governed="x")
ALL = Share()


@pytest.mark.parametrize(
    ("category", "policies", "expected"),
    [
        (KEPT, [], [Sweep(ALL, days(100))]),
        (FOREVER, [], []),
        # What is not destructive never shortens, but it lengthens.
        (KEPT, [said(SYSTEM, 30, dry_run=False)], [Sweep(ALL, days(100))]),
        (KEPT, [said(SYSTEM, 300, dry_run=False)], [Sweep(ALL, days(300))]),
        (KEPT, [said(SYSTEM, 30)], [Sweep(ALL, days(100)), Sweep(ALL, days(30), told=True, dry_run=True)]),
        (FOREVER, [said(SYSTEM, 30)], [Sweep(ALL, days(30), told=True, dry_run=True)]),
        # What is destructive does what it says.
        (KEPT, [said(SYSTEM, 30, destructive=True)], [Sweep(ALL, days(30), told=True)]),
        (KEPT, [said(SYSTEM, 300, destructive=True)], [Sweep(ALL, days(300), told=True)]),
        (FOREVER, [said(SYSTEM, 30, destructive=True)], [Sweep(ALL, days(30), told=True)]),
        # An organization's own goes before the system's.
        (
            KEPT,
            [said(SYSTEM, 30, destructive=True), said(7, 300, dry_run=False), said(5, 1, destructive=True)],
            [
                Sweep(Share(5), days(1), told=True),
                Sweep(Share(7), days(300)),
                Sweep(Share(None, (5, 7)), days(30), told=True),
            ],
        ),
    ],
)
def test_what_defaults_make_of_a_category(category, policies, expected):
    assert defaults.sweeps(category, policies, NOW) == expected


def test_whose_things_a_share_is():
    assert 3 in Share(3)
    assert 4 not in Share(3)
    assert None not in Share(3)
    assert 4 in Share(None, (3,))
    assert None in Share(None, (3,))
    assert 3 not in Share(None, (3,))


def test_every_category_of_the_contract_that_has_a_store_is_governed():
    assert {one.governed for one in retention.categories() if one.governed} == STORED


@pytest.fixture
async def homes(house):
    """Two organizations."""

    def verb(tx):
        home = setup.default_organization(tx)
        other = tx.add(Organization(uid=tx.ids.uid(), ref="org_2", name="Two", slug="two", created_at=tx.now))
        return home.id, other.id

    return await house.db.write(verb)


async def say(house, category, owner, count, **more):
    wish = Wish(category, owner, count, True, more.get("destructive", True), True)
    await house.db.write(lambda tx: defaults.configure(tx, None, wish, organization_id=1))


async def test_audit_rows_of_each_organization_go_at_their_own_time(house, clock, homes):
    one, two = homes

    def acts(tx):
        for organization in homes:
            audit.record(tx, SweptAction.SEEN, resource_type="t", resource_id="held", organization_id=organization)
            audit.record(tx, SweptAction.SEEN, resource_type="t", resource_id="free", organization_id=organization)
        audit.hold(tx, "a case in court", organization_id=one, aggregate_id="held")

    await house.db.write(acts)
    while await house.db.write(audit.seal):
        pass
    await say(house, "audit-rows", one, 10)
    await say(house, "audit-rows", two, 1000, destructive=False)

    async def left(organization):
        found = await house.db.read(audit.page, organization_id=organization, action="swept.seen")
        return sorted(event.resource_id for event in found.events)

    clock.advance(10 * DAY)
    assert await retention.tidy(house, "audit-events") == 0  # exactly ten days old
    clock.advance(1)
    assert await retention.tidy(house, "audit-events") == 2  # the free one, and that a hold was placed
    assert (await left(one), await left(two)) == (["held"], ["free", "held"])
    clock.advance(800 * DAY)  # beyond what the program keeps by itself
    await retention.tidy(house, "audit-events")
    assert (await left(one), await left(two)) == (["held"], ["free", "held"])
    assert (await house.db.read(audit.verify)).ok


async def test_a_default_that_only_looks_counts_and_takes_nothing(house, clock, homes):
    def acts(tx):
        audit.record(tx, SweptAction.SEEN, resource_type="t", resource_id="x", organization_id=homes[0])
        events.append(tx, "deployment:dep_1", "x", {}, organization_id=homes[0])
        events.append(tx, "project:prj_1", "x", {}, organization_id=homes[0])
        events.append(tx, "project:prj_1", "x", {}, organization_id=homes[0])

    await house.db.write(acts)
    await house.db.write(audit.seal)
    for category in ("audit-rows", "domain-event-streams"):
        await say(house, category, SYSTEM, 10, destructive=False)
    clock.advance(11 * DAY)
    for name, count in (("audit-events", 1), ("domain-events", 3)):
        category = find(name)
        done = await retention.jobs.carry_out(house, category)
        assert done["removed"] == 0, name
        assert done["wouldRemove"] >= count, name
    assert len(await house.db.read(events.read, "deployment:dep_1")) == 1


async def test_a_destructive_default_reaches_what_is_history_otherwise(house, clock, homes):
    await house.db.write(lambda tx: events.append(tx, "deployment:dep_1", "x", {}, organization_id=homes[0]))
    await say(house, "domain-event-streams", homes[1], 10)
    clock.advance(200 * DAY)
    await retention.tidy(house, "domain-events")
    assert len(await house.db.read(events.read, "deployment:dep_1")) == 1
    await say(house, "domain-event-streams", homes[0], 10)
    await retention.tidy(house, "domain-events")
    assert await house.db.read(events.read, "deployment:dep_1") == []


async def test_jobs_of_an_organization_go_by_its_default(house, clock, homes):
    jobs.kinds.register(jobs.JobKind("retention.test"))

    def ended(tx):
        for organization in (*homes, None):
            job = jobs.enqueue(tx, jobs.Enqueue("retention.test", {}, organization))
            jobs.cancel(tx, job.id, "not needed")

    await house.db.write(ended)
    await say(house, "process-attempts", homes[0], 5)
    clock.advance(6 * DAY)
    assert await retention.tidy(house, "jobs") == 1
    clock.advance(90 * DAY)
    assert await retention.tidy(house, "jobs") == 2


async def test_lines_and_their_archives_go_by_defaults_alone(deck, monkeypatch):
    """Deployments' lines and kept lines: for ever, until a default says otherwise."""
    from quarterdeck.kernel.clock import HeldClock

    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    deployment = await deployed(deck, resource, server)
    instance, now = deck.instance, deck.instance.db.clock.now()
    line = Line(now, "quarterdeck", "system", None, "info", "said")
    for stream in (f"deployment:{deployment}", f"runtime:{resource}", f"server:{server}"):
        await instance.logs.store(stream, [line])
    await deck.do("resources.runtime-logs.archive", {}, resourceId=resource)

    async def tidied():
        with monkeypatch.context() as then:
            then.setattr(instance.db, "clock", HeldClock(now + timedelta(days=13)))
            return [
                await retention.tidy(instance, name) for name in ("deployment-logs", "log-archives", "provider-lines")
            ]

    assert await tidied() == [0, 0, 0]
    for category in ("deployment-logs", "resource-runtime-log-archives", "provider-job-logs"):
        body = {"category": category, "retentionDays": 12, "scope": "organization"}
        await deck.do("retention-defaults.configure", body)
    assert await tidied() == [0, 0, 0]
    for category in ("deployment-logs", "resource-runtime-log-archives", "provider-job-logs"):
        body = {"category": category, "retentionDays": 12, "destructiveSchedulingEnabled": True}
        await deck.do("retention-defaults.configure", {**body, "scope": "organization"})
    assert await tidied() == [1, 1, 1]
    assert await instance.db.read(lambda tx: list(tx.scalars(select(LogArchive.id)))) == []
    assert await instance.logs.read(f"deployment:{deployment}") == []
    assert (await instance.logs.state(f"runtime:{resource}")).head == 1


@pytest.fixture
async def deck(tmp_path, database_address):
    from support.deck import running, signed_in

    async with running(tmp_path, database_address) as fresh:
        yield await signed_in(fresh)
