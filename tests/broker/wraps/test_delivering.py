"""What agents deliver: in an envelope under a key of theirs, for a job that they hold, each key once."""

from __future__ import annotations

import base64

import msgspec
import pytest
from msgspec.structs import replace

from quarterdeck.broker.sealing import agreement
from quarterdeck.broker.wraps import ending, keeping, sweeping
from quarterdeck.broker.wraps.model import DataKey, Wrap
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import Secret

NOBODY = "00000000-0000-7000-8000-000000000000"
RECIPIENT = bytes(range(5, 37))


def code(act, *args):
    with pytest.raises(Problem) as refused:
        act(*args)
    return refused.value.code


@pytest.fixture
def reading(yard):
    """An agent that holds a job that reads one key, and the request."""
    agent, request = yard.agent(), yard.request("read")
    agent.claim()
    return agent, request


def test_a_value_is_kept_under_the_vault_for_the_requester(yard, reading):
    agent, request = reading
    wrap = agent.deliver(request, "DB_PASSWORD", b"found")
    assert wrap.direction == "out"
    assert (wrap.byte_length, (wrap.expires_at - yard.clock.now()).total_seconds()) == (5, 3600)
    assert "found" not in wrap.sealed
    assert yard.read(request, wrap.uid) == b"found"
    told = yard.told("wrap.create")[-1]
    assert (told["actor_kind"], told["correlation_id"]) == ("agent", request)


def test_bytes_that_are_no_text_are_delivered_as_they_are(yard, reading):
    agent, request = reading
    value = bytes(range(256))
    assert yard.read(request, agent.deliver(request, "DB_PASSWORD", value).uid) == value


def test_a_key_that_was_not_asked_for_is_not_kept(yard, reading):
    agent, request = reading
    assert code(agent.deliver, request, "ROOT_PASSWORD", b"found") == "wrap_key_not_asked"
    assert yard.wraps(request) == []


def test_a_request_for_all_keys_takes_any_key_once(yard):
    agent, request = yard.agent(), yard.request("read", keys=[])
    agent.claim()
    agent.deliver(request, "A", b"1")
    agent.deliver(request, "B", b"2")
    assert code(agent.deliver, request, "A", b"3") == "wrap_exists"
    assert [yard.read(request, one.uid) for one in yard.wraps(request)] == [b"1", b"2"]


def test_a_data_key_counts_once(yard, reading):
    agent, _ = reading
    other = yard.request("read", keys=["A", "B"])
    agent.claim()
    issued = agent.data_key()
    agent.deliver(other, "A", agent.envelope(b"1", issued))
    assert code(agent.deliver, other, "B", agent.envelope(b"2", issued)) == "data_key_invalid"


def test_a_data_key_of_another_agent_counts_for_nothing(yard, reading):
    agent, request = reading
    other, second = yard.agent("agent-2"), yard.request("read")
    other.claim()
    stolen = other.data_key()
    assert code(agent.deliver, request, "DB_PASSWORD", agent.envelope(b"x", stolen)) == "data_key_invalid"
    other.deliver(second, "DB_PASSWORD", other.envelope(b"mine", stolen))


def test_a_data_key_of_another_job_counts_for_nothing(yard, reading):
    agent, request = reading
    issued = agent.data_key()
    second = yard.request("read")
    yard.clock.advance(1)
    agent.claim()
    assert code(agent.deliver, second, "DB_PASSWORD", agent.envelope(b"x", issued)) == "data_key_invalid"
    agent.deliver(request, "DB_PASSWORD", agent.envelope(b"x", issued))


def test_a_data_key_given_while_several_jobs_were_held_counts_for_each_of_them(yard, reading):
    agent, _ = reading
    second = yard.request("read")
    agent.claim()
    issued = agent.data_key()
    yard.clock.advance(1)
    third = yard.request("read")
    agent.claim()
    assert code(agent.deliver, third, "DB_PASSWORD", agent.envelope(b"x", issued)) == "data_key_invalid"
    agent.deliver(second, "DB_PASSWORD", agent.envelope(b"x", issued))


def test_a_data_key_of_an_earlier_attempt_counts_for_nothing(yard, reading):
    agent, request = reading
    issued = agent.data_key()
    yard.lapse()
    agent.claim()
    assert code(agent.deliver, request, "DB_PASSWORD", agent.envelope(b"x", issued)) == "data_key_invalid"


def test_a_data_key_ends_after_five_minutes(yard, monkeypatch):
    monkeypatch.setattr("quarterdeck.broker.work.kind.LEASE_SECONDS", 30)
    agent, request = yard.agent(), yard.request("read", connection=None)
    agent.claim()
    issued = agent.data_key()
    yard.clock.advance(300)  # the lease has lapsed, and nobody has looked yet
    assert code(agent.deliver, request, "DB_PASSWORD", agent.envelope(b"x", issued)) == "data_key_invalid"


def test_a_data_key_that_was_altered_or_made_up_counts_for_nothing(yard, reading):
    agent, request = reading
    whole = agent.envelope(b"x")
    for wrong in (
        replace(whole, dek_ciphertext=bytes(60)),
        replace(whole, dek_ciphertext=b""),
        replace(whole, dek_ciphertext=whole.dek_ciphertext[:-1] + b"\0"),
        replace(whole, dek_kms_key_id="local:another"),
    ):
        assert code(agent.deliver, request, "DB_PASSWORD", wrong) == "data_key_invalid"
    for wrong in (replace(whole, ciphertext=whole.ciphertext[::-1]), replace(whole, algorithm="none")):
        assert code(agent.deliver, request, "DB_PASSWORD", wrong) == "envelope_invalid"
    agent.deliver(request, "DB_PASSWORD", whole)  # what was refused has used nothing up


def test_who_holds_no_job_that_reads_gets_no_data_key(yard):
    agent = yard.agent()
    assert code(agent.data_key) == "no_read_job_held"
    yard.request("patch")
    job = agent.claim()
    assert code(agent.data_key) == "no_read_job_held"
    agent.complete(job.uid)


def test_who_does_not_hold_the_job_delivers_nothing(yard, reading):
    agent, request = reading
    other = yard.agent("agent-2")
    yard.request("read")
    other.claim()
    assert code(other.deliver, request, "DB_PASSWORD", b"x") == "request_not_found"
    assert code(agent.deliver, NOBODY, "DB_PASSWORD", b"x") == "request_not_found"
    envelope = agent.envelope(b"x")
    yard.lapse()
    assert code(agent.deliver, request, "DB_PASSWORD", envelope) == "request_not_found"
    assert yard.wraps(request) == []


def test_nothing_is_delivered_for_a_request_that_reads_nothing(yard):
    agent, patch, read = yard.agent(), yard.request("patch"), yard.request("read")
    agent.claim()
    agent.claim()
    assert code(agent.deliver, patch, "DB_PASSWORD", b"x") == "request_not_read"
    agent.deliver(read, "DB_PASSWORD", b"x")


@pytest.mark.parametrize("status", ["cancelled", "rejected", "expired", "executed", "failed", "pending"])
def test_nothing_is_delivered_for_a_request_that_is_not_approved(yard, reading, status):
    agent, request = reading
    envelope = agent.envelope(b"x")
    yard.change(request, status=status)
    assert code(agent.deliver, request, "DB_PASSWORD", envelope) == "request_not_approved"


def test_after_the_end_of_its_job_an_agent_delivers_nothing(yard, reading):
    agent, request = reading
    envelope = agent.envelope(b"x")
    agent.complete(yard.job(request).uid)
    assert yard.requested(request).status == "executed"
    assert code(agent.deliver, request, "DB_PASSWORD", envelope) == "request_not_approved"
    assert yard.wraps(request) == []


def test_a_value_that_is_empty_or_too_large_is_not_kept(yard, reading):
    agent, request = reading
    assert code(agent.deliver, request, "DB_PASSWORD", b"") == "value_empty"
    assert code(agent.deliver, request, "DB_PASSWORD", bytes(keeping.LARGEST + 1)) == "value_too_large"


def test_with_a_key_of_the_requesters_own_the_server_keeps_what_only_that_opens(yard):
    agent = yard.agent()
    agent.beat(capabilities=["recipient-key"])
    public = agreement.public_of(RECIPIENT)
    request = yard.request("read", recipient_key=base64.b64encode(public).decode())
    agent.claim()
    assert code(agent.deliver, request, "DB_PASSWORD", b"found") == "recipient_key_ignored"
    forged = msgspec.json.encode(agreement.Sealed(ciphertext=b"", nonce=bytes(12), ephemeral_public_key=bytes(32)))
    assert code(agent.deliver, request, "DB_PASSWORD", forged) == "recipient_key_ignored"
    sealed = msgspec.json.encode(agreement.seal(public, b"found"))
    wrap = agent.deliver(request, "DB_PASSWORD", sealed)
    assert wrap.recipient
    given = msgspec.json.decode(yard.read(request, wrap.uid), type=agreement.Sealed)
    assert agreement.open_sealed(RECIPIENT, given) == b"found"


def test_what_has_lapsed_is_blanked_and_stays_in_the_trail(yard):
    request, fresh = yard.request(approved=False), yard.request(approved=False)
    yard.act(lambda tx: tx.execute("UPDATE broker_wraps SET expires_at = expires_at - 1 WHERE uid = :uid",
                                   {"uid": yard.wrap(request)}))  # fmt: skip
    yard.clock.advance(7 * 86_400 - 1e-6)
    assert yard.db.write_sync(sweeping.sweep) == 1
    (gone,), (kept,) = yard.wraps(request), yard.wraps(fresh)
    assert (gone.sealed, gone.blanked_at, gone.consumed_at) == (None, yard.clock.now(), None)
    assert kept.sealed is not None
    assert yard.db.write_sync(sweeping.sweep) == 0


def test_data_keys_that_are_over_are_forgotten(yard, reading):
    agent, _ = reading
    agent.data_key()
    yard.clock.advance(599)
    assert yard.db.write_sync(sweeping.sweep) == 0
    yard.clock.advance(1)
    assert yard.db.write_sync(sweeping.sweep) == 1
    assert yard.db.read_sync(lambda tx: tx.get(DataKey, 1)) is None


def test_an_agent_has_no_more_unused_data_keys_than_it_needs(yard, reading, monkeypatch):
    agent, _ = reading
    monkeypatch.setattr("quarterdeck.broker.wraps.data_keys.MOST", 2)
    agent.data_key()
    agent.data_key()
    assert code(agent.data_key) == "too_many_data_keys"


def test_values_of_an_edited_request_are_withdrawn_and_given_anew(yard):
    request = yard.request(approved=False)

    def edit(tx):
        row = tx.get(type(yard.requested(request)), yard.requested(request).id)
        assert ending.withdraw(tx, row) == 1
        keeping.put(tx, row, "in", "DB_PASSWORD", Secret(b"another"), yard.clock.now() - yard.clock.now())

    yard.act(edit)
    (wrap,) = yard.wraps(request)
    assert isinstance(wrap, Wrap)
    assert wrap.byte_length == 7


def test_while_the_vault_is_locked_nothing_is_given_and_nothing_used_up(yard, reading, monkeypatch):
    agent, request = reading
    whole = agent.envelope(b"found")
    vault = yard.db.write_sync(lambda tx: tx.vault)
    kept, active = dict(vault._keys), vault._active
    monkeypatch.setattr(vault, "_db", None)
    vault._keys, vault._active = {}, None
    assert code(agent.data_key) == "secret_unreadable"
    assert code(agent.deliver, request, "DB_PASSWORD", whole) == "secret_unreadable"
    assert yard.wraps(request) == []
    vault._keys, vault._active = kept, active
    assert yard.read(request, agent.deliver(request, "DB_PASSWORD", whole).uid) == b"found"
