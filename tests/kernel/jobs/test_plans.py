"""The hot statements use the small indexes, however many finished rows there are."""

from __future__ import annotations

import re

import pytest

from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.jobs import sqlite
from quarterdeck.kernel.jobs.finding import Filter
from quarterdeck.kernel.jobs.transitions import LIVE, State
from support.databases import fresh_database


@pytest.fixture
def plan(tmp_path):
    with fresh_database("sqlite", tmp_path, None) as address:
        database = open_database(address)

        def explain(statement):
            def run(tx):
                return [row[3] for row in tx.hot("EXPLAIN QUERY PLAN " + statement, (None,) * statement.count("?"))]

            return database.read_sync(run)

        yield explain
        database.close_sync()


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (sqlite.CANDIDATES, "ix_jobs_claim"),
        (sqlite.LIVE_ROUTES, "ix_jobs_claim"),
        (sqlite.CLAIM % sqlite.CANDIDATES, "ix_jobs_claim"),
        (sqlite.PROMOTE, "ix_jobs_parked"),
        ("SELECT 1 FROM jobs WHERE turn_key = ?", "uq_jobs_turn"),
        ("SELECT 1 FROM jobs WHERE lease_until <= ?", "ix_jobs_lease"),
        ("SELECT 1 FROM jobs WHERE wake_at <= ?", "ix_jobs_wake"),
        ("SELECT id FROM jobs WHERE lease_until IS NOT NULL AND owner = ?", "ix_jobs_lease"),
    ],
)
def test_a_hot_statement_scans_no_table(plan, statement, index):
    steps = plan(statement)
    assert any(index in step for step in steps), steps
    assert not any(step.startswith("SCAN jobs") and "INDEX" not in step for step in steps), steps


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Filter(organization_id=1, states=(State.RUNNING,)), "ix_jobs_lease"),
        (Filter(organization_id=1, states=(State.PENDING,)), "ix_jobs_unended"),
        (Filter(organization_id=1, with_own=True, states=(State.FAILED,)), "ix_jobs_missed"),
        (Filter(kind="events.deliver", states=tuple(LIVE)), "ix_jobs_unended"),
        (Filter(organization_id=1, subject="deployment:dep_1"), "ix_jobs_subject"),
        (Filter(organization_id=1, with_own=True, subjects=("deployment:dep_1", "resource:res_1")), "ix_jobs_subject"),
    ],
)
def test_counting_live_jobs_reads_no_ended_one(plan, wanted, index):
    for part in wanted.parts():
        where, values = part.where()
        statement = f"SELECT count(*) FROM jobs WHERE {where}"
        for name in values:
            statement = re.sub(rf":{name}\b", "?", statement)
        assert index in " ".join(plan(statement))
