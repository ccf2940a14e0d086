"""What attempts of enrolled workers and of the server's own get and give: by reports, sealed to their own keys."""

from __future__ import annotations

import base64

import pytest

from quarterdeck.broker.sealing import agreement, envelopes
from quarterdeck.broker.sealing.agreement import Sealed, open_sealed
from quarterdeck.broker.work.effects import effects
from quarterdeck.kernel.errors import Problem

PRIVATE = bytes(range(3, 35))
PUBLIC = base64.b64encode(agreement.public_of(PRIVATE)).decode()


def code(act, *args, **more):
    with pytest.raises(Problem) as refused:
        act(*args, **more)
    return refused.value.code


def raw(text):
    return base64.b64decode(text)


def opened(answer):
    told = answer["sealed"]
    sealed = Sealed(**{name: raw(told[name]) for name in ("ciphertext", "nonce", "ephemeral_public_key")})
    return open_sealed(PRIVATE, sealed)


@pytest.fixture(params=["own", "enrolled"])
def worker(request, yard):
    return getattr(yard, request.param)()


@pytest.fixture
def place(yard):
    return yard.connection("vault", allow_server=True)


def envelope(key, value):
    nonce, ciphertext = envelopes.close(raw(key["plaintext"]), value)
    told = {"ciphertext": ciphertext, "nonce": nonce}
    return {
        **{name: base64.b64encode(data).decode() for name, data in told.items()},
        "dek_ciphertext": key["ciphertext"],
        "dek_kms_key_id": key["kms_key_id"],
    }


def test_an_order_says_what_is_wanted_and_carries_no_value(yard, worker, place):
    request = yard.request(connection=place)
    (uid,) = worker.claim()
    order = worker.order(uid)
    assert (order["job_type"], order["provider_type"], order["secret_ref"]) == ("patch", "vault", "apps/shop")
    assert order["wraps"] == [{"wrap_id": yard.wrap(request), "key_name": "DB_PASSWORD"}]
    assert order["seconds"] == 28
    assert "s3cr3t" not in str(order)


def test_an_attempt_takes_a_value_once_and_nothing_keeps_the_answer(yard, worker, place):
    request = yard.request(connection=place)
    (uid,) = worker.claim()
    answer = worker.say(uid, "take", wrap_id=yard.wrap(request), public_key=PUBLIC)
    assert opened(answer) == b"s3cr3t-DB-pass!"
    assert worker.say(uid, "take", again=True, wrap_id=yard.wrap(request), public_key=PUBLIC) is None
    assert yard.carried(request).report_reply is None
    assert code(worker.say, uid, "take", wrap_id=yard.wrap(request), public_key=PUBLIC) == "wrap_consumed"
    who = 0 if worker.row is None else worker.row.id
    assert yard.wraps(request)[0].consumed_by_agent_id == who
    worker.end(uid)
    assert yard.job(request).status == "succeeded"
    told = yard.told("wrap.retrieve")[0]
    assert told["actor_kind"] == ("system" if worker.row is None else "agent")


def test_an_attempt_delivers_what_it_has_read(yard, worker, place):
    request = yard.request("read", connection=place)
    (uid,) = worker.claim()
    key = worker.say(uid, "data-key")
    kept = worker.say(uid, "deliver", key_name="DB_PASSWORD", envelope=envelope(key, b"found"))
    assert code(worker.say, uid, "deliver", key_name="DB_PASSWORD", envelope=envelope(key, b"x")) == "data_key_invalid"
    worker.end(uid)
    assert yard.read(request, kept["wrap_id"]) == b"found"


def test_an_attempt_gets_nothing_of_another_job(yard, worker, place):
    mine, other = yard.request(connection=place), yard.request()
    (uid,) = worker.claim()
    assert yard.job(mine).uid == uid
    assert code(worker.say, uid, "take", wrap_id=yard.wrap(other), public_key=PUBLIC) == "wrap_not_found"
    assert code(worker.say, uid, "data-key") == "no_read_job_held"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("take", {}),
        ("take", {"wrap_id": "x", "public_key": 7}),
        ("take", {"wrap_id": "x", "public_key": "YQ=="}),
        ("deliver", {"key_name": "A"}),
        ("deliver", {"key_name": "A", "envelope": {"ciphertext": "?"}}),
        ("found", {}),
        ("value", {"value": "x"}),
    ],
)
def test_a_report_that_no_worker_of_ours_makes_changes_nothing(yard, worker, place, kind, data):
    request = yard.request("read", connection=place)
    (uid,) = worker.claim()
    assert code(worker.say, uid, kind, **data) in {"broker_report_unknown", "public_key_invalid", "envelope_invalid"}
    assert yard.wraps(request) == []


def test_an_attempt_that_was_fenced_takes_nothing(yard, worker, place):
    request = yard.request(connection=place)
    (uid,) = worker.claim()
    yard.lapse()
    assert code(worker.say, uid, "take", wrap_id=yard.wrap(request), public_key=PUBLIC) == "job_fenced"
    assert yard.wraps(request)[0].sealed is not None


def test_what_was_found_is_heard_by_its_room(yard, worker, place):
    from quarterdeck.broker.connections.model import Connection
    from quarterdeck.broker.work import by_hand

    heard = []
    effects.register_found("test", lambda _tx, job, said: heard.append((job.job_type, said["items"])))
    name = yard.db.read_sync(lambda tx: tx.get(Connection, place)).name
    yard.act(by_hand.ask, "discover", {}, {"target_provider_config": {"connection": name}, "cluster_name": "eu"})
    (uid,) = worker.claim()
    assert worker.order(uid)["cluster_name"] == "eu"
    worker.say(uid, "found", items=[{"secret_ref": "a"}])
    worker.end(uid)
    effects._found.pop("test")
    assert heard == [("discover", [{"secret_ref": "a"}])]


def test_a_failure_that_may_pass_is_tried_again(yard, worker, place):
    request = yard.request("read", connection=place)
    (uid,) = worker.claim()
    worker.end(uid, "failed", error_code="provider_down", error_message="down", retriable=True)
    assert yard.job(request).status == "queued"
    yard.clock.advance(60)
    assert worker.claim() == [uid]
    worker.end(uid, "failed", error_code="provider_refused", error_message="token=hunter2 refused")
    job = yard.job(request)
    assert (job.status, job.error_code, job.error_message) == ("failed", "provider_refused", "token=**** refused")
