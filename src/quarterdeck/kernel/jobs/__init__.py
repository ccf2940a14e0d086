"""The job ledger: the one place where work waits, runs and ends.

Its parts are imported when they are first asked for: a worker on another machine needs few of them, and no database.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from quarterdeck.kernel.jobs.kinds import (  # before the module's own name takes its place
    JobKind,
    JobKinds,
    Unkept,
    kinds,
)

if TYPE_CHECKING:
    from quarterdeck.kernel.jobs.finding import (
        Attempt,
        Filter,
        Place,
        ahead,
        attempts,
        count,
        find,
        get,
        holder,
        list_jobs,
        look,
        places,
    )
    from quarterdeck.kernel.jobs.frames import LogLine
    from quarterdeck.kernel.jobs.handlers import (
        DELIVERY,
        SERVER,
        JobContext,
        JobInfo,
        ServerHandlers,
        WorkerHandlers,
        server_handlers,
        worker_handlers,
    )
    from quarterdeck.kernel.jobs.job import (
        Enqueue,
        Job,
        Lane,
        Outcome,
        short_ref,
        short_ref_id,
        work_ref,
        work_ref_id,
    )
    from quarterdeck.kernel.jobs.ledger import (
        Assignment,
        Claimant,
        Report,
        claim,
        complete,
        complete_many,
        enqueue,
        enqueue_many,
        give_up,
        hand_back,
        heartbeat,
        hold_turn,
        record,
        topic,
    )
    from quarterdeck.kernel.jobs.moving import held, pin, take_back
    from quarterdeck.kernel.jobs.operating import (
        cancel,
        dead_letter,
        mark_recovered,
        may_cancel,
        prunable,
        prune,
        retry,
        same_again,
    )
    from quarterdeck.kernel.jobs.output import LogSink, into
    from quarterdeck.kernel.jobs.recovery import requeue_abandoned, requeue_lapsed, wake_parked
    from quarterdeck.kernel.jobs.refusals import Canceled, Fenced
    from quarterdeck.kernel.jobs.schedules import Rhythm, Unfit, remove_schedule, set_schedule, unfit
    from quarterdeck.kernel.jobs.service import Jobs
    from quarterdeck.kernel.jobs.session import Seat
    from quarterdeck.kernel.jobs.transitions import ENDED, LIVE, State
    from quarterdeck.kernel.jobs.work import About, Fact, Work, WorkKind

    list = list_jobs  # noqa: A001 - the spine says jobs.list

_HOMES = {
    "finding": (
        "Attempt", "Filter", "Place", "ahead", "attempts", "count", "find", "get", "holder", "list_jobs", "look",
        "places",
    ),
    "frames": ("LogLine",),
    "handlers": (
        "DELIVERY", "SERVER", "JobContext", "JobInfo", "ServerHandlers", "WorkerHandlers", "server_handlers",
        "worker_handlers",
    ),
    "job": ("Enqueue", "Job", "Lane", "Outcome", "short_ref", "short_ref_id", "work_ref", "work_ref_id"),
    "ledger": (
        "Assignment", "Claimant", "Report", "claim", "complete", "complete_many", "enqueue", "enqueue_many", "give_up",
        "hand_back", "heartbeat", "hold_turn", "record", "topic",
    ),
    "moving": ("held", "pin", "take_back"),
    "operating": (
        "cancel", "dead_letter", "mark_recovered", "may_cancel", "prunable", "prune", "retry", "same_again",
    ),
    "output": ("LogSink", "into"),
    "recovery": ("requeue_abandoned", "requeue_lapsed", "wake_parked"),
    "refusals": ("Canceled", "Fenced"),
    "schedules": ("Rhythm", "Unfit", "remove_schedule", "set_schedule", "unfit"),
    "service": ("Jobs",),
    "session": ("Seat",),
    "transitions": ("ENDED", "LIVE", "State"),
    "work": ("About", "Fact", "Work", "WorkKind"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    asked = "list_jobs" if name == "list" else name
    if asked not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME[asked]}"), asked)
    globals()[name] = found
    return found


__all__ = [
    "DELIVERY",
    "ENDED",
    "LIVE",
    "SERVER",
    "About",
    "Assignment",
    "Attempt",
    "Canceled",
    "Claimant",
    "Enqueue",
    "Fact",
    "Fenced",
    "Filter",
    "Job",
    "JobContext",
    "JobInfo",
    "JobKind",
    "JobKinds",
    "Jobs",
    "Lane",
    "LogLine",
    "LogSink",
    "Outcome",
    "Place",
    "Report",
    "Rhythm",
    "Seat",
    "ServerHandlers",
    "State",
    "Unfit",
    "Unkept",
    "Work",
    "WorkKind",
    "WorkerHandlers",
    "ahead",
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
    "give_up",
    "hand_back",
    "heartbeat",
    "held",
    "hold_turn",
    "holder",
    "into",
    "kinds",
    "list_jobs",
    "look",
    "mark_recovered",
    "may_cancel",
    "pin",
    "places",
    "prunable",
    "prune",
    "record",
    "remove_schedule",
    "requeue_abandoned",
    "requeue_lapsed",
    "retry",
    "same_again",
    "server_handlers",
    "set_schedule",
    "short_ref",
    "short_ref_id",
    "take_back",
    "topic",
    "unfit",
    "wake_parked",
    "work_ref",
    "work_ref_id",
    "worker_handlers",
]
