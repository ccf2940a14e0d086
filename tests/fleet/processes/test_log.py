from __future__ import annotations

import asyncio

from quarterdeck.fleet.processes import log
from quarterdeck.fleet.processes.spec import ProcessSpec, RestartPolicy
from quarterdeck.fleet.processes.supervisor.output import LONGEST_LINE, Output, segments


def test_lines_keep_their_stream_and_order(tmp_path):
    output = Output(tmp_path, 1_000_000)
    output.feed("o", b"one\ntw")
    output.feed("e", b"bad\r\n")
    output.feed("o", b"o\nrest")
    output.flush()
    assert [(line.stream, line.text) for line in log.read(tmp_path)] == [
        ("stdout", "one"),
        ("stderr", "bad"),
        ("stdout", "two"),
        ("stdout", "rest"),
    ]


def test_the_log_never_outgrows_its_bound_and_keeps_the_newest(tmp_path):
    output = Output(tmp_path, 40_000)
    for number in range(5000):
        output.feed("o", f"line {number}\n".encode())
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 45_000
    assert [line.text for line in [*log.read(tmp_path)][-2:]] == ["line 4998", "line 4999"]
    assert segments(tmp_path)[0] > 1


def test_reading_goes_on_behind_a_position_across_rotations(tmp_path):
    output = Output(tmp_path, 40_000)
    output.feed("o", b"first\n")
    position = next(iter(log.read(tmp_path))).position
    for number in range(300):
        output.feed("o", f"line {number}\n".encode())
    assert [line.text for line in log.read(tmp_path, position)] == [f"line {n}" for n in range(300)]


def test_an_endless_line_is_cut_into_pieces(tmp_path):
    output = Output(tmp_path, 1_000_000)
    output.feed("o", b"x" * 40_000)
    output.feed("o", b"y" * 40_000 + b"\n")
    lines = [line.text for line in log.read(tmp_path)]
    assert "".join(lines) == "x" * 40_000 + "y" * 40_000
    assert max(map(len, lines)) <= LONGEST_LINE


async def test_a_follower_sees_lines_as_they_come_and_ends_with_the_process(processes, work):
    script = "for i in 1 2 3; do echo line $i; sleep 0.2; done"
    spec = ProcessSpec("dep_follow-0", ("/bin/sh", "-c", script), str(work), restart=RestartPolicy("never"))
    await processes.start(spec)
    async with asyncio.timeout(10):
        batches = [[line.text for line in lines] async for lines in processes.follow_log("dep_follow-0")]
    assert [text for batch in batches for text in batch] == ["line 1", "line 2", "line 3"]
    assert len(batches) == 3
