"""What a worker and its server say to each other: the tasks control channel's frames, extended by jobs.

One JSON object a frame, `{v, type, id, ts, …}`, camelCase. Frames that ask for an answer are acknowledged by
`{type: "ack", ref}`; they are sent again until they are, and count once.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from quarterdeck.kernel.jobs.job import Outcome

VERSION = 1
FRAME_LIMIT = 16 * 1024 * 1024
"""Bytes; a work order carries a whole snapshot of variables and inline sources."""
LARGEST = FRAME_LIMIT - 4096
"""Bytes of a frame before it has its id and time."""

REPORT = 4 * 1024 * 1024
"""Bytes of what a report of a job holds at most."""
MOST_HELD, MOST_CAPABILITIES = 1000, 100
"""What a hello may name: it has to fit into the 64 KB that somebody unknown may send."""
Number = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
"""Of a job, an attempt or a report: what neither database can hold is no number of one."""
Capability = Annotated[str, msgspec.Meta(max_length=128)]
Said = Annotated[str, msgspec.Meta(pattern="^[^\\x00]*$")]
"""Text of any length without NUL, which PostgreSQL cannot hold."""

BAD_FRAME, UNAUTHENTICATED, DECOMMISSIONED, SILENT, SUPERSEDED, TOO_OLD, RESTARTING = (
    4400, 4401, 4403, 4408, 4409, 4426, 1012,
)  # fmt: skip


class _Frame(msgspec.Struct, tag_field="type", rename="camel", kw_only=True):
    id: str = ""
    v: int = VERSION
    ts: int = 0
    """Milliseconds since the epoch, by the sender's clock."""


class HeldJob(msgspec.Struct, rename="camel", frozen=True):
    """An attempt that a worker still runs, or whose end it has not yet been able to report."""

    job_id: Number
    fence: Number


class Hello(_Frame, tag="hello"):
    credential: str | None = None
    name: Said = ""
    worker_version: Said = ""
    boot_id: Said = ""
    """Which process says it."""
    dialled: int = 0
    """The how many-th connection of that process this is; of two, the newer one stays."""
    fingerprint: Said = ""
    slots: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    housekeeping_slots: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    capabilities: Annotated[list[Capability], msgspec.Meta(max_length=MOST_CAPABILITIES)] = msgspec.field(
        default_factory=list
    )
    jobs: Annotated[list[HeldJob], msgspec.Meta(max_length=MOST_HELD)] = msgspec.field(default_factory=list)
    """Attempts of an earlier connection. The server answers which of them are no longer held."""
    about: Any = None
    """What the worker says of its machine (`fleet.workers.description.About`)."""


class Welcome(_Frame, tag="welcome"):
    server_time: int = 0
    worker: str = ""
    heartbeat_seconds: float = 5.0
    lost: list[HeldJob] = msgspec.field(default_factory=list)
    """Attempts to stop at once, without a report."""
    cancel: list[HeldJob] = msgspec.field(default_factory=list)


class Heartbeat(_Frame, tag="heartbeat"):
    jobs: list[HeldJob] = msgspec.field(default_factory=list)
    used_slots: Number = 0
    cpu_percent: float | None = None
    mem_percent: float | None = None
    disk_percent: float | None = None
    load1: float | None = None
    about: Any = None
    """How the worker is (`fleet.workers.description.Condition`)."""


class JobAssign(_Frame, tag="job.assign"):
    job_id: Number
    uid: str
    kind: str
    fence: Number
    attempt: int
    lease_seconds: int
    subject: str | None = None
    order: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))


class JobAccept(_Frame, tag="job.accept"):
    job_id: Number
    fence: Number


UNKNOWN_KIND = "unknown_kind"
"""Why a worker gives a job back that its program has nothing for; it is given no more of that kind."""


class JobReject(_Frame, tag="job.reject"):
    """The worker gives the job back: `no_slot`, `stopping` or `UNKNOWN_KIND`."""

    job_id: Number
    fence: Number
    reason: str = ""


class JobRecord(_Frame, tag="job.record"):
    job_id: Number
    fence: Number
    number: Number
    kind: str
    data: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))
    """Read once it is known that the sender holds the job."""


class JobResult(_Frame, tag="job.result"):
    job_id: Number
    fence: Number
    outcome: Outcome


class JobCancel(_Frame, tag="job.cancel"):
    job_id: Number
    fence: Number
    reason: str = ""
    grace_sec: float = 10.0


class JobTell(_Frame, tag="job.tell"):
    """Something for a running attempt to look at. Whoever waits for it asks again by a report: it may get lost."""

    job_id: Number
    fence: Number
    kind: str
    data: Any = None


class LogLine(msgspec.Struct, frozen=True, rename="camel"):
    """One line of output; `time` in microseconds since the epoch."""

    time: Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
    message: str
    stream: str = "stdout"
    source: str = ""
    phase: str | None = None
    level: str = "info"


class LogBatch(_Frame, tag="log.batch"):
    job_id: Number
    fence: Number
    from_seq: Number
    lines: list[LogLine]


class Failure(msgspec.Struct, frozen=True):
    code: str
    message: str


class Ack(_Frame, tag="ack"):
    ref: str
    reply: Any = None
    error: Failure | None = None


class Ping(_Frame, tag="ping"):
    pass


class Pong(_Frame, tag="pong"):
    pass


class Drain(_Frame, tag="drain"):
    pass


class Undrain(_Frame, tag="undrain"):
    pass


class Shutdown(_Frame, tag="shutdown"):
    """From the server: end when idle and do not come back. From a worker: it is leaving."""

    reason: str = ""


class _Named(msgspec.Struct):
    """What a frame is, without reading the rest."""

    type: str = ""


ORDINARY = 256 * 1024
LARGE = {"job.record", "job.result", "log.batch"}
"""What may have more than `ORDINARY` bytes: of a value of any shape, each byte can cost a hundred once it is read."""
FromWorker = (
    Hello | Heartbeat | JobAccept | JobReject | JobRecord | JobResult | LogBatch | Ack | Ping | Pong | Drain | Shutdown
)
FromServer = Welcome | JobAssign | JobCancel | JobTell | Ack | Ping | Pong | Drain | Undrain | Shutdown
Frame = FromWorker | FromServer

_encoder = msgspec.json.Encoder()
_from_worker: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)
_named: msgspec.json.Decoder[_Named] = msgspec.json.Decoder(_Named)
_from_server: msgspec.json.Decoder[FromServer] = msgspec.json.Decoder(FromServer)


def encode(frame: Frame) -> bytes:
    return _encoder.encode(frame)


def fits(frame: Frame) -> bool:
    """Whether the other side would read it; it ends a connection that brings a larger one."""
    return len(_encoder.encode(frame)) <= LARGEST


def size(line: LogLine) -> int:
    """Bytes of a line in its frame."""
    return len(_encoder.encode(line)) + 1


def decode_from_worker(text: str | bytes) -> FromWorker:
    """Raises what `UNREADABLE` names; for a frame, too, that is larger than those of its type are."""
    if len(text) > ORDINARY and _named.decode(text).type not in LARGE:
        raise msgspec.ValidationError(f"A frame of this type has at most {ORDINARY} bytes")
    return _from_worker.decode(text)


def decode_from_server(text: str | bytes) -> FromServer:
    """Raises what `UNREADABLE` names."""
    return _from_server.decode(text)
