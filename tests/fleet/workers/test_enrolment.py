"""How a machine becomes a worker and stays one, and what is refused on the way."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import func, select

from quarterdeck.fleet.workers import draining, enrolment, registration
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.description import Hardware
from quarterdeck.fleet.workers.model import EnrolmentToken, Worker
from quarterdeck.fleet.workers.registration import Registration
from quarterdeck.identity.sessions import Signer
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Outdated, Unauthenticated
from quarterdeck.kernel.vault import Secret
from support.enrolled import TOKENS, enrolled, organization

MACHINE = "0198c0ff-ee00-7000-8000-000000000001"


def token(db, *, life=None, capabilities=("tasks",)):
    def verb(tx):
        return enrolment.create(tx, organization(tx), capabilities, label="rack 3", life=life)

    return db.write_sync(verb)


def register(db, secret, machine_id=MACHINE, **said):
    return db.write_sync(registration.register, TOKENS, Registration(secret, machine_id=machine_id, **said))


def state(db, row):
    return db.read_sync(lambda tx: enrolment.status(tx.get(EnrolmentToken, row.id), tx.now))


def count(db):
    return db.read_sync(lambda tx: tx.execute(select(func.count()).select_from(Worker)).scalar_one())


def test_a_token_enrols_one_machine_and_is_kept_as_a_hash(held):
    row, secret = token(held)
    text = secret.reveal()
    assert text.startswith(f"ovw_{row.id}_")
    assert text.split("_")[2] not in repr(held.read_sync(lambda tx: vars(tx.get(EnrolmentToken, row.id))))
    admitted = register(held, secret, name="rack-3", slots=500)
    assert (admitted.worker.uid, admitted.worker.name, admitted.worker.slots) == (MACHINE, "rack-3", 64)
    assert (admitted.worker.capabilities, state(held, row)) == (["tasks"], "used")
    known = held.read_sync(registration.authenticate, TOKENS, admitted.access.reveal())
    assert known.id == admitted.worker.id
    with pytest.raises(Conflict) as refused:
        register(held, secret, str(uuid.uuid4()))
    assert refused.value.code == "enrolment_token_used"


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [("mine", "fra-1", "mine"), ("", "fra-1", "fra-1"), (" ", "fra-1", "fra-1"), ("", None, "host-9")],
)
def test_a_machine_is_called_as_it_says_or_as_its_token_was_labelled_or_as_its_host(held, name, label, expected):
    _, secret = held.write_sync(lambda tx: enrolment.create(tx, organization(tx), ["infra"], label=label))
    said = register(held, secret, name=name, hardware=Hardware(hostname="host-9"))
    assert said.worker.name == expected


def test_the_same_machine_may_say_its_token_again_for_ten_minutes(held, clock):
    _, secret = token(held)
    first = register(held, secret)
    clock.advance(599)
    again = register(held, secret, MACHINE.upper())
    assert again.worker.id == first.worker.id
    assert again.recovery.reveal() != first.recovery.reveal()
    assert held.read_sync(registration.authenticate, TOKENS, first.access.reveal()) is None
    clock.advance(2)
    with pytest.raises(Conflict):
        register(held, secret)
    assert count(held) == 1


def test_no_token_but_a_whole_and_living_one_enrols(held, clock):
    row, secret = token(held, life=timedelta(hours=1))
    text = secret.reveal()
    wrong = ["", "ovw_", "ovw_1_", text[:-1], text + "0", f"ovw_{10**17}_{'0' * 64}", "ovw_²_x", "ovw_-1_x", f"{text} "]
    wrong += [f"ovw_{'9' * 300}_x", text.replace("ovw_", "ov_pat_"), "\ud800"]
    for one in wrong:
        with pytest.raises(Unauthenticated) as refused:
            register(held, Secret(one))
        assert refused.value.code == "enrolment_token_invalid"
    with pytest.raises(Outdated):
        register(held, secret, protocol=0)
    with pytest.raises(Invalid):
        register(held, secret, "not a uuid")
    assert (state(held, row), count(held)) == ("unused", 0)
    clock.advance(3600)
    with pytest.raises(Unauthenticated, match="expired"):
        register(held, secret)
    other, revoked = token(held)
    for _ in range(2):
        held.write_sync(enrolment.revoke, other.organization_id, other.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        register(held, revoked)
    with pytest.raises(NotFound):
        held.write_sync(enrolment.revoke, row.organization_id, other.id)
    assert (state(held, row), state(held, other), count(held)) == ("expired", "revoked", 0)


def test_a_machine_id_belongs_to_one_living_machine(held):
    worker = register(held, token(held)[1]).worker
    row, secret = token(held)
    with pytest.raises(Conflict) as refused:
        register(held, secret)
    assert (refused.value.code, state(held, row)) == ("machine_id_taken", "unused")
    held.write_sync(lambda tx: draining.decommission(tx, tx.get(Worker, worker.id)))
    again = register(held, secret)
    assert again.worker.uid not in {MACHINE, worker.uid}


async def test_twenty_that_come_with_one_token_at_once_are_one_machine(held):
    _, secret = await held.write(lambda tx: enrolment.create(tx, organization(tx), ["tasks"]))
    calls = [
        held.write(registration.register, TOKENS, Registration(secret, machine_id=str(uuid.uuid4()))) for _ in range(20)
    ]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, Conflict)]
    assert (len(refused), {one.code for one in refused}) == (19, {"enrolment_token_used"})
    assert await held.read(lambda tx: tx.execute(select(func.count()).select_from(Worker)).scalar_one()) == 1


def test_a_recovery_secret_works_once_and_ends_what_was_before(held, clock):
    first = held.write_sync(enrolled)

    def recover(secret, uid=first.uid):
        return held.write_sync(registration.recover, TOKENS, uid, secret)

    for uid, secret in ((first.uid, Secret("no")), (str(uuid.uuid4()), first.recovery), ("", first.recovery)):
        with pytest.raises(Unauthenticated):
            recover(secret, uid)
    second = recover(first.recovery)
    assert held.read_sync(registration.authenticate, TOKENS, first.access.reveal()) is None
    assert held.read_sync(registration.authenticate, TOKENS, second.access.reveal()) is not None
    clock.advance(601)
    with pytest.raises(Unauthenticated):
        recover(first.recovery)
    third = recover(second.recovery)
    held.write_sync(lambda tx: draining.decommission(tx, tx.get(Worker, first.id)))
    with pytest.raises((Forbidden, Unauthenticated)):
        recover(third.recovery)
    with pytest.raises(Forbidden):
        held.write_sync(registration.refresh, TOKENS, third.access.reveal())


def test_a_machine_that_did_not_get_the_answer_recovers_by_the_same_secret_for_a_while(held, clock):
    first = held.write_sync(enrolled)

    def recover(secret):
        return held.write_sync(registration.recover, TOKENS, first.uid, secret)

    lost = recover(first.recovery)
    clock.advance(400)
    second = recover(first.recovery)
    assert held.read_sync(registration.authenticate, TOKENS, lost.access.reveal()) is None
    assert held.read_sync(registration.authenticate, TOKENS, second.access.reveal()) is not None
    with pytest.raises(Unauthenticated):  # once more, and not again
        recover(first.recovery)
    clock.advance(9_000)
    third = recover(second.recovery)
    with pytest.raises(Unauthenticated):  # of an answer that nobody got
        recover(lost.recovery)
    clock.advance(601)  # it counts from its first use
    with pytest.raises(Unauthenticated):
        recover(second.recovery)
    fourth = recover(third.recovery)
    clock.advance(599)
    assert recover(third.recovery).recovery.reveal() != fourth.recovery.reveal()
    with pytest.raises(Unauthenticated):
        recover(second.recovery)


@pytest.mark.parametrize("by", ["register", "recover"])
def test_a_request_that_its_own_repetition_has_overtaken_leaves_no_dead_secret(held, clock, by):
    """The machine has the answer to what it said second, which came first."""
    _, secret = token(held)
    first = register(held, secret)

    def recover(said):
        return held.write_sync(registration.recover, TOKENS, first.worker.uid, said)

    answered = recover(first.recovery) if by == "recover" else first
    late = recover(first.recovery) if by == "recover" else register(held, secret)
    assert held.read_sync(registration.authenticate, TOKENS, answered.access.reveal()) is None
    clock.advance(9_000)
    back = recover(answered.recovery)
    assert held.read_sync(registration.authenticate, TOKENS, back.access.reveal()) is not None
    for void in (late.recovery, first.recovery) if by == "recover" else (late.recovery,):
        with pytest.raises(Unauthenticated):
            recover(void)
    recover(back.recovery)


def test_an_access_token_ends_after_a_day_and_is_refreshed_before(held, clock):
    made = held.write_sync(enrolled)
    clock.advance(12 * 3600)
    second = held.write_sync(registration.refresh, TOKENS, made.access.reveal())
    assert second.recovery is None
    clock.advance(12 * 3600)
    with pytest.raises(Unauthenticated) as refused:
        held.write_sync(registration.refresh, TOKENS, made.access.reveal())
    assert refused.value.code == "worker_token_invalid"
    assert held.read_sync(registration.authenticate, TOKENS, second.access.reveal()).id == made.id


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_no_other_token_is_an_access_token_of_a_worker(held, clock):
    made = held.write_sync(enrolled)
    key = b"the key of an installation in a test"
    header, claims, signature = made.access.reveal().split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    own = {name: value for name, value in said.items() if name != "aud"}
    forged = OctKey.import_key(b"0" * 32)
    unsigned = f"{part({'alg': 'none', 'typ': 'JWT'})}.{claims}."
    wrong = {
        "of a person": Signer(Secret(key)).jwt(Secret("qd_x"), said),
        "signed with the installation's own key": jwt.encode({"alg": "HS256"}, said, OctKey.import_key(key)),
        "signed by somebody else": jwt.encode({"alg": "HS256"}, said, forged),
        "with alg none": unsigned,
        "with alg none and the signature": f"{part({'alg': 'none'})}.{claims}.{signature}",
        "of another algorithm": f"{part({'alg': 'HS512'})}.{claims}.{signature}",
        "changed": f"{header}.{part({**said, 'sub': str(uuid.uuid4())})}.{signature}",
        "nonsense": "a.b.c",
        "empty": "",
        "long": "a" * 10_000,
    }
    other = AccessTokens(Secret(b"x" * 32))
    wrong["of an installation with another key"] = held.write_sync(other.issue, made.worker)[0].reveal()
    for name, text in wrong.items():
        assert held.read_sync(registration.authenticate, TOKENS, text) is None, name
    signing = TOKENS._key
    for name, changed in {
        "no audience": own,
        "another audience": {**said, "aud": "user"},
        "no generation": {**said, "gen": None},
        "a generation that is a truth": {**said, "gen": True},
        "of another generation": {**said, "gen": said["gen"] + 1},
        "without an end": {**said, "exp": None},
        "of nobody": {**said, "sub": str(uuid.uuid4())},
    }.items():
        text = jwt.encode({"alg": "HS256"}, changed, signing)
        assert held.read_sync(registration.authenticate, TOKENS, text) is None, name
    assert held.read_sync(registration.authenticate, TOKENS, jwt.encode({"alg": "HS256"}, said, signing)) is not None


@pytest.mark.parametrize("word", ["server", "", "a,b", "@org:1", "x|y"])
def test_what_cannot_be_given_away_is_no_capability(held, word):
    with pytest.raises(Invalid) as refused:
        token(held, capabilities=(word,))
    assert refused.value.code == "worker_capability_invalid"
