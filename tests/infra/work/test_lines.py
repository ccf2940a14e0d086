"""Lines of jobs: chunks of foreign runners, ids, bounds, and what is read."""

from __future__ import annotations

import pytest

from quarterdeck.infra.work import lines
from quarterdeck.kernel.errors import Invalid


async def sent(yard, uid, *chunks, channel="STDOUT"):
    for text in chunks:
        assert await lines.take(yard.logs, uid, text, channel, yard.clock.now())


async def read(yard, uid, after=0, **more):
    found, rest = await lines.read(yard.logs, uid, after, **more)
    return [(one.id, one.stream_type, one.text) for one in found], rest


async def test_chunks_are_read_as_they_were_written_whatever_they_cut(yard):
    await sent(yard, "a", "Plan", "ning…\nDone.\r\n", "\n", "end")
    assert await read(yard, "a") == ([(5, "STDOUT", "Planning…\nDone.\n\nend")], False)


async def test_ids_rise_and_what_is_known_is_not_told_again(yard):
    await sent(yard, "a", "one\n", "two\n")
    await sent(yard, "a", "bad\n", channel="STDERR")
    await sent(yard, "a", "three\n")
    assert (await read(yard, "a"))[0] == [(2, "STDOUT", "one\ntwo\n"), (3, "STDERR", "bad\n"), (4, "STDOUT", "three\n")]
    assert (await read(yard, "a", 2))[0] == [(3, "STDERR", "bad\n"), (4, "STDOUT", "three\n")]
    assert (await read(yard, "a", 3))[0] == [(4, "STDOUT", "three\n")]
    assert (await read(yard, "a", 4))[0] == []


async def test_an_answer_is_bounded_and_says_that_there_is_more(yard, monkeypatch):
    monkeypatch.setattr(lines, "PAGE", 2)
    await sent(yard, "a", "1234567\n" * 6)
    found, rest = await read(yard, "a", most=20)
    assert rest
    got = "".join(text for _, _, text in found)
    more, rest = await read(yard, "a", found[-1][0], most=1000)
    assert (got + "".join(text for _, _, text in more), rest) == ("1234567\n" * 6, False)


async def test_a_long_line_is_kept_whole(yard):
    await sent(yard, "a", "x" * 100_000 + "\n")
    (found, _) = await read(yard, "a")
    assert "".join(text for _, _, text in found).replace("\n", "") == "x" * 100_000


@pytest.mark.parametrize(
    ("text", "channel", "code"),
    [("", None, "infra_log_chunk_required"), (None, None, "infra_log_chunk_required"),
     ("x" * (lines.CHUNK + 1), None, "infra_log_chunk_too_large"), ("x", "PIPE", "infra_stream_type_unknown")],
)  # fmt: skip
def test_a_chunk_that_is_none_is_refused(text, channel, code):
    with pytest.raises(Invalid) as refused:
        lines.chunk(text, channel)
    assert refused.value.code == code


async def test_a_job_has_room_for_so_much_and_its_log_says_where_it_ends(yard, monkeypatch):
    monkeypatch.setattr(lines, "MOST", 300)
    kept = [await lines.take(yard.logs, "a", text, "STDOUT", yard.clock.now()) for text in ("x" * 99 + "\n",) * 4]
    assert kept == [True, True, False, False]
    found, _ = await read(yard, "a")
    assert [channel for _, channel, _ in found] == ["STDOUT", "SYSTEM"]
    assert found[1][2] == f"{lines.FULL}\n"


async def test_line_breaks_alone_fill_a_log_too(yard, monkeypatch):
    monkeypatch.setattr(lines, "MOST", 10 * lines.ROW_BYTES)
    assert await lines.take(yard.logs, "a", "\n" * 1000, "STDOUT", yard.clock.now()) is False
    assert (await yard.logs.state("infra-job:a")).head == 11


def test_a_log_is_complete_once_its_attempt_has_ended_and_its_last_lines_had_their_time(yard):
    worker, uid = yard.enrolled(), yard.ask("PLAN", yard.spec())

    def complete():
        return yard.db.read_sync(lines.complete, yard.job(uid))

    worker.claim()
    yard.cancel(uid)
    yard.clock.advance(60)
    assert not complete()
    worker.end(uid, "canceled")
    assert not complete()
    yard.clock.advance(5)
    assert complete()
