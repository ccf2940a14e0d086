"""Every move of a job stands in one table."""

from __future__ import annotations

import pytest

from quarterdeck.infra.work.transitions import ENDED, MOVES, STATUSES, move
from quarterdeck.infra.work.types import EVERY, canonical, newer
from quarterdeck.kernel.errors import Conflict


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_only_moves_of_the_table_are_made(yard, before, after):
    uid = yard.ask("PLAN", yard.spec())

    def verb(tx):
        from quarterdeck.infra.work import reading

        job = reading.anybodys(tx, uid)
        job.status = before
        tx.flush()
        move(tx, job, after, "because")
        return job.status

    if after in MOVES[before]:
        assert yard.act(verb) == after
    else:
        with pytest.raises(Conflict) as refused:
            yard.act(verb)
        assert refused.value.code == "infra_job_state"


def test_what_has_ended_stays():
    assert all(MOVES[one] == frozenset() for one in ENDED)


def test_both_generations_name_the_types():
    for job_type in EVERY:
        assert canonical(newer(job_type)) == job_type
    assert newer("DESTROY_WORKER") == "DESTROY_RUNNER"
    assert canonical("CONNECTION_TEST_RUNNER") == "CONNECTION_TEST_RUNNER"
