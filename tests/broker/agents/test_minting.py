"""How agents come to be, prove themselves, get other secrets, and end."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from quarterdeck.broker.agents import authenticating, leaving, listing, minting
from quarterdeck.broker.agents.model import Agent
from quarterdeck.broker.agents.standing import status
from quarterdeck.broker.sealing.agreement import public_of
from quarterdeck.fleet.workers import draining
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity import users
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unauthenticated
from support.broker_yard import acting

KEY = base64.b64encode(public_of(bytes(range(1, 33)))).decode()
NOBODY = "00000000-0000-7000-8000-000000000000"


def proves(yard, agent, secret=None):
    try:
        yard.db.read_sync(authenticating.authenticate, agent.worker.uid, secret or agent.secret.reveal())
    except Unauthenticated:
        return False
    return True


def standing(yard, agent):
    worker = yard.db.read_sync(lambda tx: tx.get(Worker, agent.worker.id))
    return status(yard.part(agent), worker, yard.clock.now())


def test_a_secret_is_shown_once_and_kept_as_a_hash(yard):
    made = yard.act(minting.mint, "vault-eu", {"cluster": "eu"}, KEY, "x25519")
    secret = made.secret.reveal()
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert len(secret) == 43
    row = yard.db.read_sync(lambda tx: tx.first(select(Agent)))
    assert row.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert (row.scope, row.public_key) == ({"cluster": "eu"}, KEY)
    assert secret not in str(yard.told())
    told = yard.told("agent.mint")[0]
    assert (told["resource_type"], told["resource_id"], told["actor_label"]) == ("agent", made.worker.uid, "ada")
    assert told["detail"] == {"name": "vault-eu", "public_key_algorithm": "x25519"}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "  "}, "validation_error"),
        ({"name": "a\u202eb"}, "validation_error"),
        ({"scope": {"cluster": 7}}, "agent_scope_invalid"),
        ({"scope": {"cluster": ["eu"]}}, "agent_scope_invalid"),
        ({"scope": {"cluster": " "}}, "agent_scope_invalid"),
        ({"scope": {"a,b": "eu"}}, "agent_scope_invalid"),
        ({"scope": {"foreign": "x"}}, "agent_scope_invalid"),
        ({"scope": {f"w{number}": "x" for number in range(11)}}, "agent_scope_invalid"),
        ({"public_key": "YQ=="}, "public_key_invalid"),
        ({"public_key": "not base64"}, "base64_invalid"),
        ({"public_key": base64.b64encode(bytes(32)).decode()}, "public_key_invalid"),
        ({"public_key": KEY, "algorithm": "rsa"}, "public_key_invalid"),
        ({"algorithm": "x25519"}, "validation_error"),
    ],
)
def test_what_is_wrong_about_an_agent_makes_none(yard, given, code):
    with pytest.raises(Invalid) as refused:
        yard.act(minting.mint, **{"name": "vault-eu", **given})
    assert refused.value.code == code
    assert yard.db.read_sync(lambda tx: tx.first(select(Agent))) is None


def test_two_living_agents_have_two_names(yard):
    first = yard.agent("vault-eu")
    with pytest.raises(Conflict) as refused:
        yard.agent("vault-eu")
    assert refused.value.code == "agent_name_taken"
    yard.revoke(first)
    assert yard.agent("vault-eu").worker.uid != first.worker.uid


def test_a_token_of_a_program_makes_no_credentials(yard):
    person = users.principal(yard.ada, yard.organization.id)
    program = type(person)(
        kind="user", id=person.id, uid=person.uid, label=person.label, organization_id=person.organization_id,
        by_token=True,
    )  # fmt: skip
    made = yard.agent()
    with acting(program):
        with pytest.raises(Forbidden):
            yard.db.write_sync(minting.mint, "another")
        with pytest.raises(Forbidden):
            yard.db.write_sync(minting.rotate, made.worker.uid)


def test_only_the_right_id_with_the_right_secret_is_let_in(yard):
    agent, other = yard.agent(), yard.agent("agent-2")
    assert proves(yard, agent)
    mine = agent.secret.reveal()
    told = set()
    for uid, secret in (
        *((agent.worker.uid, one) for one in ("", "x", mine + "x", mine[:-1], other.secret.reveal(), "\udcff")),
        (NOBODY, mine),
        (NOBODY, ""),
    ):
        with pytest.raises(Unauthenticated) as refused:
            yard.db.read_sync(authenticating.authenticate, uid, secret)
        told.add((refused.value.code, refused.value.message))
    assert {code for code, _ in told} == {"agent_auth_rejected"}
    assert len(told) == 1


def test_an_enrolled_worker_has_no_secret_that_anything_matches(yard):
    worker = yard.enrolled()
    for secret in ("", "x"):
        with pytest.raises(Unauthenticated):
            yard.db.read_sync(authenticating.authenticate, worker.row.uid, secret)
    with pytest.raises(Conflict) as refused:
        yard.act(minting.rotate, worker.row.uid)
    assert refused.value.code == "agent_without_secret"


def test_a_rotated_secret_of_before_counts_until_its_time_is_over(yard):
    agent = yard.agent()
    fresh = yard.act(minting.rotate, agent.worker.uid, timedelta(seconds=60)).secret.reveal()
    assert (proves(yard, agent), proves(yard, agent, fresh)) == (True, True)
    yard.clock.advance(60)
    assert (proves(yard, agent), proves(yard, agent, fresh)) == (False, True)
    newest = yard.act(minting.rotate, agent.worker.uid, timedelta()).secret.reveal()
    assert (proves(yard, agent, fresh), proves(yard, agent, newest)) == (False, True)
    assert [one["detail"]["grace_seconds"] for one in yard.told("agent.rotate")] == [60, 0]
    assert newest not in str(yard.told())


@pytest.mark.parametrize("grace", [timedelta(seconds=-1), timedelta(days=2)])
def test_a_secret_of_before_never_counts_for_long(yard, grace):
    agent = yard.agent()
    with pytest.raises(Invalid):
        yard.act(minting.rotate, agent.worker.uid, grace)
    with pytest.raises(NotFound):
        yard.act(minting.rotate, NOBODY)


def test_a_revoked_agent_is_refused_at_once_and_for_ever(yard):
    agent = yard.agent()
    yard.act(leaving.revoke, agent.worker.uid, "its machine was stolen")
    assert not proves(yard, agent)
    assert standing(yard, agent) == "revoked"
    yard.act(leaving.revoke, agent.worker.uid)
    (told,) = yard.told("agent.revoke")
    assert told["detail"]["reason"] == "its machine was stolen"
    with pytest.raises(Conflict):
        yard.act(minting.rotate, agent.worker.uid)
    part = yard.part(agent)
    assert (part.secret_hash, part.public_key) == (None, None)
    with pytest.raises(NotFound):
        yard.act(leaving.revoke, NOBODY)


def test_a_worker_that_does_other_work_stays_one_for_that(yard):
    worker = yard.enrolled("forge", "secrets:cluster:eu", "deploy")
    yard.act(leaving.revoke, worker.row.uid)
    left = yard.db.read_sync(lambda tx: tx.get(Worker, worker.row.id))
    assert (left.capabilities, left.revoked_at) == (["deploy"], None)
    ((_, part),) = yard.act(listing.visible)
    assert part.revoked_at is not None


def test_a_worker_that_is_decommissioned_is_no_agent_any_more(yard):
    agent = yard.agent()
    yard.act(lambda tx: draining.decommission(tx, tx.get(Worker, agent.worker.id)))
    assert not proves(yard, agent)
    assert yard.part(agent).revoked_at is not None
    assert (len(yard.told("worker.revoked")), yard.told("agent.revoke")) == (1, [])


def test_an_enrolled_worker_becomes_an_agent_of_the_scope_that_it_was_enrolled_for(yard):
    worker = yard.enrolled("forge", "secrets:cluster:eu%20west")
    ((row, part),) = yard.act(listing.visible)
    assert (row.uid, part.scope, part.secret_hash) == (worker.row.uid, {"cluster": "eu west"}, None)
    yard.act(lambda tx: minting.adopt(tx, tx.get(Worker, worker.row.id)))
    assert len(yard.act(listing.visible)) == 1


def test_an_agent_is_stale_five_minutes_after_it_was_last_heard(yard):
    agent = yard.agent()
    yard.clock.advance(3600)
    assert standing(yard, agent) == "active"
    agent.beat()
    yard.clock.advance(300)
    assert standing(yard, agent) == "active"
    yard.clock.advance(1)
    assert standing(yard, agent) == "stale"
    agent.beat(version="1.2", cluster_name="eu", capabilities=["rotate"] * 200, status="x" * 500)
    assert standing(yard, agent) == "active"
    said = yard.part(agent).reported
    assert (said["cluster_name"], len(said["capabilities"]), len(said["status"])) == ("eu", 50, 40)


def test_people_see_the_agents_of_their_organization_alone(yard):
    agent = yard.agent()
    elsewhere = users.principal(yard.ada, yard.organization.id + 1000)
    with acting(elsewhere):
        assert yard.db.read_sync(listing.visible) == []
        with pytest.raises(Problem):
            yard.db.write_sync(leaving.revoke, agent.worker.uid)


def test_a_key_that_is_set_is_told_by_its_fingerprint(yard):
    agent = yard.agent()
    (told,) = yard.told("agent.public-key.set")
    assert told["detail"] == {"name": "agent-1", "algorithm": "x25519", "public_key_sha": "qqj_9wO1CyI"}
    assert (told["actor_kind"], told["actor_id"]) == ("agent", agent.worker.id)
