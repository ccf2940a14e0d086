"""Why the ledger no longer listens to an attempt, and a refusal as the end of one."""

from __future__ import annotations

from quarterdeck.kernel.errors import Conflict, Problem
from quarterdeck.kernel.jobs.job import Outcome


class Fenced(Conflict):
    """The attempt lost its lease: another may be running, so this one stops and touches nothing more."""

    default_code = "job_fenced"


class Canceled(Conflict):
    """Someone asked for the job to stop."""

    default_code = "job_canceled"


def fenced(job_id: int, fence: int) -> Fenced:
    return Fenced(
        f"Attempt {fence} of job {job_id} no longer holds its lease.",
        hint="Stop the work; the ledger has given the job to another attempt or ended it.",
    )


def canceled(job_id: int) -> Canceled:
    return Canceled(f"Job {job_id} was canceled.", hint="Undo what is not finished and end.")


def failure(problem: Problem) -> Outcome:
    """A refusal as an outcome: the message's first line says what happened, the second what to do."""
    return Outcome(
        "failed",
        error_code=problem.code,
        error_message=problem.message if problem.hint is None else f"{problem.message}\n{problem.hint}",
        error_category=problem.category,
        retriable=problem.category == "retryable",
    )
