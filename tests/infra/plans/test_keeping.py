"""What runners tell of plans is bounded and without secrets, and goes together with what they hand in."""

from __future__ import annotations

import json

import msgspec
import pytest

from quarterdeck.infra.artefacts.artefacts import Artefacts
from quarterdeck.infra.artefacts.local import LocalStore
from quarterdeck.infra.plans import keeping, summary
from quarterdeck.infra.states.credentials import Attempt
from quarterdeck.kernel.errors import Conflict, Forbidden, NotFound, Unauthenticated

CHANGE = {"address": "aws_db_instance.main", "type": "aws_db_instance", "action": "update", "before": {}, "after": {}}


def test_changes_are_kept_without_what_goes_under_the_name_of_a_secret(yard):
    spec = yard.spec()
    change = {
        **CHANGE,
        "before": {"password": "p1", "tags": {"api_key": "k1"}, "size": 1},
        "after": {"password": "p2", "tags": {"api_key": "k2"}, "size": 2, "large": 2**70},
        "mine": "not asked",
    }
    plan = yard.planned(spec, changes=[change, "nonsense", {"action": "explode"}, {**CHANGE, "action": "delete"}])
    kept = yard.kept(plan).changes
    assert [one["action"] for one in kept] == ["update", "delete"]
    text = json.dumps(kept)
    for secret in ("p1", "p2", "k1", "k2", "not asked"):
        assert secret not in text
    assert kept[0]["after"]["size"] == 2
    assert kept[0]["after"]["large"] == str(2**70)


@pytest.mark.parametrize(
    "said",
    [None, [], "x", 7, {"create": -1, "update": "2", "delete": True, "replace": 1.5, "other": 3}, {"create": 10**30}],
)
def test_counts_are_numbers_whatever_is_said(said):
    found = summary.counts(said)
    assert set(found) == set(summary.COUNTED)
    assert all(isinstance(value, int) and 0 <= value <= summary.LARGEST for value in found.values())


def test_a_plan_of_any_size_is_kept_in_bounds(yard):
    many = [{**CHANGE, "address": f"a.{number}", "after": {"x": "y" * 3000}} for number in range(3000)]
    kept, cut = summary.changes(many)
    assert cut
    assert len(msgspec.json.encode(kept)) <= summary.MOST_LISTED + 4096
    assert kept[0]["after"] is not None
    assert kept[-1]["after"] is None
    deep = value = {}
    for _ in range(2000):
        value["x"] = value = {}
    kept, _ = summary.changes([{**CHANGE, "after": deep}, {**CHANGE, "address": "a\x00b\ud800" + "c" * 9999}])
    assert len(kept[1]["address"]) <= summary.LONGEST_ADDRESS
    plan = yard.planned(yard.spec(), changes=kept, cost={"total_monthly": 12.5, "api_key": "hidden", "x": "y\x00"})
    assert yard.kept(plan).cost["total_monthly"] == 12.5
    assert "hidden" not in json.dumps(yard.kept(plan).cost)
    assert summary.cost({"x": ["y" * 4000] * 20}) is None


def test_another_plan_than_the_one_handed_in_is_not_believed(yard):
    worker, uid = yard.begin(yard.spec())
    yard.hand_in(worker, uid, "a" * 64)
    with pytest.raises(Conflict) as refused:
        worker.say(uid, "plan", summary={}, changes=[], sha256="b" * 64, size=10, serial=0, lineage="")
    assert refused.value.code == "plan_artefact_differs"


def test_what_is_handed_in_after_it_was_told_of_is_told_of_anew(yard):
    worker, uid = yard.begin(yard.spec())
    yard.hand_in(worker, uid, "a" * 64)
    worker.say(uid, "plan", summary={"create": 1}, changes=[CHANGE], sha256="a" * 64, size=10, serial=0, lineage="")
    yard.hand_in(worker, uid, "a" * 64)
    assert yard.kept(uid).changes
    yard.hand_in(worker, uid, "b" * 64)
    assert (yard.kept(uid).changes, yard.kept(uid).summary) == ([], {})


@pytest.mark.parametrize(("serial", "lineage"), [(0, ""), (None, None), ("7", "x"), (True, "x"), (5, None)])
def test_a_plan_on_no_state_fits_none(yard, serial, lineage):
    plan = yard.kept(yard.planned(yard.spec(), serial=serial, lineage=lineage))
    assert (plan.state_serial, plan.state_lineage) == (None, None)


def test_a_runner_that_says_nothing_of_the_state_had_the_one_that_there_is(yard):
    spec = yard.spec()
    yard.wrote(spec, 5)
    runner = yard.runner()
    uid = yard.ask("PLAN", spec)
    assert runner.claim().uid == uid
    runner.report(uid, "PROCESSING", plan_completed=True, plan_result={"resource_changes": []})
    plan = yard.kept(uid)
    assert (plan.state_serial, plan.state_lineage) == (5, "one")


async def pieces(*some):
    for one in some:
        yield one


async def test_a_saved_plan_is_taken_in_from_whoever_holds_the_job_and_given_to_whoever_applies_it(yard, tmp_path):
    spec = yard.spec()
    store = LocalStore(tmp_path / "artefacts")
    artefacts = Artefacts(store, yard.db.vault)
    yard.db.parts = (artefacts,)
    worker, uid = yard.begin(spec)
    attempt = yard.attempt(worker, uid)
    first = await keeping.take_in(yard.db, artefacts, lambda tx: attempt, pieces(b"first"))
    kept = await keeping.take_in(yard.db, artefacts, lambda tx: attempt, pieces(b"sec", b"ond"))
    assert [one.key for one in store.listed()] == [kept.key], "the one before is gone"
    assert first.key != kept.key
    report = {"summary": {"create": 1}, "changes": [], "sha256": kept.sha256, "size": 6, "serial": 0, "lineage": ""}
    worker.say(uid, "plan", **report)
    worker.end(uid)

    deploy = yard.ask("DEPLOY", spec, plan_job_uid=uid)
    taker = yard.enrolled("taker")
    assert taker.claim() == [deploy]
    applying = yard.attempt(taker, deploy)
    found = yard.db.read_sync(lambda tx: keeping.readable(tx, applying, uid))
    assert found == kept
    assert b"".join([piece async for piece in await artefacts.give(found)]) == b"second"
    other = yard.ask("PLAN", yard.spec("shop"))
    assert taker.claim() == [other]
    stranger = yard.attempt(taker, other)
    with pytest.raises(NotFound):
        yard.db.read_sync(lambda tx: keeping.readable(tx, stranger, uid))


async def test_nothing_is_left_of_what_an_attempt_hands_in_that_ends_meanwhile(yard, tmp_path):
    store = LocalStore(tmp_path / "artefacts")
    artefacts = Artefacts(store, yard.db.vault)
    worker, uid = yard.begin(yard.spec())
    attempts = [yard.attempt(worker, uid)]

    def who(tx) -> Attempt:
        if not attempts:
            raise Unauthenticated("It is over.", code="infra_credential_invalid")
        return attempts.pop()

    with pytest.raises(Unauthenticated):
        await keeping.take_in(yard.db, artefacts, who, pieces(b"late"))
    assert list(store.listed()) == []
    deploy = yard.attempt(worker, uid)
    deploy.job.job_type = "DEPLOY"
    with pytest.raises(Forbidden):
        await keeping.take_in(yard.db, artefacts, lambda tx: deploy, pieces(b"x"))
