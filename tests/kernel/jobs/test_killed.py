"""kill -9 of a process in the middle of claiming and completing: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import open_database
from support import killed_worker
from support.killed_worker import KIND, Work, tallied

JOBS = 60


def _round(address, seed):
    """One process works until it is killed at a moment drawn from the seed; answers what it printed as kept."""
    program = Path(killed_worker.__file__)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, program, str(address)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout.readline() == "working\n"
        time.sleep(random.Random(seed).uniform(0.0, 0.25))  # noqa: S311 - a repeatable moment
    finally:
        process.send_signal(signal.SIGKILL)
        out = process.communicate()[0]
    return [int(line.split()[1]) for line in out.splitlines() if line.startswith("ended ") and line.endswith(".")]


def _check(address, kept):
    database = open_database(address)
    try:
        database.write_sync(jobs.requeue_abandoned, "process:killed")
        rows = database.read_sync(jobs.list_jobs, jobs.Filter(limit=1000))
        tally = database.read_sync(tallied)
        ended = {job.id for job in rows if job.state == "succeeded"}
        assert len(rows) == JOBS
        assert set(kept) <= ended, "an end that was answered is gone"
        assert sorted(tally) == sorted(ended), "a rule ran twice, or not with its job's end"
        assert {job.state for job in rows} <= {"pending", "succeeded", "dead-lettered"}
        return len(rows) - len(ended)
    finally:
        database.close_sync()


def _killed_again_and_again(address, rounds, seed):
    database = open_database(address)
    requests = [
        jobs.Enqueue(KIND, Work(number), 1, concurrency_key=f"k{number % 7}" if number % 2 else None)
        for number in range(JOBS)
    ]
    database.write_sync(jobs.enqueue_many, requests)
    database.close_sync()
    kept, left = [], JOBS
    for number in range(rounds):
        kept += _round(address, seed + number)
        left = _check(address, kept)
    return kept, left


def test_a_killed_process_loses_and_doubles_nothing(database_address):
    kept, left = _killed_again_and_again(database_address, 4, 20260101)
    assert len(kept) == len(set(kept))
    assert left < JOBS, "the processes were killed before they did anything"


@pytest.mark.full
def test_a_process_killed_a_hundred_times_loses_and_doubles_nothing(database_address):
    kept, _ = _killed_again_and_again(database_address, 100, 7)
    assert len(kept) == len(set(kept))
