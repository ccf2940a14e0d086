"""Who is told that something waits for their approval, and until when."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.infra.plans import asking
from quarterdeck.infra.specs import removing
from quarterdeck.kernel import events
from quarterdeck.notify import choices
from quarterdeck.notify.hooks import offered
from quarterdeck.notify.model import Notification
from support import infra_rows as rows


@pytest.fixture
def people(yard):
    yard.person("viewer", "organization:viewer")
    return [yard.person(name, "organization:developer") for name in ("bob", "cy")]


def told(yard, *, unread: bool = True) -> list[tuple[int, str, str]]:
    """Of approvals alone, once everything that has happened was heard of: whom, the title and the link."""
    (hearing,) = [one for one in events.subscribers() if one.name == "infra-approval-notifications"]
    while yard.db.write_sync(events.deliver, hearing):
        pass
    query = select(Notification).where(Notification.type == asking.NOTIFICATION).order_by(Notification.user_id)
    found = yard.db.read_sync(lambda tx: list(tx.scalars(query)))
    return [(one.user_id, one.title, one.link) for one in found if not (unread and one.read_at)]


def test_who_may_agree_is_told_once_and_who_asked_is_not(yard, people):
    bob, cy = people
    spec = yard.spec(zone_id=yard.zone(approvals=1).uid)
    plan = yard.planned(spec, summary={"create": 2, "replace": 1})
    title, link = "The plan for ledger waits for approval", f"/console/infra/plans/{plan}"
    assert told(yard) == [(bob.id, title, link), (cy.id, title, link)]
    yard.clock.advance(3600)
    assert len(told(yard, unread=False)) == 2
    body = yard.db.read_sync(lambda tx: tx.scalars(select(Notification.body)).first())
    assert body == "2 to create, 1 to replace. Ada has asked for it."
    mine = yard.planned(spec, by=bob)
    assert [user for user, _, link in told(yard) if link.endswith(mine)] == [yard.ada.id, cy.id]
    requested = [one for one in yard.db.read_sync(events.read, f"infra-job:{plan}") if one.type == asking.REQUESTED]
    assert [offered.named(one) for one in requested] == ["infrastructure.job_approval_requested"]


def test_where_nobody_has_to_agree_nobody_is_told(yard, people):
    spec = yard.spec(zone_id=yard.zone().uid)
    yard.planned(spec)
    yard.ask("DESTROY", spec)
    asked = yard.spec("other", zone_id=yard.zone("asks", approvals=1).uid, drift_minutes=60)
    yard.wrote(asked, 1, resources=[rows.resource("a")])
    worker, look = yard.enrolled(), yard.ask("PLAN", asked, read_only=True)
    while look not in worker.claim():
        pass
    worker.phase(look, "prepare")
    worker.end(look)
    assert told(yard, unread=False) == []


def test_what_is_decided_is_taken_off_the_lists(yard, people):
    bob, cy = people
    spec = yard.spec(zone_id=yard.zone(approvals=2).uid)
    plan = yard.planned(spec)
    assert len(told(yard)) == 2
    yard.say(plan, "approved", bob)
    assert [user for user, _, _ in told(yard)] == [cy.id], "who has said it is asked no more"
    yard.say(plan, "approved", cy)
    assert told(yard) == []
    other = yard.planned(spec)
    assert len(told(yard)) == 2
    yard.say(other, "rejected", cy)
    assert told(yard) == []


def test_a_plan_that_is_decided_before_it_is_heard_of_asks_nobody(yard, people):
    spec = yard.spec(zone_id=yard.zone(approvals=1).uid)
    yard.say(yard.planned(spec), "approved", people[0])
    assert told(yard, unread=False) == []


@pytest.mark.parametrize("how", ["cancelled", "approved"])
def test_a_destruction_asks_until_it_is_cancelled_or_allowed(yard, people, how):
    bob, cy = people
    spec = yard.spec(zone_id=yard.zone(destroy_approvals=1).uid)
    uid = yard.ask("DESTROY", spec)
    title = "The destruction of ledger waits for approval"
    assert [(user, words) for user, words, _ in told(yard)] == [(bob.id, title), (cy.id, title)]
    if how == "cancelled":
        yard.cancel(uid)
    else:
        yard.say(uid, "approved", bob)
    assert told(yard) == []


def test_a_plan_of_another_configuration_asks_nobody_any_more(yard, people):
    spec = yard.spec(zone_id=(zone := yard.zone(approvals=1)).uid)
    yard.planned(spec)
    assert len(told(yard)) == 2
    yard.change(spec, zone_id=zone.uid, drift_minutes=600)
    assert len(told(yard)) == 2, "its hash is the same"
    yard.change(spec, zone_id=zone.uid, region="elsewhere")
    assert told(yard) == []
    yard.planned(spec)
    assert len(told(yard)) == 2
    yard.act(removing.delete, yard.access, spec.uid)
    assert told(yard) == []


def test_who_has_muted_it_is_not_told(yard, people):
    bob, cy = people
    yard.act(choices.choose, muted=[asking.NOTIFICATION], by=bob)
    yard.planned(yard.spec(zone_id=yard.zone(approvals=1).uid))
    assert [user for user, _, _ in told(yard)] == [cy.id]
