"""A process that claims and completes until it is killed. Each end writes a row of its own in the same transaction."""

from __future__ import annotations

import sys

import msgspec

from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.db import open_database

KIND = "killed.work"


class Work(msgspec.Struct):
    number: int


jobs.kinds.register(
    jobs.JobKind(KIND, Work, finish=lambda tx, job, outcome: events.append(tx, "killed", "ended", {"job": job.id}))
)


def tallied(tx):
    """The job of every end whose rule was kept."""
    return [event.data["job"] for event in events.read(tx, "killed", 0, 10_000)]


def main(address: str) -> None:
    database = open_database(address)
    claimant = jobs.Claimant("process:killed", frozenset(), ("urgent", "normal", "background"), 3)
    sys.stdout.write("working\n")
    sys.stdout.flush()
    while True:
        for assigned in database.write_sync(jobs.claim, claimant):
            job = assigned.job
            database.write_sync(jobs.heartbeat, [(job.id, job.fence)])
            database.write_sync(jobs.complete, job.id, job.fence, jobs.Outcome("succeeded"), key=job.concurrency_key)
            sys.stdout.write(f"ended {job.id} .\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
