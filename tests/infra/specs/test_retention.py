"""Old versions go, but not those that anybody needs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from infra.specs.test_outputs import as_ada
from quarterdeck.infra.specs import retention, specs
from quarterdeck.infra.specs.model import Spec, SpecVersion
from quarterdeck.kernel.retention import categories


async def test_the_newest_and_what_stands_stay_however_old(crew, monkeypatch):
    monkeypatch.setattr(retention, "NEWEST", 2)
    access = crew.deck.instance.access

    def many(tx):
        raw = {"project_name": "ledger", "region": "eu-west-1"}
        spec = specs.create(tx, raw)
        for number in range(1, 6):
            specs.change(tx, access, spec.uid, {**raw, "network": {"cidr_block": f"10.{number}.0.0/16"}})
        other = specs.create(tx, {**raw, "project_name": "other"})
        first = tx.first(select(SpecVersion).where(SpecVersion.spec_id == spec.id, SpecVersion.number == 2))
        spec.applied_hash = first.configuration_hash
        return spec.id, other.id

    spec_id, other_id = await as_ada(crew, many)
    old = crew.db.clock.now() - retention.KEEP - timedelta(days=1)

    def numbers(tx):
        query = select(SpecVersion.spec_id, SpecVersion.number).order_by(SpecVersion.spec_id, SpecVersion.number)
        return [tuple(row) for row in tx.execute(query)]

    (category,) = [one for one in categories() if one.name == "infra-spec-versions"]
    before = crew.db.clock.now() - category.keep
    assert await category.prune(crew.deck.instance, before) == 0, "what is young stays"
    await crew.db.write(lambda tx: tx.execute(update(SpecVersion).values(created_at=old)))
    assert await category.prune(crew.deck.instance, before) == 3
    assert await category.prune(crew.deck.instance, before) == 0
    left = await crew.db.read(numbers)
    assert left == [(spec_id, 2), (spec_id, 5), (spec_id, 6), (other_id, 1)]
    uid = await crew.db.read(lambda tx: tx.get(Spec, spec_id).uid)
    path = f"/api/cli/configurations/{uid}"
    assert [one["number"] for one in (await crew.ok("GET", f"{path}/versions"))["versions"]] == [6, 5, 2]
    gone = await crew.send("GET", f"{path}/diff", params={"from": 1, "to": 6})
    assert (gone.status_code, "no version 1" in gone.text) == (404, True)


def test_streams_of_what_is_there_are_remembered(database):
    assert database.read_sync(retention._specs_there, ["infra-spec:nobody"]) == []
    assert database.read_sync(retention._zones_there, ["infra-zone:nobody"]) == []
