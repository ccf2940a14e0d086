"""A job as the rest of the program sees it, and what is asked of the ledger."""

from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from quarterdeck.kernel.clock import instant
from quarterdeck.kernel.jobs.transitions import ENDED, State

P = TypeVar("P")
LANES = ("urgent", "normal", "background", "housekeeping")
Lane = Literal["urgent", "normal", "background", "housekeeping"]
NO_CAPABILITIES: frozenset[str] = frozenset()


class Enqueue(msgspec.Struct, frozen=True):
    """A request for work. `subject` is what the work is about (`deployment:dep_…`).

    Jobs of one `concurrency_key` run one at a time, in order. A second request with the same `idempotency_key` (within
    kind and organization) answers the first job. `worker_id` pins the job to one enrolled worker. `lease_seconds` is
    that of the kind unless it is given.
    """

    kind: str
    payload: msgspec.Struct | dict[str, Any]
    organization_id: int | None
    subject: str | None = None
    lane: Lane | None = None
    capabilities: frozenset[str] = NO_CAPABILITIES
    worker_id: int | None = None
    concurrency_key: str | None = None
    idempotency_key: str | None = None
    run_at: datetime | None = None
    max_attempts: int = 1
    correlation_id: str | None = None
    parent_id: int | None = None
    retry_of_id: int | None = None
    lease_seconds: int | None = None


class Outcome(msgspec.Struct, frozen=True):
    """How an attempt ended. `result` is the handler's answer as JSON text."""

    state: Literal["succeeded", "failed", "canceled"]
    result: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_category: str | None = None
    retriable: bool = False


class Job(msgspec.Struct, frozen=True, array_like=True):
    """A snapshot of one row. Fields stand in the order of `COLUMNS`; times in `_us` are microseconds."""

    id: int
    uid: str
    kind: str
    state: str
    lane_rank: int
    organization_id: int | None
    subject: str | None
    payload: str
    requires: str
    worker_id: int | None
    concurrency_key: str | None
    idempotency_key: str | None
    correlation_id: str | None
    parent_id: int | None
    retry_of_id: int | None
    run_us: int
    attempts: int
    max_attempts: int
    lapses: int
    lease_seconds: int
    fence: int
    owner: str | None
    lease_us: int | None
    report_number: int
    report_reply: str | None
    cancel_us: int | None
    cancel_reason: str | None
    result: str | None
    error_code: str | None
    error_category: str | None
    error_message: str | None
    retriable: int | None
    closed_by: str | None
    created_us: int
    started_us: int | None
    finished_us: int | None

    @property
    def short_ref(self) -> str:
        return short_ref(self.id)

    @property
    def work_ref(self) -> str:
        return work_ref(self.id)

    @property
    def lane(self) -> str:
        return LANES[self.lane_rank]

    @property
    def ended(self) -> bool:
        return State(self.state) in ENDED

    @property
    def run_at(self) -> datetime:
        return instant(self.run_us)

    @property
    def created_at(self) -> datetime:
        return instant(self.created_us)

    @property
    def started_at(self) -> datetime | None:
        return None if self.started_us is None else instant(self.started_us)

    @property
    def finished_at(self) -> datetime | None:
        return None if self.finished_us is None else instant(self.finished_us)

    def read(self, payload: type[P]) -> P:
        """The payload as the struct it was enqueued with."""
        return msgspec.json.decode(self.payload, type=payload)


_COLUMN = {
    "lane_rank": "lane",
    "run_us": "run_at",
    "lease_us": "lease_until",
    "cancel_us": "cancel_requested_at",
    "created_us": "created_at",
    "started_us": "started_at",
    "finished_us": "finished_at",
}
COLUMN_NAMES = tuple(_COLUMN.get(field, field) for field in Job.__struct_fields__)
COLUMNS = ", ".join(COLUMN_NAMES)

_MULTIPLIER = 0x9E3779B1  # odd, so that it has an inverse modulo 2**32
_INVERSE = pow(_MULTIPLIER, -1, 1 << 32)
_MASK = (1 << 32) - 1


def short_ref(job_id: int) -> str:
    """Eight hexadecimal digits, one to one with the id below 2**32: no second sequence, no collision, no index."""
    value = job_id * _MULTIPLIER & _MASK
    value = (value ^ value >> 16) * _MULTIPLIER & _MASK
    return f"{value ^ value >> 16:08x}"


def short_ref_id(ref: str) -> int:
    """The job id behind a `short_ref`. Raises `ValueError` for any other form."""
    if len(ref) != 8:
        raise ValueError(ref)
    value = int(ref, 16)
    value = (value ^ value >> 16) * _INVERSE & _MASK
    return (value ^ value >> 16) * _INVERSE & _MASK


_WORK_BITS = 62  # twelve digits of base 36 hold a little more
_WORK_MASK = (1 << _WORK_BITS) - 1
_WORK_MULTIPLIER = 0x1E3779B97F4A7C15
_WORK_INVERSE = pow(_WORK_MULTIPLIER, -1, 1 << _WORK_BITS)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
WORK = "wrk_"


def work_ref(job_id: int) -> str:
    """`wrk_` and twelve characters, one to one with the id, as `short_ref` is: the documented form of a work id."""
    value = job_id * _WORK_MULTIPLIER & _WORK_MASK
    value = (value ^ value >> 31) * _WORK_MULTIPLIER & _WORK_MASK
    digits = []
    for _ in range(12):
        value, digit = divmod(value, 36)
        digits.append(_DIGITS[digit])
    return WORK + "".join(reversed(digits))


def work_ref_id(ref: str) -> int:
    """The job id behind a `work_ref`. Raises `ValueError` for any other form."""
    digits = ref.removeprefix(WORK)
    if len(digits) != 12 or len(ref) != 16 or not set(digits) <= set(_DIGITS):
        raise ValueError(f"{ref!r} is no work reference")
    value = int(digits, 36)
    if value > _WORK_MASK:
        raise ValueError(f"{ref!r} is no work reference")
    value = value * _WORK_INVERSE & _WORK_MASK
    return (value ^ value >> 31) * _WORK_INVERSE & _WORK_MASK
