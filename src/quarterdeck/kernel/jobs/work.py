"""What a room says about its jobs, for whoever looks at work and acts on it.

The ledger knows kinds and subjects; which deployment or server a job is about, what it is called, and how it is done
once more by hand, only the room knows that enqueues it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from quarterdeck.kernel.jobs.job import Job

if TYPE_CHECKING:
    from quarterdeck.kernel.db import Tx

WorkKind = Literal[
    "deployment",
    "proxy-bootstrap",
    "certificate",
    "remote-state",
    "route-realization",
    "runtime-maintenance",
    "system",
]
Fact = str | float | bool | None


@dataclass(frozen=True, slots=True)
class About:
    """`operation` is the documented operation that asked for the work, else the kind of the job. `links` are wire ids
    by their documented field (`deploymentId`, …); `details` are safe to show to every reader. `came_to` is a word and a
    sentence for what has ended as its handler wished and yet did not do what its name says.
    """

    operation: str
    phase: str | None = None
    step: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Fact] = field(default_factory=dict)
    came_to: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Work:
    """`describe` answers for many jobs at once, by id. `again` does an ended job once more as new work and answers its
    job; without it the same payload is enqueued again. What is not `listed` is shown to nobody: that it is there
    would tell who looks something that is not theirs to know.
    """

    kind: WorkKind = "system"
    title: str = ""
    describe: Callable[[Tx, Sequence[Job]], Mapping[int, About]] | None = None
    again: Callable[[Tx, Job], Job] | None = None
    listed: bool = True


def about(tx: Tx, jobs: Sequence[Job], find: Callable[[str], Work | None]) -> dict[int, About]:
    """What the rooms say of these jobs; of those that no room knows, their kind."""
    by_kind: dict[str, list[Job]] = {}
    for job in jobs:
        by_kind.setdefault(job.kind, []).append(job)
    found = {job.id: About(job.kind) for job in jobs}
    for kind, some in by_kind.items():
        work = find(kind)
        if work is not None and work.describe is not None:
            found.update(work.describe(tx, some))
    return found
