"""How an attempt ends badly: a `Problem` whose code is an `ErrorClass` of the orders."""

from __future__ import annotations

from typing import get_args

from quarterdeck.kernel.errors import Problem, ProviderFailure, RateLimited, Timeout
from quarterdeck.tasks.orders import ErrorClass

CLASSES = frozenset(get_args(ErrorClass))
STAGE_FAILED: ErrorClass = "agent_exited"
"""What a stage is that its agent itself says has failed."""


def failed(code: ErrorClass, message: str, hint: str, **details: object) -> Problem:
    if code in ("stage_timeout", "gate_timeout"):
        return Timeout(message, code=code, hint=hint, **details)
    return ProviderFailure(message, code=code, hint=hint, **details)


def limited(message: str, seconds: int) -> RateLimited:
    """`rate_limited`; the limit ends in so many seconds."""
    return RateLimited(message, retry_after=seconds, hint=f"Try again in {seconds} seconds, or with another agent.")


def of_workspace(problem: Problem) -> Problem:
    """What went wrong outside of the agent, in the words of the orders."""
    if problem.code in CLASSES:
        return problem
    return ProviderFailure(problem.message, code="workspace_error", hint=problem.hint, **problem.details)
