"""What kinds of job there are, and what the server does when one is claimed, reports, and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.jobs.job import Job, Lane, Outcome
from quarterdeck.kernel.jobs.work import About, Work, WorkKind, about

if TYPE_CHECKING:
    from quarterdeck.kernel.db import Tx

Assign = Callable[["Tx", Job], msgspec.Struct]
Record = Callable[["Tx", Job, str, Any], Any]
Finish = Callable[["Tx", Job, Outcome], None]
Late = Callable[["Tx", Job, Outcome], None]
Unsettled = Callable[["Tx"], Sequence[int]]
Returned = Callable[["Tx", Job], None]
Fate = Literal["again", "failed"]


UNTOLD = Work()


@dataclass(frozen=True, slots=True)
class Unkept:
    """An answer to a report that nothing keeps, such as a token: a report that is repeated is answered with None."""

    value: Any


@dataclass(frozen=True, slots=True)
class JobKind:
    """`assign` makes the work order in the claiming transaction (sent, never stored; the payload is sent without it),
    `record` keeps one report of a running attempt and answers it, `finish` runs in the completing transaction. A job
    that waits to be tried again keeps the turn of its concurrency key, or lets others go first. A kind whose `finish`
    ends a thing of its room says by `unsettled` the jobs (row ids) of all such things that live: the reconciler
    finishes those that have ended without it. `lost` says what becomes of an attempt whose worker has gone or gives it
    back: it is run again, or the job fails, because only a person can judge what it may have done; a rule decides it
    for each attempt. `returned` hears, in the unit that does it, that an attempt has gone back into the queue. `late`
    hears an attempt that tells its end after the job has failed for that; it may hear it more than once.
    """

    name: str
    payload: type[msgspec.Struct] | None = None
    assign: Assign | None = None
    record: Record | None = None
    finish: Finish | None = None
    unsettled: Unsettled | None = None
    lost: Fate | Callable[[Tx, Job], Fate] = "again"
    returned: Returned | None = None
    late: Late | None = None
    lane: Lane = "normal"
    lease_seconds: int = 30
    backoff_seconds: int = 5
    keeps_turn: bool = True
    capabilities: frozenset[str] = field(default_factory=frozenset)
    work: Work = UNTOLD

    def what_if_lost(self, tx: Tx, job: Job) -> Fate:
        return self.lost(tx, job) if callable(self.lost) else self.lost

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.work.title or titled(self.name)


def titled(kind: str) -> str:
    return kind.replace(".", " ").replace("-", " ").capitalize()


class JobKinds:
    def __init__(self) -> None:
        self._kinds: dict[str, JobKind] = {}

    def register(self, kind: JobKind) -> JobKind:
        """Make a kind known; one of the same name is replaced, as an instance built later in one process does."""
        self._kinds[kind.name] = kind
        return kind

    def all(self) -> list[JobKind]:
        return list(self._kinds.values())

    def get(self, name: str) -> JobKind:
        kind = self._kinds.get(name)
        if kind is None:
            raise NotFound(f"There is no kind of job named {name}.", code="job_kind_unknown")
        return kind

    def find(self, name: str) -> JobKind | None:
        return self._kinds.get(name)

    def title(self, name: str) -> str:
        kind = self._kinds.get(name)
        return kind.title if kind is not None else titled(name)

    def work(self, name: str) -> Work:
        kind = self._kinds.get(name)
        return kind.work if kind is not None else UNTOLD

    def of_work(self, *kinds: WorkKind) -> tuple[str, ...]:
        """The kinds of job that count to these kinds of work."""
        return tuple(sorted(name for name, kind in self._kinds.items() if kind.work.kind in kinds))

    def unlisted(self) -> tuple[str, ...]:
        """The kinds of job that nobody is shown."""
        return tuple(sorted(name for name, kind in self._kinds.items() if not kind.work.listed))

    def about(self, tx: Tx, jobs: Sequence[Job]) -> Mapping[int, About]:
        return about(tx, jobs, self.work)


kinds = JobKinds()
"""The program's kinds; rooms register theirs when imported."""
