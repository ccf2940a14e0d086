"""What a frame may say, before anything is done with it."""

from __future__ import annotations

import json

import msgspec
import pytest

from quarterdeck.kernel.jobs import frames

RESULT = {"type": "job.result", "jobId": 1, "fence": 1, "outcome": {"state": "failed"}}
RECORD = {"type": "job.record", "jobId": 1, "fence": 1, "number": 1, "kind": "x"}
LINES = {"type": "log.batch", "jobId": 1, "fence": 1, "fromSeq": 1, "lines": []}


@pytest.mark.parametrize(
    ("frame", "name"),
    [(RESULT, "fence"), (RESULT, "jobId"), (RECORD, "number"), (RECORD, "fence"), (LINES, "fromSeq")],
)
@pytest.mark.parametrize("number", [1 << 63, -1, 10**30])
def test_a_number_that_no_database_holds_is_no_frame(frame: dict[str, object], name: str, number: int) -> None:
    assert frames.decode_from_worker(json.dumps(frame))
    assert frames.decode_from_worker(json.dumps({**frame, name: (1 << 63) - 1}))
    with pytest.raises(msgspec.ValidationError):
        frames.decode_from_worker(json.dumps({**frame, name: number}))


def test_so_is_an_attempt_that_is_held_and_the_time_of_a_line() -> None:
    for held in ({"jobId": 1, "fence": 1 << 63}, {"jobId": 1 << 63, "fence": 1}):
        for kind in ("hello", "heartbeat"):
            with pytest.raises(msgspec.ValidationError):
                frames.decode_from_worker(json.dumps({"type": kind, "jobs": [held]}))
    with pytest.raises(msgspec.ValidationError):
        frames.decode_from_worker(json.dumps({**LINES, "lines": [{"time": 1 << 63, "message": "x"}]}))
