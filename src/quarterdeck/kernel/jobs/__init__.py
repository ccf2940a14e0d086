"""The job ledger: the one place where work waits, runs and ends."""

from quarterdeck.kernel.jobs.finding import Attempt, Filter, attempts, count, find, get, list_jobs
from quarterdeck.kernel.jobs.job import Enqueue, Job, Lane, Outcome, short_ref, short_ref_id
from quarterdeck.kernel.jobs.kinds import JobKind, JobKinds, kinds
from quarterdeck.kernel.jobs.ledger import (
    Assignment,
    Claimant,
    Report,
    claim,
    complete,
    complete_many,
    enqueue,
    enqueue_many,
    hand_back,
    heartbeat,
    record,
    topic,
)
from quarterdeck.kernel.jobs.operating import cancel, dead_letter, mark_recovered, prune, retry
from quarterdeck.kernel.jobs.recovery import requeue_abandoned, requeue_lapsed, wake_parked
from quarterdeck.kernel.jobs.refusals import Canceled, Fenced
from quarterdeck.kernel.jobs.transitions import ENDED, LIVE, State

list = list_jobs  # noqa: A001 - the spine says jobs.list

__all__ = [
    "ENDED",
    "LIVE",
    "Assignment",
    "Attempt",
    "Canceled",
    "Claimant",
    "Enqueue",
    "Fenced",
    "Filter",
    "Job",
    "JobKind",
    "JobKinds",
    "Lane",
    "Outcome",
    "Report",
    "State",
    "attempts",
    "cancel",
    "claim",
    "complete",
    "complete_many",
    "count",
    "dead_letter",
    "enqueue",
    "enqueue_many",
    "find",
    "get",
    "hand_back",
    "heartbeat",
    "kinds",
    "list_jobs",
    "mark_recovered",
    "prune",
    "record",
    "requeue_abandoned",
    "requeue_lapsed",
    "retry",
    "short_ref",
    "short_ref_id",
    "topic",
    "wake_parked",
]
