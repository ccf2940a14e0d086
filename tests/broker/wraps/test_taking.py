"""A value is given out once, to the one that it is for, and is gone from the database then."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from quarterdeck.broker.wraps import taking
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.kernel.errors import Conflict, Forbidden, Gone, NotFound, Problem, Unauthenticated

VALUE = b"s3cr3t-DB-pass!"
NOBODY = "00000000-0000-7000-8000-000000000000"


def code(act, *args):
    with pytest.raises(Problem) as refused:
        act(*args)
    return refused.value.code


def test_an_agent_gets_the_value_of_the_job_that_it_holds_once(yard):
    agent, request = yard.agent(), yard.request()
    job = agent.claim()
    (told,) = job.payload["wraps"]
    assert told["key_name"] == "DB_PASSWORD"
    assert agent.take(told["wrap_id"]) == VALUE
    with pytest.raises(Gone) as refused:
        agent.take(told["wrap_id"])
    assert refused.value.code == "wrap_consumed"
    (wrap,) = yard.wraps(request)
    assert (wrap.sealed, wrap.consumed_by_agent_id, wrap.consumed_by_user_id) == (None, agent.worker.id, None)
    assert wrap.consumed_at == yard.clock.now()


def test_the_trail_of_a_value_is_one_and_has_no_hash_that_could_be_guessed(yard):
    agent, request = yard.agent(), yard.request()
    job = agent.claim()
    given = agent.fetch(yard.wrap(request))
    agent.complete(job.uid)
    trail = [one for one in yard.told() if one["correlation_id"] == request]
    assert [one["action"] for one in trail] == [
        "wrap.create", "job.enqueue", "job.claim", "wrap.retrieve", "job.complete", "request.transition",
    ]  # fmt: skip
    assert [(one["actor_kind"], one["actor_id"]) for one in trail[2:]] == [("agent", agent.worker.id)] * 4
    whole = str(yard.told())
    assert given.content_hash not in whole
    assert VALUE.decode() not in whole
    created, retrieved = trail[0]["detail"], trail[3]["detail"]
    assert created["content_hash"] == retrieved["content_hash"] != given.content_hash
    assert (created["byte_length"], created["ttl_seconds"]) == (15, 7 * 86_400)


def test_without_a_key_on_file_nothing_is_given_out_and_nothing_burns(yard):
    agent, request = yard.agent(key=False), yard.request()
    agent.claim()
    assert code(agent.fetch, yard.wrap(request)) == "agent_key_missing"
    agent.register()
    assert agent.take(yard.wrap(request)) == VALUE


def test_a_key_that_was_replaced_after_the_approval_is_what_the_value_is_sealed_to(yard):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    before = agent.private
    agent.register(bytes(range(2, 34)))
    assert agent.private != before
    assert agent.take(yard.wrap(request)) == VALUE


@pytest.mark.parametrize("claimed", [False, True])
def test_a_value_of_another_agents_job_is_not_there_and_stays(yard, claimed):
    agent, other = yard.agent(), yard.agent("agent-2")
    request = yard.request()
    if claimed:
        agent.claim()
    assert code(other.fetch, yard.wrap(request)) == "wrap_not_found"
    assert yard.wraps(request)[0].sealed is not None
    if claimed:
        assert agent.take(yard.wrap(request)) == VALUE


def test_an_agent_that_holds_another_job_gets_nothing_of_this_one(yard):
    agent, other = yard.agent(), yard.agent("agent-2")
    first, second = yard.request(), yard.request()
    assert agent.claim().correlation_uid == first
    assert other.claim().correlation_uid == second
    assert code(other.fetch, yard.wrap(first)) == "wrap_not_found"
    assert code(other.fetch, NOBODY) == "wrap_not_found"
    assert (agent.take(yard.wrap(first)), other.take(yard.wrap(second))) == (VALUE, VALUE)


@pytest.mark.parametrize("status", ["pending", "rejected", "cancelled", "expired", "failed", "executed"])
def test_a_value_of_a_request_that_is_not_approved_is_not_given_out_and_stays(yard, status):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    yard.change(request, status=status)
    assert code(agent.fetch, yard.wrap(request)) == "request_not_approved"
    assert yard.wraps(request)[0].consumed_at is None


def test_a_request_that_ran_out_is_not_approved_any_more_whoever_has_noticed(yard):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    yard.change(request, expires_at=yard.clock.now())
    assert code(agent.fetch, yard.wrap(request)) == "request_not_approved"


def test_values_last_as_long_as_a_claim_and_again_longer_when_their_job_waits(yard):
    agent, request = yard.agent(), yard.request()
    approved = yard.wraps(request)[0].expires_at
    assert (approved - yard.clock.now()).total_seconds() == 3600
    agent.claim()
    assert (yard.wraps(request)[0].expires_at - yard.clock.now()).total_seconds() == 300
    yard.lapse()
    assert yard.wraps(request)[0].expires_at == approved


def test_an_hour_later_everything_is_over_without_any_sweep(yard):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    yard.clock.advance(301)
    assert code(agent.fetch, yard.wrap(request)) == "wrap_expired"
    assert yard.wraps(request)[0].consumed_at is None
    late = yard.request()
    yard.clock.advance(3600)
    assert agent.claim() is None
    assert (yard.job(late).status, yard.job(late).error_code) == ("failed", "request_not_approved")
    assert yard.wraps(late)[0].sealed is None


def test_a_clock_that_goes_back_by_an_hour_gives_nothing_out_twice(yard):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    assert agent.take(yard.wrap(request)) == VALUE
    yard.clock.advance(-3600)
    assert code(agent.fetch, yard.wrap(request)) == "wrap_consumed"


def test_a_value_that_was_moved_to_another_row_does_not_open_and_does_not_burn(yard):
    agent = yard.agent()
    mine, other = yard.request(values={"A": b"mine"}), yard.request(values={"A": b"theirs"})
    agent.claim()
    agent.claim()
    stolen = yard.wraps(other)[0].sealed
    here = update(Wrap).where(Wrap.uid == yard.wrap(mine)).values(sealed=stolen)
    yard.act(lambda tx: tx.execute(here))
    assert code(agent.fetch, yard.wrap(mine)) == "secret_unreadable"
    assert yard.wraps(mine)[0].consumed_at is None
    moved = update(Wrap).where(Wrap.uid == yard.wrap(other)).values(key_name="B")
    yard.act(lambda tx: tx.execute(moved))
    assert code(agent.fetch, yard.wrap(other)) == "secret_unreadable"


def test_while_the_vault_is_locked_nothing_burns(yard, monkeypatch):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    vault = yard.db.write_sync(lambda tx: tx.vault)
    kept, active = dict(vault._keys), vault._active
    monkeypatch.setattr(vault, "_db", None)
    vault._keys, vault._active = {}, None
    assert code(agent.fetch, yard.wrap(request)) == "secret_unreadable"
    assert yard.wraps(request)[0].consumed_at is None
    vault._keys, vault._active = kept, active
    assert agent.take(yard.wrap(request)) == VALUE


def test_who_was_revoked_while_holding_gets_nothing_and_the_job_waits_for_another(yard):
    agent, other, request = yard.agent(), yard.agent("agent-2"), yard.request()
    agent.claim()
    who = agent.act(lambda tx: tx.principal)
    yard.revoke(agent)
    with pytest.raises(Unauthenticated):
        agent.fetch(yard.wrap(request))
    assert yard.job(request).status == "queued"
    assert other.claim().correlation_uid == request
    assert other.take(yard.wrap(request)) == VALUE
    assert who.uid == agent.worker.uid


def test_only_the_requester_gets_what_was_delivered_and_once(yard):
    agent, request, eve = yard.agent(), yard.request("read"), yard.person("eve")
    job = agent.claim()
    wrap = agent.deliver(request, "DB_PASSWORD", b"found")
    with pytest.raises(Forbidden) as refused:
        yard.read(request, wrap.uid, by=eve)
    assert refused.value.code == "wrap_not_yours"
    agent.complete(job.uid)
    yard.change(request, status="executed")
    assert yard.read(request, wrap.uid) == b"found"
    assert code(yard.read, request, wrap.uid) == "wrap_consumed"
    kept = yard.wraps(request)[0]
    assert (kept.sealed, kept.consumed_by_user_id, kept.consumed_by_agent_id) == (None, yard.ada.id, None)


def test_people_get_no_values_that_are_for_agents(yard):
    request = yard.request("patch")
    assert code(yard.read, request, yard.wrap(request)) == "wrap_not_found"
    assert code(yard.read, NOBODY, yard.wrap(request)) == "wrap_not_found"


def test_a_delivered_value_of_another_request_of_ones_own_is_not_there(yard):
    agent, request, other = yard.agent(), yard.request("read"), yard.request("read")
    agent.claim()
    wrap = agent.deliver(request, "DB_PASSWORD", b"found")
    assert code(yard.read, other, wrap.uid) == "wrap_not_found"
    yard.change(request, status="failed")
    assert code(yard.read, request, wrap.uid) == "request_not_retrievable"
    yard.change(request, status="approved")
    assert yard.read(request, wrap.uid) == b"found"


def test_a_refusal_is_written_down_with_its_reason(yard):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    agent.take(yard.wrap(request))
    with pytest.raises(Gone) as refused:
        agent.take(yard.wrap(request))
    agent.act(lambda tx: taking.note_refusal(tx, yard.wrap(request), refused.value))
    told = yard.told("wrap.retrieve")[-1]
    assert (told["outcome"], told["detail"]["error_kind"], told["correlation_id"]) == (
        "denied", "already_consumed", request,
    )  # fmt: skip
    agent.act(lambda tx: taking.note_refusal(tx, yard.wrap(request), NotFound("another", code="other")))
    agent.act(lambda tx: taking.note_refusal(tx, NOBODY, refused.value))
    assert yard.told("wrap.retrieve")[-1] == told


def test_a_conflict_is_told_apart_from_what_is_not_there(yard):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    yard.lapse()
    with pytest.raises((Conflict, NotFound)):
        agent.fetch(yard.wrap(request))
    assert yard.wraps(request)[0].consumed_at is None
