from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.fleet.docker.build import protobuf
from quarterdeck.fleet.docker.build.builder import ClassicProgress, masked
from quarterdeck.fleet.docker.build.trace import StepEnded, StepLog, StepStarted, Trace
from quarterdeck.fleet.docker.logs import Frames, Lines, LogLine
from quarterdeck.fleet.docker.messages import Message, messages
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import ProviderFailure


def frame(channel: int, payload: bytes) -> bytes:
    return bytes([channel, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=20), st.integers(1, 50))
def test_frames_survive_any_cut(frames: list[tuple[int, bytes]], size: int) -> None:
    whole = b"".join(frame(channel, payload) for channel, payload in frames)
    reader = Frames()
    read = [item for at in range(0, len(whole), size) for item in reader.feed(whole[at : at + size])]
    assert read == [("stdout" if channel == 1 else "stderr", payload) for channel, payload in frames]


def test_channels_do_not_mix_within_a_line() -> None:
    lines = Lines()
    assert lines.feed("stdout", b"one ") == []
    assert lines.feed("stderr", b"oops\n") == [LogLine("stderr", "oops")]
    assert lines.feed("stdout", b"line\r\ntwo\n\nrest") == [
        LogLine("stdout", "one line"),
        LogLine("stdout", "two"),
        LogLine("stdout", ""),
    ]
    assert lines.end() == [LogLine("stdout", "rest")]


def test_a_line_that_the_engine_cut_is_one_line_with_its_first_time() -> None:
    lines = Lines(stamped=True)
    assert lines.feed("stdout", b"2026-01-02T03:04:05.123456789Z first ") == []
    assert lines.feed("stdout", b"2026-01-02T03:04:06Z second\n") == [
        LogLine("stdout", "first second", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC))
    ]


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_messages_are_read_across_chunks_and_junk_is_a_provider_failure() -> None:
    read = [message async for message in messages(chunks(b'{"stream":"a"}\r\n{"st', b'ream":"b"}\n', b'{"error":"c"}'))]
    assert read == [Message(stream="a"), Message(stream="b"), Message(error="c")]
    with pytest.raises(ProviderFailure):
        [message async for message in messages(chunks(b"<html>"))]


@given(st.lists(st.tuples(st.integers(1, 2000), st.one_of(st.binary(max_size=300), st.integers(0, 2**64 - 1)))))
def test_protobuf_reads_what_it_writes(written: list[tuple[int, bytes | int]]) -> None:
    assert list(protobuf.fields(b"".join(protobuf.write(number, value) for number, value in written))) == written


def test_protobuf_reads_the_documented_bytes() -> None:
    # From the protobuf encoding guide: field 1 = 150, field 2 = "testing", and fixed-width fields.
    found = protobuf.message(bytes.fromhex("089601" + "120774657374696e67" + "1d01020304" + "210102030405060708"))
    assert found == {1: [150], 2: [b"testing"], 3: [b"\1\2\3\4"], 4: [b"\1\2\3\4\5\6\7\x08"]}


@pytest.mark.parametrize("raw", ["08", "0a05aa", "0b", "08" + "ff" * 10])
def test_broken_protobuf_is_an_error_and_not_a_guess(raw: str) -> None:
    with pytest.raises(ValueError, match=r"varint|truncated|wire"):
        list(protobuf.fields(bytes.fromhex(raw)))


def stamp(seconds: int, nanos: int = 0) -> bytes:
    return protobuf.write(1, seconds) + protobuf.write(2, nanos)


def vertex(*parts: bytes) -> bytes:
    return protobuf.write(1, b"".join((protobuf.write(1, "d1"), protobuf.write(3, "[1/2] RUN x"), *parts)))


def log(text: bytes, channel: int = 1) -> bytes:
    return protobuf.write(3, protobuf.write(1, "d1") + protobuf.write(3, channel) + protobuf.write(4, text))


def feed(trace: Trace, *parts: bytes) -> list[object]:
    return list(trace.feed(base64.b64encode(b"".join(parts)).decode()))


def test_each_change_of_a_step_is_told_once_and_its_lines_before_its_end() -> None:
    trace = Trace()
    started, completed = protobuf.write(5, stamp(100)), protobuf.write(6, stamp(102, 500_000_000))
    assert feed(trace, vertex()) == []
    assert feed(trace, vertex(started)) == [StepStarted("d1", "[1/2] RUN x")]
    assert feed(trace, vertex(started), log(b"par")) == []
    assert feed(trace, vertex(started, completed, protobuf.write(7, "boom")), log(b"tial\nerr\n")) == [
        StepLog("d1", "stdout", "partial"),
        StepLog("d1", "stdout", "err"),
        StepEnded("d1", "[1/2] RUN x", 2.5, cached=False, error="boom"),
    ]
    assert feed(trace, vertex(started, completed)) == []
    assert feed(trace, log(b"late", channel=2)) == []
    assert trace.end() == [StepLog("d1", "stderr", "late")]


def test_a_cached_step_counts_as_cached() -> None:
    trace = Trace()
    done = vertex(protobuf.write(4, 1), protobuf.write(5, stamp(1)), protobuf.write(6, stamp(1)))
    assert feed(trace, done)[-1] == StepEnded("d1", "[1/2] RUN x", 0.0, cached=True)
    assert (trace.steps, trace.cached) == (1, 1)


def test_unreadable_progress_is_a_provider_failure() -> None:
    for aux in ("!!", base64.b64encode(b"\x0a\x05a").decode(), None):
        with pytest.raises(ProviderFailure):
            Trace().feed(aux)


def test_the_classic_builders_text_becomes_the_same_events() -> None:
    clock = HeldClock()
    progress = ClassicProgress(clock)
    assert progress.feed(Message(stream="Step 1/2 : FROM x")) == []
    assert progress.feed(Message(stream="\n")) == [StepStarted("1", "FROM x")]
    assert progress.feed(Message(stream=" ---> Using cache\n ---> abc\n")) == []
    clock.advance(2)
    assert progress.feed(Message(stream="Step 2/2 : RUN y\nhello\n")) == [
        StepEnded("1", "FROM x", 2.0, cached=True),
        StepStarted("2", "RUN y"),
        StepLog("2", "stdout", "hello"),
    ]
    progress.feed(Message(aux={"ID": "sha256:1"}))
    progress.feed(Message(error="it broke"))
    assert progress.end() == [StepEnded("2", "RUN y", 0.0, cached=False, error="it broke")]
    assert (progress.image_id, progress.steps, progress.cached) == ("sha256:1", 2, 1)


def test_build_secrets_are_masked_in_lines_and_errors() -> None:
    assert masked(StepLog("1", "stdout", "token abc!"), ["abc"]) == StepLog("1", "stdout", "token ****!")
    assert masked(StepEnded("1", "RUN", 1, error="abc"), ["abc"]) == StepEnded("1", "RUN", 1, error="****")
