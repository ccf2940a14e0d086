"""The lines of a job: what foreign runners send in chunks, and what is read of any job (contract: infra §4.7).

A line's number within its job is the id of the wire: whole, rising, never given again. A chunk may end in the middle of
a line; such a part is marked, so that it is read as it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from quarterdeck.infra.work.happenings import stream
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.kernel.logs import Line, Logs

MOST = 10 << 20
"""Bytes that are kept of one job's chunks; what comes after them is dropped."""
ROW_BYTES = 64
"""What a line counts beside its text: a chunk of line breaks is a million rows."""
CHUNK = 1 << 20
"""Bytes of one chunk."""
ANSWER = 10 << 20
"""Bytes of text of one answer."""
TOGETHER = 64 << 10
"""Bytes up to which lines of one channel are told as one chunk."""
LINGER = timedelta(seconds=5)
"""A foreign runner sends its last lines after its last report (contract: infra §7)."""
PART = "part"
"""The phase of a line that goes on with the next one of its channel."""
FULL = f"More than {MOST >> 20} MB were written; what follows is dropped."
PAGE = 2000
TYPES: dict[str, Literal["stdout", "stderr", "system"]] = {"STDOUT": "stdout", "STDERR": "stderr", "SYSTEM": "system"}


class Chunk(Struct, frozen=True):
    """Some lines of one channel; `id` is the number of the last."""

    id: int
    text: str
    stream_type: str
    at: datetime


def chunk(text: str | None, stream_type: str | None) -> tuple[str, str]:
    """What a runner sends. Raises `Invalid` for an empty chunk, one that is too long, and a channel there is not."""
    if not text:
        raise Invalid("log_chunk is required", code="infra_log_chunk_required", field="log_chunk")
    if len(text) > CHUNK:
        raise Invalid(
            f"log_chunk has more than {CHUNK >> 10} KiB.", code="infra_log_chunk_too_large", hint="Send it in parts.",
            field="log_chunk",
        )  # fmt: skip
    channel = (stream_type or "STDOUT").upper()
    if channel not in TYPES:
        raise Invalid(
            f"stream_type must be one of: {', '.join(TYPES)}", code="infra_stream_type_unknown", field="stream_type"
        )
    return text, channel


def complete(tx: Tx, job: InfraJob) -> bool:
    """Whether nothing more is to come: the job has ended, its attempt too, and the last lines have had their time."""
    if job.completed_at is None:
        return False
    carried = look(tx, job.ledger_id) if job.ledger_id is not None else None
    ended = carried.finished_at if carried is not None else job.completed_at
    return ended is not None and tx.now - max(ended, job.completed_at) >= LINGER


def parts(text: str, channel: str, at: datetime) -> list[Line]:
    """A chunk as lines; the last is a part where the chunk does not end with a line."""
    body, ended = text.removesuffix("\n"), text.endswith("\n")
    lines = [_line(at, channel, one.removesuffix("\r"), None) for one in body.split("\n")]
    if not ended:
        lines[-1] = _line(at, channel, lines[-1].message, PART)
    return lines


def _line(at: datetime, channel: str, message: str, phase: str | None) -> Line:
    return Line(at, "application", TYPES[channel], phase, "info", message)


async def take(logs: Logs, uid: str, text: str, channel: str, at: datetime) -> bool:
    """Store a chunk of a job; the store writes those of many jobs together. False where there was no more room for all
    of it: what fits is kept, and the job's log says so.
    """
    state = await logs.state(stream(uid))
    left = MOST - state.bytes - (state.head - state.watermark) * ROW_BYTES
    if left <= 0:
        return False
    coming = parts(text, channel, at)
    kept: list[Line] = []
    for line in coming:
        if left <= 0:
            break
        left -= len(line.message.encode("utf-8", "replace")) + ROW_BYTES
        kept.append(line)
    whole = len(kept) == len(coming)
    if left <= 0:
        kept.append(Line(at, "quarterdeck", "system", None, "warn", FULL))
    await logs.store(stream(uid), kept)
    return whole


async def read(logs: Logs, uid: str, after: int = 0, most: int = ANSWER) -> tuple[list[Chunk], bool]:
    """Everything of a job with ids above `after`, up to so many bytes; and whether there is more."""
    found: list[Chunk] = []
    size = 0
    while page := await logs.read(stream(uid), after=after, limit=PAGE):
        for one in chunks(page):
            size += len(one.text)
            found.append(one)
        after = page[-1].number
        if size >= most:
            return found, bool(await logs.read(stream(uid), after=after, limit=1))
        if len(page) < PAGE:
            break
    return found, False


def chunks(lines: Iterable[Line]) -> list[Chunk]:
    """Consecutive lines of one channel together, as chunks of a bounded size."""
    found: list[Chunk] = []
    kept: list[str] = []
    size, last = 0, None
    for line in lines:
        text = line.message if line.phase == PART else f"{line.message}\n"
        if last is not None and (line.stream != last.stream or size + len(text) > TOGETHER):
            found.append(_chunk(last, kept))
            kept, size = [], 0
        kept.append(text)
        size, last = size + len(text), line
    if last is not None:
        found.append(_chunk(last, kept))
    return found


def _chunk(last: Line, texts: Sequence[str]) -> Chunk:
    return Chunk(last.number, "".join(texts), last.stream.upper(), last.time)
