"""The states of a job and every way from one to another. Nothing else assigns a job's state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    RETRY_SCHEDULED = "retry-scheduled"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    DEAD_LETTERED = "dead-lettered"


LIVE = frozenset({State.PENDING, State.RUNNING, State.RETRY_SCHEDULED})
ENDED = frozenset(State) - LIVE


@dataclass(frozen=True, slots=True)
class Transition:
    """One named change. `allowed` and `becomes` are its two halves as SQL text."""

    name: str
    sources: tuple[State, ...]
    target: State

    def allows(self, state: str) -> bool:
        return state in self.sources

    @property
    def allowed(self) -> str:
        return "state IN (" + ", ".join(f"'{state}'" for state in self.sources) + ")"

    @property
    def becomes(self) -> str:
        return f"state = '{self.target}'"


_RUNNING = (State.RUNNING,)
_WAITING = (State.PENDING, State.RETRY_SCHEDULED)

CLAIM = Transition("claim", _WAITING, State.RUNNING)
SUCCEED = Transition("succeed", _RUNNING, State.SUCCEEDED)
FAIL = Transition("fail", _RUNNING, State.FAILED)
TRY_AGAIN = Transition("try-again", _RUNNING, State.RETRY_SCHEDULED)
GIVE_UP = Transition("give-up", _RUNNING, State.DEAD_LETTERED)
STOP = Transition("stop", _RUNNING, State.CANCELED)
REQUEUE = Transition("requeue", _RUNNING, State.PENDING)

CANCEL = Transition("cancel", _WAITING, State.CANCELED)
RECOVER = Transition("mark-recovered", (State.FAILED, State.RETRY_SCHEDULED, State.DEAD_LETTERED), State.SUCCEEDED)
BURY = Transition("dead-letter", (State.FAILED, State.RETRY_SCHEDULED), State.DEAD_LETTERED)
REPLACE = Transition("retry", (State.RETRY_SCHEDULED,), State.FAILED)
"""A retry by hand is a new job; one that still waited for its own retry ends as failed."""

TRANSITIONS = (CLAIM, SUCCEED, FAIL, TRY_AGAIN, GIVE_UP, STOP, REQUEUE, CANCEL, RECOVER, BURY, REPLACE)
ENDINGS = {transition.target: transition for transition in (SUCCEED, FAIL, TRY_AGAIN, GIVE_UP, STOP, REQUEUE)}
"""How a running attempt may end, by the state it leaves the job in."""
