from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from quarterdeck.kernel.bus import Bus
from quarterdeck.kernel.db.relay import Relay
from quarterdeck.kernel.logs import Batch, Gap, Line, Logs
from quarterdeck.kernel.logs.store import ROW_BYTES
from support.databases import fresh_database
from support.promptness import best

from .conftest import MOMENT, line

STREAM = "deployment:dep_1"


async def collect(logs: Logs, after: int = 0, **options) -> list[Batch | Gap]:
    return [item async for item in logs.follow(STREAM, after, **options)]


def messages(items: list[Batch | Gap]) -> list[str]:
    return [one.message for item in items if isinstance(item, Batch) for one in item.lines]


async def test_lines_are_numbered_from_one_within_their_stream(logs):
    assert await logs.store(STREAM, [line("a"), line("b")]) == 2
    assert await logs.store("runtime:res_1", [line("x")]) == 1
    assert await logs.store(STREAM, [line("c")]) == 3
    read = await logs.read(STREAM)
    assert [(one.number, one.message) for one in read] == [(1, "a"), (2, "b"), (3, "c")]
    assert read[0] == Line(MOMENT, "application", "stdout", "package", "info", "a", 1)


async def test_an_appended_line_is_readable_within_200_ms(logs):
    await logs.store(STREAM, [line("warm")])

    async def readable() -> None:
        known = len(await logs.read(STREAM))
        logs.append(STREAM, [line("now")])
        async with asyncio.timeout(60):
            while len(await logs.read(STREAM)) == known:
                await asyncio.sleep(0.005)

    assert await best(readable, 0.2) <= 0.2


async def test_reading_takes_a_position_a_limit_a_tail_and_an_instant(logs):
    await logs.store(STREAM, [line(str(n), time=MOMENT + timedelta(seconds=n)) for n in range(1, 11)])
    numbers = lambda lines: [one.number for one in lines]  # noqa: E731
    assert numbers(await logs.read(STREAM, after=4, limit=3)) == [5, 6, 7]
    assert numbers(await logs.read(STREAM, tail=2)) == [9, 10]
    assert numbers(await logs.read(STREAM, since=MOMENT + timedelta(seconds=8))) == [8, 9, 10]
    assert await logs.read("deployment:unknown") == []


async def test_a_stream_without_lines_that_was_silent_is_forgotten_and_no_other(logs):
    soon, now = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) - timedelta(hours=1)
    for stream in (STREAM, "task:1", "job:1"):
        await logs.store(stream, [line("a")])
    await logs.close("job:2")
    assert await logs.empty(soon, "", 10) == ["job:2"]
    for stream in ("task:1", "job:1"):
        await logs.forget(stream)
    assert await logs.empty(now, "", 10) == []
    assert await logs.empty(soon, "", 2) == ["job:1", "job:2"]
    assert await logs.empty(soon, "job:2", 2) == ["task:1"]
    assert await logs.drop(["job:1", STREAM], now) == 0
    assert await logs.drop(["job:1", "job:2", STREAM], soon) == 2
    assert [(await logs.state(one)).head for one in (STREAM, "task:1", "job:1")] == [1, 1, 0]
    assert await logs.store("job:1", [line("anew")]) == 1
    assert [one.message for one in await logs.read("job:1")] == ["anew"]


async def test_a_tail_is_as_long_as_it_was_asked_for_and_the_whole_comes_in_pages(logs):
    await logs.store(STREAM, [line(str(n)) for n in range(1, 1203)])
    assert [one.number for one in await logs.read(STREAM, tail=1100)] == list(range(103, 1203))
    await logs.prune(STREAM, keep_bytes=1100 * (ROW_BYTES + 4))
    kept = (await logs.state(STREAM)).watermark + 1
    assert 1 < kept < 200
    pages = []
    async for page in logs.pages(STREAM):
        pages.append(page)
        await logs.store(STREAM, [line("later")])
    assert [one.number for page in pages for one in page] == list(range(kept, 1203))
    assert max(map(len, pages)) == 500
    assert [page async for page in logs.pages("deployment:unknown")] == []


async def test_numbers_have_no_hole_and_no_twin_under_concurrent_writers(logs):
    def write(name: int) -> None:
        for n in range(50):
            logs.append(STREAM, [line(f"{name}/{n}/a"), line(f"{name}/{n}/b")])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await logs.store(STREAM, [line("end")])
    read = await logs.read(STREAM, limit=1000)
    assert [one.number for one in read] == list(range(1, 402))
    for name in range(4):
        own = [one.message for one in read if one.message.startswith(f"{name}/")]
        assert own == [f"{name}/{n}/{half}" for n in range(50) for half in "ab"]


@pytest.mark.postgresql
async def test_two_processes_on_one_postgresql_share_numbers_and_followers(postgresql, tmp_path):
    with fresh_database("postgresql", tmp_path, postgresql) as address:
        logs, other = Logs(address), Logs(address)
        await asyncio.gather(*(store.store(STREAM, [line("x")]) for store in [logs, other] * 20))
        assert [one.number for one in await logs.read(STREAM)] == list(range(1, 41))
        seen: list[str] = []

        async def watch() -> None:
            async for item in logs.follow(STREAM, 40):
                seen.extend(messages([item]))

        watching = asyncio.create_task(watch())
        await asyncio.sleep(0.1)
        await other.store(STREAM, [line("from elsewhere")])
        await other.close(STREAM)
        await asyncio.wait_for(watching, 5)
        assert seen == ["from elsewhere"]
        await logs.shut()
        await other.shut()


@pytest.mark.postgresql
async def test_followers_in_another_process_are_woken_when_lines_are_stored(postgresql, tmp_path, monkeypatch):
    monkeypatch.setattr("quarterdeck.kernel.logs.logs.POLL", 3_600.0)  # so that nothing but the wake-up brings them
    with fresh_database("postgresql", tmp_path, postgresql) as address:
        near, far = Bus(), Bus()
        relays = [Relay(str(address), bus, sender=name, name=name) for name, bus in (("near", near), ("far", far))]
        running = [asyncio.create_task(relay.run()) for relay in relays]
        logs, other = Logs(address, bus=near), Logs(address, bus=far)
        following = asyncio.create_task(collect(logs))
        async with asyncio.timeout(60):
            while not (all(relay.accompanied for relay in relays) and STREAM in logs._followers and logs._poller):
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)  # the poller listens
            await other.store(STREAM, [line("from elsewhere")])
            await other.store(STREAM, [line("and more")])
            await other.close(STREAM)
            assert messages(await following) == ["from elsewhere", "and more"]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await logs.shut()
        await other.shut()


async def test_a_follower_gets_the_past_then_the_present_and_ends_with_the_stream(logs):
    await logs.store(STREAM, [line(str(n)) for n in range(1200)])
    following = asyncio.create_task(collect(logs, 100))
    await asyncio.sleep(0.05)
    for n in range(1200, 1210):
        logs.append(STREAM, [line(str(n))])
    await logs.close(STREAM)
    assert messages(await asyncio.wait_for(following, 5)) == [str(n) for n in range(100, 1210)]


async def test_a_follower_of_a_closed_stream_gets_everything_and_ends(logs):
    await logs.store(STREAM, [line("only")])
    await logs.close(STREAM)
    assert messages(await asyncio.wait_for(collect(logs), 5)) == ["only"]
    assert await asyncio.wait_for(collect(logs, 1), 5) == []


async def test_followers_end_when_the_store_is_shut(logs):
    following = asyncio.create_task(collect(logs))
    await asyncio.sleep(0.05)
    await logs.shut()
    assert await asyncio.wait_for(following, 5) == []


async def test_followers_share_one_encoding(logs):
    calls: list[int] = []

    def encode(lines) -> bytes:
        calls.append(len(lines))
        return b"\n".join(one.message.encode() for one in lines)

    async def watch() -> bytes:
        return b"".join([item.encoded("text", encode) async for item in logs.follow(STREAM) if isinstance(item, Batch)])

    watching = [asyncio.create_task(watch()) for _ in range(20)]
    await asyncio.sleep(0.2)
    await logs.store(STREAM, [line("a"), line("b")])
    await logs.close(STREAM)
    assert set(await asyncio.wait_for(asyncio.gather(*watching), 5)) == {b"a\nb"}
    assert calls == [2]


async def test_a_lagging_follower_is_passed_over_and_told_so(logs):
    await logs.store(STREAM, [line("0")])
    follower = logs.follow(STREAM, lag=100)
    assert (await anext(follower)).last == 1
    live = asyncio.create_task(anext(follower))
    await asyncio.sleep(0.05)
    await logs.store(STREAM, [line("1")])
    assert (await live).last == 2
    for _ in range(10):
        begun = time.monotonic()
        await logs.store(STREAM, [line("x")] * 50)
        assert time.monotonic() - begun < 1
    gap = await anext(follower)
    assert gap == Gap(STREAM, 3, 402, "lagging")
    assert (await anext(follower)).first == 403
    assert len(await logs.read(STREAM, 2, 400)) == 400
    await follower.aclose()


async def test_what_is_pruned_by_age_shows_as_a_gap_and_numbers_go_on(logs):
    await logs.store(STREAM, [line(str(n), time=MOMENT + timedelta(days=n)) for n in range(1, 6)])
    cut = MOMENT + timedelta(days=4)
    assert (await logs.prune(before=cut, dry_run=True)).lines == 3
    assert (await logs.state(STREAM)).watermark == 0
    assert (await logs.prune(before=cut)).lines == 3
    assert (await logs.prune(before=cut)).lines == 0
    assert [one.number for one in await logs.read(STREAM)] == [4, 5]
    assert await logs.store(STREAM, [line("6")]) == 6
    await logs.close(STREAM)
    assert (await collect(logs))[0] == Gap(STREAM, 1, 3, "pruned")


async def test_pruning_by_size_keeps_the_newest_lines(logs):
    await logs.store(STREAM, [line("x" * 100) for _ in range(50)])
    keep = 10 * (100 + ROW_BYTES)
    assert (await logs.prune(STREAM, keep_bytes=keep, dry_run=True)).lines == 40
    assert (await logs.prune(STREAM, keep_bytes=keep)).bytes == 4000
    assert [one.number for one in await logs.read(STREAM)] == list(range(41, 51))
    assert (await logs.state(STREAM)).bytes == 1000


async def test_many_short_lines_are_as_large_as_few_long_ones(logs):
    await logs.store(STREAM, [line("") for _ in range(12_000)])
    assert (await logs.prune(STREAM, keep_bytes=100 * ROW_BYTES, dry_run=True)).lines == 11_900
    assert (await logs.prune(STREAM, keep_bytes=100 * ROW_BYTES)).lines == 11_900
    assert (await logs.state(STREAM)).watermark == 11_900


async def test_long_and_broken_messages_are_split_into_storable_lines(logs):
    await logs.store(STREAM, [line("a\r\nb"), line("nul\x00"), line("\ud800"), line("é" * 9000)])
    read = [one.message for one in await logs.read(STREAM)]
    assert read[:4] == ["a", "b", "nul\ufffd", "?"]
    assert "".join(read[4:]) == "é" * 9000
    assert max(len(message.encode()) for message in read) <= 16 * 1024


@pytest.mark.parametrize("call", ["store", "close", "prune", "forget"])
async def test_whoever_stops_waiting_for_the_writer_leaves_it_working(logs, call):
    """The observer stops copying a log at every redeployment, in the middle of whatever it waits for."""
    await logs.store(STREAM, [line("before")])
    busy, held = threading.Event(), threading.Event()
    logs._writer.call(lambda _connection: (busy.set(), held.wait(10)))
    await asyncio.to_thread(busy.wait, 10)
    calls = {"store": lambda: logs.store(STREAM, [line("left")]), "close": lambda: logs.close(STREAM)}
    calls |= {"prune": lambda: logs.prune(STREAM, keep_bytes=10**9), "forget": lambda: logs.forget("runtime:res_9")}
    waiting = asyncio.create_task(calls[call]())
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    held.set()
    number = 3 if call == "store" else 2
    assert await asyncio.wait_for(logs.store(STREAM, [line("after")]), 5) == number


async def test_looking_for_secrets_holds_up_nobody_who_writes(logs):
    """Everybody who writes a line takes the writer's lock on the event loop: it is never held for a long search."""
    logs.mask(STREAM, [f"secret-value-number-{n}" for n in range(40)])
    searching, written = threading.Event(), threading.Event()
    mask = logs._writer._masks[STREAM]
    apply = mask.apply

    def slowly(lines):
        searching.set()
        written.wait(60)
        return apply(lines)

    mask.apply = slowly
    storing = asyncio.create_task(logs.store(STREAM, [line("secret-value-number-7")]))
    await asyncio.to_thread(searching.wait, 60)
    begun = time.monotonic()
    logs.append("runtime:res_1", [line("beside it")])
    logs.mask(STREAM, ["another-secret"])
    assert time.monotonic() - begun < 50, "they waited until the search gave up"
    written.set()
    assert await storing == 1
    assert [one.message for one in await logs.read(STREAM)] == ["****"]
