"""Every move of a job stands in one table."""

from __future__ import annotations

import pytest

from quarterdeck.infra.work.transitions import MOVES, STATUSES, move
from quarterdeck.infra.work.types import EVERY, canonical, newer
from quarterdeck.kernel.errors import Conflict

WAYS = {
    ("QUEUED", "CLAIMED"), ("QUEUED", "FAILED"), ("QUEUED", "CANCELLED"),
    ("CLAIMED", "QUEUED"), ("CLAIMED", "PROCESSING"), ("CLAIMED", "FAILED"), ("CLAIMED", "CANCELLED"),
    ("PROCESSING", "QUEUED"), ("PROCESSING", "SUCCESS"), ("PROCESSING", "FAILED"), ("PROCESSING", "CANCELLED"),
}  # fmt: skip
"""The contract's table (infra §4.4), with the way back into the queue of what nobody works on any more."""


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

    if (before, after) in WAYS:
        assert yard.act(verb) == after
    else:
        with pytest.raises(Conflict) as refused:
            yard.act(verb)
        assert refused.value.code == "infra_job_state"


def test_the_statuses_are_those_of_the_contract_and_no_way_is_left_out():
    assert set(STATUSES) == set(MOVES) == {"QUEUED", "CLAIMED", "PROCESSING", "SUCCESS", "FAILED", "CANCELLED"}
    assert {(before, after) for before, ways in MOVES.items() for after in ways} == WAYS


def test_both_generations_name_the_types():
    for job_type in EVERY:
        assert canonical(newer(job_type)) == job_type
    assert newer("DESTROY_WORKER") == "DESTROY_RUNNER"
    assert canonical("CONNECTION_TEST_RUNNER") == "CONNECTION_TEST_RUNNER"
