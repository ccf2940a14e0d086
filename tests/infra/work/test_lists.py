"""What lists of jobs find, and that an index leads to it: their time does not grow with what there is."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text

from quarterdeck.infra.work import reading
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.reading import Filter


def many(yard, spec, number):
    """Jobs that others had asked for, as they stand long afterwards."""

    def verb(tx):
        rows = [
            {
                "uid": tx.ids.uid(), "organization_id": yard.organization.id, "owner_id": 999, "job_type": "DEPLOY",
                "status": "SUCCESS", "snapshot": {}, "execution_metadata": {}, "spec_id": spec.id, "created_at": tx.now,
                "updated_at": tx.now, "completed_at": tx.now, "read_only": False, "attempts": 1, "orphan_risk": False,
            }
            for _ in range(number)
        ]  # fmt: skip
        tx.session.execute(insert(InfraJob), rows)

    yard.act(verb)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Filter(mine=True), "ix_infra_jobs_owner_id"),
        (Filter(job_type="UPDATE_WORKER"), "ix_infra_jobs_job_type"),
        (Filter(words="rare"), "ix_infra_jobs_spec_id"),
    ],
)
def test_an_index_leads_to_what_a_filter_finds(yard, wanted, index):
    spec, rare = yard.spec("common"), yard.spec("a-rare-one")
    many(yard, spec, 3000)
    uid = yard.ask("PLAN", rare)

    def plan(tx):
        said = []
        explain = "EXPLAIN " if tx.dialect == "postgresql" else "EXPLAIN QUERY PLAN "
        if tx.dialect == "postgresql":
            tx.execute("ANALYZE infra_jobs")
            tx.execute("ANALYZE infra_specs")
        for query in reading.queries(tx, wanted):
            literal = query.compile(tx.connection, compile_kwargs={"literal_binds": True})
            said.append(" ".join(str(row) for row in tx.session.execute(text(explain + str(literal))).all()))
        return said

    for told in yard.act(plan):
        assert index in told
    found, total = yard.act(lambda tx: reading.page(tx, wanted))
    expected = [] if wanted.job_type else [uid]
    assert ([one.uid for one in found], total) == (expected, len(expected))


def test_words_find_jobs_of_the_callers_organization_alone(yard):
    place = yard.elsewhere()
    mine = yard.ask("PLAN", yard.spec("ledger"))
    theirs = yard.spec("ledger-2", place=place)
    assert theirs.organization_id == place

    def found(words):
        rows, total = yard.act(lambda tx: reading.page(tx, Filter(words=words)))
        assert total == len(rows)
        return [one.uid for one in rows]

    assert found("EDGE") == [mine]
    assert found(" ledger ") == [mine]
    assert found("ledger-2") == found("%") == found("nothing") == []
