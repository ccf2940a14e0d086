"""What a page asks the database for does not grow with what it shows."""

from __future__ import annotations

from quarterdeck.console.domain import home, infra_asking, infra_runners
from quarterdeck.identity import users
from quarterdeck.infra.runners import listing
from quarterdeck.infra.runners.model import Runner
from quarterdeck.kernel.principal import Context, current
from support.statements import counted

SEES = frozenset({"infra", "infra-jobs"})


def read(yard, verb, by):
    token = current.set(Context(users.principal(by, yard.organization.id), "req_1", "cor_1"))
    try:
        with counted() as said:
            found = yard.db.read_sync(verb)
        return found, sum(one.startswith("SELECT") and "access_" not in one for one in said)
    finally:
        current.reset(token)


def test_many_plans_that_wait_for_people_are_counted_and_shown_by_as_many_statements_as_few(yard):
    bob = yard.person("bob", "organization:developer")
    zone = yard.zone(approvals=1).uid
    spec = yard.spec("s0", zone_id=zone)
    agreed = yard.planned(spec)

    def shown(tx):
        yard.access.load(tx)
        return infra_asking.needs(tx, yard.access, infra_asking.look(tx))

    def counts(tx):
        yard.access.load(tx)
        return home.counts(tx, yard.access, SEES)

    found, few = read(yard, shown, bob)
    number, few_counted = read(yard, counts, bob)
    assert ([one.title for one in found], number["infra"].number) == (["Agree to plan for s0"], 1)
    for place in range(1, 8):
        yard.planned(yard.spec(f"s{place}", zone_id=zone))
    found, many = read(yard, shown, bob)
    number, many_counted = read(yard, counts, bob)
    assert (len(found), number["infra"].number) == (8, 8)
    assert (many, many_counted) == (few, few_counted)
    yard.say(agreed, "approved", bob)
    number, _ = read(yard, counts, bob)
    assert number["infra"].number == 7
    assert [one.title for one in read(yard, shown, yard.ada)[0]] == ["The plan for s0 can be applied"]


def test_many_runners_are_shown_by_as_many_statements_as_few(yard):
    identity = yard.identity()

    def made(name):
        runner = yard.runner(name)
        yard.act(lambda tx: setattr(tx.get(Runner, runner.runner.id), "cloud_identity_id", identity.id))
        return runner

    def shown(tx):
        return infra_runners._rows(tx, listing.visible(tx), None)

    first = made("r0")
    _, few = read(yard, shown, yard.ada)
    uid = yard.ask("CONNECTION_TEST", cloud_identity_uid=identity.uid)
    assert first.claim().uid == uid
    for place in range(1, 6):
        made(f"r{place}")
    rows, many = read(yard, shown, yard.ada)
    assert many == few
    assert {one.name: one.job.rpartition("/")[2] for one in rows} == {"r0": uid, **{f"r{n}": "" for n in range(1, 6)}}
    assert {one.labels for one in rows} == {("program of its own", "only AWS (p)")}
