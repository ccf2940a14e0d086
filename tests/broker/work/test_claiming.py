"""Who gets which job, what becomes of one whose agent vanishes, and how jobs end."""

from __future__ import annotations

import pytest

from quarterdeck.broker.work import by_hand, cancelling, creating
from quarterdeck.broker.work.creating import Asked
from quarterdeck.broker.work.effects import effects
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound, Problem

NOBODY = "00000000-0000-7000-8000-000000000000"


def code(act, *args, **more):
    with pytest.raises(Problem) as refused:
        act(*args, **more)
    return refused.value.code


@pytest.fixture
def ended():
    """Uids and statuses of the jobs whose end another room hears."""
    heard = []
    effects.register("test", lambda _tx, job: heard.append((job.uid, job.status)))
    yield heard
    effects._ended.pop("test")


def test_the_oldest_job_is_taken_first_with_what_the_agent_has_to_know(yard):
    agent, first, second = yard.agent(), yard.request(), yard.request("read")
    job = agent.claim()
    assert job.payload == {
        "request_id": first,
        "target_provider_type": "vault",
        "target_provider_config": {},
        "target_secret_ref": "apps/shop",
        "target_keys": ["DB_PASSWORD"],
        "target_scope": {"environment": "production"},
        "wraps": [{"wrap_id": yard.wrap(first), "key_name": "DB_PASSWORD"}],
    }
    assert (job.status, job.correlation_uid, job.worker_id) == ("claimed", first, agent.worker.id)
    assert "wraps" not in agent.claim().payload
    assert agent.claim() is None
    assert yard.job(second).job_type == "read"


def test_an_agent_of_a_scope_takes_what_is_within_and_nothing_else(yard):
    staging = yard.agent("staging", scope={"environment": "staging"})
    assert yard.request() is not None
    assert staging.claim() is None
    assert not staging.waits()
    fits = yard.request(environment_name="staging")
    assert staging.waits()
    assert staging.claim().correlation_uid == fits


def test_a_job_that_asks_for_a_cluster_is_for_its_agents_alone(yard):
    anywhere, here, there = (
        yard.agent("a"),
        yard.agent("b", scope={"cluster": "eu"}),
        yard.agent("c", scope={"cluster": "us"}),
    )
    request = yard.request(agent_scope={"cluster": "eu"})
    assert (anywhere.claim(), there.claim()) == (None, None)
    assert here.claim().correlation_uid == request
    other = yard.request()
    assert there.claim().correlation_uid == other


def test_what_the_documented_program_does_not_know_is_not_given_to_it(yard):
    agent = yard.agent()
    request = yard.request("rotate")
    assert agent.claim() is None
    sealed = yard.request("read", recipient_key="B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=")
    assert agent.claim() is None
    agent.beat(capabilities=["rotate"])
    assert agent.claim().correlation_uid == request
    agent.beat(capabilities=["rotate", "recipient-key"])
    assert agent.claim().correlation_uid == sealed


def test_without_a_connection_only_foreign_agents_take_a_job(yard):
    request = yard.request()
    assert (yard.own().claim(), yard.enrolled().claim()) == ([], [])
    assert yard.agent().claim().correlation_uid == request


def test_what_the_server_itself_keeps_is_for_its_own_worker_alone(yard):
    request = yard.request(connection=yard.connection("quarterdeck"))
    assert (yard.agent().claim(), yard.enrolled().claim()) == (None, [])
    assert yard.own().claim() == [yard.job(request).uid]


def test_a_connection_is_for_the_servers_own_worker_where_it_says_so(yard):
    elsewhere = yard.request(connection=yard.connection("vault"))
    assert yard.own().claim() == []
    assert yard.enrolled().claim() == [yard.job(elsewhere).uid]
    here = yard.request(connection=yard.connection("vault", allow_server=True, address="https://vault.example.com"))
    own = yard.own()
    assert own.claim() == [yard.job(here).uid]
    assert own.order(yard.job(here).uid)["connection"]["config"]["address"] == "https://vault.example.com"


def test_an_enrolled_worker_is_confined_by_the_scope_that_it_was_enrolled_for(yard):
    worker = yard.enrolled("forge", "secrets:environment:staging")
    place = yard.connection("vault")
    yard.request(connection=place)
    fits = yard.request(connection=place, environment_name="staging")
    assert worker.claim() == [yard.job(fits).uid]


def test_a_lapsed_job_waits_again_and_another_agent_gets_it(yard):
    agent, other, request = yard.agent(), yard.agent("agent-2"), yard.request()
    job = agent.claim()
    yard.clock.advance(30)
    again = other.claim()
    assert (again.uid, again.attempts, again.worker_id) == (job.uid, 2, other.worker.id)
    assert code(agent.complete, job.uid) == "broker_job_not_held"
    assert code(agent.fetch, yard.wrap(request)) == "wrap_not_found"
    other.take(yard.wrap(request))
    other.complete(job.uid)
    assert yard.job(request).status == "succeeded"
    (returned,) = yard.told("job.requeue")
    assert (returned["correlation_id"], returned["detail"]["agent"]) == (request, agent.worker.uid)


def test_a_lapsed_lease_that_nobody_else_has_taken_up_may_still_be_completed(yard):
    agent, request = yard.agent(), yard.request()
    job = agent.claim()
    yard.clock.advance(40)
    agent.complete(job.uid)
    assert yard.job(request).status == "succeeded"


def test_a_late_word_about_a_job_that_waits_again_changes_nothing(yard):
    agent, request = yard.agent(), yard.request()
    job = agent.claim()
    yard.lapse()
    assert code(agent.complete, job.uid) == "broker_job_not_held"
    assert yard.job(request).status == "queued"


def test_a_job_that_lapses_three_times_fails_with_its_request(yard, ended):
    agent, request = yard.agent(), yard.request()
    for attempt in (1, 2, 3):
        assert agent.claim().attempts == attempt
        assert ended == []
        yard.lapse()
    job = yard.job(request)
    assert (job.status, job.error_code, job.attempts) == ("failed", "broker_agent_lost", 3)
    assert ended == [(job.uid, "failed")]
    assert agent.claim() is None
    assert yard.wraps(request)[0].sealed is None
    assert code(agent.complete, job.uid) == "broker_job_not_held"
    assert yard.carried(request).state == "failed"


def test_an_agent_that_vanishes_with_a_value_ends_the_job(yard, ended):
    agent, request = yard.agent(), yard.request(values={"A": b"1", "B": b"2"})
    agent.claim()
    agent.take(yard.wraps(request)[0].uid)
    yard.lapse()
    job = yard.job(request)
    assert (job.status, job.error_code) == ("failed", "broker_agent_lost")
    assert "may have changed" in job.error_message
    assert [one.sealed for one in yard.wraps(request)] == [None, None]
    assert ended == [(job.uid, "failed")]


def test_a_job_is_completed_once_and_again_is_a_success(yard, ended):
    agent, request = yard.agent(), yard.request()
    job = agent.claim()
    agent.complete(job.uid)
    agent.complete(job.uid)
    agent.complete(job.uid, "failed", "changed my mind")
    assert (yard.job(request).status, yard.job(request).error_message) == ("succeeded", None)
    assert ended == [(job.uid, "succeeded")]
    actions = [one["action"] for one in yard.told("job.complete")]
    assert actions == ["job.complete", "job.complete.idempotent", "job.complete.idempotent"]
    assert {one["correlation_id"] for one in yard.told("job.")} == {request}


def test_another_agent_cannot_complete_a_job_that_has_ended(yard):
    agent, other, request = yard.agent(), yard.agent("agent-2"), yard.request()
    job = agent.claim()
    assert code(other.complete, job.uid) == "broker_job_not_held"
    agent.complete(job.uid)
    assert code(other.complete, job.uid) == "broker_job_not_held"
    assert code(agent.complete, NOBODY) == "broker_job_not_found"
    assert code(agent.complete, job.uid, "done") == "job_status_unknown"
    assert yard.job(request).status == "succeeded"


def test_a_failure_is_told_without_what_looks_like_a_secret(yard, ended):
    agent, request = yard.agent(), yard.request("read")
    job = agent.claim()
    agent.deliver(request, "DB_PASSWORD", b"found")
    said = "GET https://ops:hunter2@vault/v1?token=hvs.CAESIJ1234567890abcdefgh AKIAIOSFODNN7EXAMPLE\n" + "x" * 9000
    agent.complete(job.uid, "failed", said)
    told = yard.job(request).error_message
    assert len(told) <= 1000
    for secret in ("hunter2", "hvs.CAES", "AKIAIOSFODNN7EXAMPLE", "\n"):
        assert secret not in told
        assert secret not in (yard.carried(request).error_message or "")
    assert ended == [(job.uid, "failed")]
    assert [one.sealed for one in yard.wraps(request)] == [None]


def test_a_request_has_one_job(yard):
    request = yard.requested(yard.request())
    asked = Asked("patch", request.organization_id, request)
    assert code(yard.act, creating.create, asked) == "request_has_job"


def test_a_job_of_a_request_that_is_over_can_be_ended(yard, ended):
    agent, request, waiting = yard.agent(), yard.request(), yard.request()
    agent.claim()
    for uid in (request, waiting):
        assert yard.act(lambda tx, uid=uid: cancelling.cancel(tx, tx.get(BrokerJob, yard.job(uid).id), "over"))
        assert yard.job(uid).status == "cancelled"
        assert not yard.act(lambda tx, uid=uid: cancelling.cancel(tx, tx.get(BrokerJob, yard.job(uid).id), "over"))
    assert code(agent.complete, yard.job(request).uid) == "broker_job_not_held"
    assert agent.claim() is None
    assert (yard.carried(request).state, yard.carried(waiting).state) == ("failed", "canceled")
    assert ended == []


def test_a_draining_or_busy_agent_is_given_nothing(yard):
    agent = yard.agent()
    for _ in range(17):
        yard.request("read")
    held = [agent.claim() for _ in range(17)]
    assert [one is None for one in held] == [False] * 16 + [True]


def test_jobs_by_hand_are_those_that_no_request_is_carried_out_by(yard):
    for job_type in ("patch", "read", "update", "rotate"):
        assert code(yard.act, by_hand.ask, job_type) == "job_type_reserved"
    for job_type in ("", "execute", "x" * 400):
        assert code(yard.act, by_hand.ask, job_type) == "job_type_unknown"
    request = yard.request("read")
    agent = yard.agent()
    agent.complete(agent.claim().uid)
    job = yard.act(by_hand.ask, "verify", {}, {"target_secret_ref": "apps/shop"}, request)
    assert (job.request_id, job.correlation_uid) == (None, request)
    assert agent.claim().uid == job.uid
    with pytest.raises(NotFound):
        yard.act(by_hand.ask, "verify", {}, {}, NOBODY)


@pytest.mark.parametrize(
    ("payload", "code_"),
    [
        ({"target_provider_config": {"address": "https://evil.example"}}, "provider_config_refused"),
        ({"target_provider_config": {"connection": "x", "address": "y"}}, "provider_config_refused"),
        ({"target_provider_config": "vault"}, "provider_config_refused"),
        ({"target_provider_config": {"connection": "nowhere"}}, "connection_not_found"),
        ({"vault": {"token": "hvs.abc"}}, "payload_with_credentials"),
        ({"list": [{"awsSecretAccessKey": "x"}]}, "payload_with_credentials"),
        ({"note": "x" * 70_000}, "payload_too_large_for_job"),
    ],
)
def test_a_payload_by_hand_carries_no_address_and_no_credential(yard, payload, code_):
    assert code(yard.act, by_hand.ask, "discover", {}, payload) == code_
    assert yard.told("job.") == []


def test_a_job_of_an_unusable_scope_is_not_made(yard):
    with pytest.raises(Invalid):
        yard.act(by_hand.ask, "discover", {"cluster": 7})
    with pytest.raises(Conflict):
        jobs.kinds.get("broker.run").work.again(None, None)
