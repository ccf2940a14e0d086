"""One types, many watch; who is slow is shown the screen anew, and nobody is held up by them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from quarterdeck.fleet.terminals import frames
from quarterdeck.fleet.terminals.history import PIECE, History, Replay, Size
from quarterdeck.fleet.terminals.recording import HELD, Recording
from quarterdeck.fleet.terminals.serving import AT_ONCE, serve_viewer
from quarterdeck.fleet.terminals.terminal import SIZED_SECONDS, TYPED, Terminal
from quarterdeck.fleet.terminals.viewing import SENT, WAITING, Left, Viewer, Visitor
from quarterdeck.kernel.clock import HeldClock
from support.emulator import Size as Told
from support.emulator import Watcher


@pytest.fixture
def terminal(tmp_path):
    size = Size(40, 10)
    recording = Recording(tmp_path / "one.cast", size, datetime(2026, 1, 1, tzinfo=UTC), HeldClock())
    made = Terminal("task:1", "uid", 1, (1, 0), History(size), recording)
    yield made
    recording.close()


def joined(terminal, name, *, right="act", since=None):
    visitor = Visitor(len(terminal.viewers) + 1, name, right, controls=True, asks=lambda tx: right)
    viewer = Viewer(name, visitor, terminal.replay)
    terminal.join(viewer, since)
    return viewer


async def waiting(viewer):
    """Everything that would be sent by now."""
    found = []
    while viewer._queue or viewer._behind:
        found.append(await viewer.next())
    return found


def rendered(items, columns=40, rows=10):
    """As an honest client shows it: a fresh replay is for a terminal of its size."""
    watcher = Watcher(columns, rows)
    for item in items:
        if isinstance(item, bytes):
            watcher.take(item)
        elif isinstance(item, frames.Resized | frames.ReplayBegin):
            watcher.take(Told(item.cols, item.rows))
    return watcher


def of(kind, items):
    return [item for item in items if isinstance(item, kind)]


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_replay_comes_before_what_is_live_and_never_between(terminal):
    terminal.output(b"before ")
    viewer = joined(terminal, "ann")
    terminal.output(b"after")
    items = await waiting(viewer)
    kinds = [type(item) for item in items]
    assert kinds == [frames.ReplayBegin, bytes, frames.ReplayEnd, frames.Viewers, bytes]
    assert items[1].startswith(b"\x1bc")
    assert items[1].endswith(b"before ")
    assert items[0].bytes == len(items[1])
    assert (items[0].offset, items[2].offset, items[4]) == (7, 7, b"after")
    terminal.output(b"more")
    assert await waiting(viewer) == [b"more"]


async def test_two_watch_one_types_and_the_others_hear_who(terminal):
    holder, first, second = (joined(terminal, name) for name in ("hal", "ann", "bob"))
    line = terminal.attach()
    terminal.hold(holder)
    for one in (holder, first, second):
        await waiting(one)
    terminal.typed(holder, b"ls\r")
    terminal.typed(first, b"rm -rf /\r")
    terminal.sized(first, Size(10, 10))
    terminal.signalled(first, "SIGKILL")
    assert [await line.next(), await line.next()] == [frames.Control(holder=holder.holder), b"ls\r"]
    assert not line._queue
    assert [one.code for one in of(frames.Error, await waiting(first))] == ["READ_ONLY"] * 3
    terminal.sized(holder, Size(50, 12))
    terminal.signalled(holder, "INT")
    assert [await line.next(), await line.next()] == [frames.Resize(cols=50, rows=12), frames.Signal(name="SIGINT")]
    assert of(frames.Resized, await waiting(second)) == [frames.Resized(cols=50, rows=12)]
    terminal.signalled(holder, "SIGWHAT")
    assert of(frames.Error, await waiting(holder))[-1].code == "UNKNOWN_SIGNAL"


async def test_control_goes_to_who_asked_first_and_to_nobody_after_the_last(terminal):
    holder, first, second = (joined(terminal, name) for name in ("hal", "ann", "bob"))
    line = terminal.attach()
    terminal.ask(holder)
    assert terminal.holder is holder
    terminal.ask(first)
    terminal.ask(second)
    asked = of(frames.ControlRequest, await waiting(holder))
    assert [one.user for one in asked] == ["ann", "bob"]
    terminal.depart(holder)
    assert terminal.holder is first
    told = of(frames.Control, await waiting(second))
    assert (told[-1].holder, told[-1].mode) == (first.holder, "watch")
    assert of(frames.Control, await waiting(first))[-1].mode == "control"
    terminal.depart(first)
    terminal.depart(second)
    assert terminal.holder is None
    heard = [await line.next() for _ in range(4)]
    assert [one.holder and one.holder.user for one in heard] == ["hal", "ann", "bob", None]


async def test_a_slow_viewer_is_shown_the_screen_anew_and_costs_no_more_than_its_queue(terminal):
    slow, quick = joined(terminal, "slow"), joined(terminal, "quick")
    fast = await waiting(quick)
    terminal.line = None
    data = b"a line of a program that writes faster than anybody reads\r\n" * 40
    for number in range(1000):
        terminal.output(data + b"%d" % number)
        fast += await waiting(quick)
        assert slow.waiting <= 2 * WAITING
    terminal.output(b"\r\nthe end")
    fast += await waiting(quick)
    late = await waiting(slow)
    assert len(of(frames.ReplayBegin, late)) == 1
    assert not late[[isinstance(item, frames.ReplayBegin) for item in late].index(True)].resumed
    assert sum(map(len, of(bytes, late))) < 2 * WAITING
    assert len(of(frames.ReplayBegin, fast)) == 1
    tail = b"".join(of(bytes, fast))[-20_000:]
    assert rendered(late).seen == rendered([tail]).seen
    assert "the end" in rendered(late).text


async def test_a_flood_costs_a_bounded_memory(terminal):
    viewer = joined(terminal, "nobody reads this")
    history, recording = terminal.history, terminal.recording
    data = (b"many of the same, and then some more of it" * 3 + b"\r\n") * 200
    for _ in range(120):
        terminal.output(data)
        assert viewer.waiting <= 2 * WAITING
        assert sum(map(len, of(bytes, viewer._queue))) <= 2 * WAITING
        assert sum(map(len, history._pieces)) + len(history._open) <= history.limit + 2 * PIECE
        assert sum(map(len, recording._held)) <= HELD
    assert history.head > 2 * WAITING


async def test_more_than_a_worker_takes_is_refused_and_told(terminal):
    holder = joined(terminal, "hal")
    terminal.hold(holder)
    terminal.typed(holder, b"lost")
    line = terminal.attach()
    for _ in range(TYPED // 1000 + 10):
        terminal.typed(holder, b"x" * 1000)
    codes = [one.code for one in of(frames.Error, await waiting(holder))]
    assert codes[0] == "WORKER_AWAY"
    assert set(codes[1:]) == {"INPUT_TOO_FAST"}
    assert line._waiting <= TYPED


async def test_who_may_no_longer_act_watches_and_who_may_no_longer_look_is_gone(terminal):
    holder, watcher = joined(terminal, "hal"), joined(terminal, "ann")
    terminal.hold(holder)
    terminal.judge(holder, "view")
    assert terminal.holder is None
    assert "READ_ONLY" in [one.code for one in of(frames.Error, await waiting(holder))]
    assert not holder.may_control
    terminal.output(b"x" * 1000)
    terminal.judge(watcher, None)
    assert [type(one) for one in await waiting(watcher)] == [frames.Error]
    with pytest.raises(Left) as left:
        await watcher.next()
    assert left.value.code == 4403
    assert list(terminal.viewers) == ["hal"]
    terminal.output(b"secret")
    assert await waiting(watcher) == []


async def test_the_end_is_told_after_the_last_output(terminal):
    viewer = joined(terminal, "ann")
    line = terminal.attach()
    await waiting(viewer)
    terminal.output(b"bye")
    terminal.end(3, "exited")
    assert [await viewer.next(), await viewer.next()] == [b"bye", frames.Exit(code=3, reason="exited")]
    with pytest.raises(Left) as left:
        await viewer.next()
    assert left.value.code == 1000
    assert await line.next() == frames.Exit(code=3, reason="exited")
    terminal.end(4, "again")
    assert await waiting(viewer) == []


async def test_a_worker_that_goes_and_comes_is_told(terminal):
    viewer = joined(terminal, "ann")
    line = terminal.attach()
    newer = terminal.attach()
    with pytest.raises(Left) as left:
        await line.next()
    assert left.value.code == frames.SUPERSEDED
    terminal.detach(line, 1.0)
    assert terminal.line is newer
    line.output(b"of an older connection")
    assert terminal.history.head == 0
    terminal.detach(newer, 1.0)
    states = of(frames.WorkerState, await waiting(viewer))
    assert [one.connected for one in states] == [True, True, False]


async def test_the_echo_of_a_size_changes_nothing_and_a_worker_that_said_another_is_believed_last(terminal):
    holder = joined(terminal, "hal")
    terminal.hold(holder)
    line = terminal.attach()
    for columns in (50, 60, 70):
        terminal.sized(holder, Size(columns, 10))
        await until(lambda columns=columns: terminal.history.size.columns == columns)
    for columns in (50, 60):
        line.resized(Size(columns, 10))
        assert terminal.history.size == Size(70, 10)
    line.resized(Size(44, 10))
    line.resized(Size(70, 10))
    assert terminal.history.size == Size(70, 10)
    line.resized(Size(501, 10))
    assert terminal.history.size == Size(70, 10)


async def test_of_a_storm_of_sizes_the_first_is_applied_at_once_and_the_last_in_any_case(terminal):
    holder, watcher = joined(terminal, "hal"), joined(terminal, "ann")
    terminal.hold(holder)
    line = terminal.attach()
    begun = asyncio.get_running_loop().time()
    for number in range(2000):
        terminal.sized(holder, Size(41 + number % 400, 10))
        if number == 0:
            assert terminal.history.size == Size(41, 10)
        if number % 20 == 0:
            await asyncio.sleep(0)
    last = Size(77, 11)
    terminal.sized(holder, last)
    await until(lambda: terminal.history.size == last)
    most = 2 + (asyncio.get_running_loop().time() - begun) / SIZED_SECONDS
    told = of(frames.Resized, await waiting(watcher))
    assert len(told) <= most
    assert told[-1] == frames.Resized(cols=77, rows=11)
    assert len(of(frames.Resize, line._queue)) == len(told)


async def test_the_size_of_who_went_meanwhile_is_applied_and_none_of_a_terminal_that_is_over(terminal):
    holder = joined(terminal, "hal")
    terminal.hold(holder)
    terminal.sized(holder, Size(50, 10))
    terminal.sized(holder, Size(60, 10))
    terminal.depart(holder)
    await until(lambda: terminal.history.size == Size(60, 10))
    terminal.hold(again := joined(terminal, "hal again"))
    terminal.sized(again, Size(70, 10))
    terminal.end(0, "exited")
    await asyncio.sleep(2 * SIZED_SECONDS)
    assert terminal.history.size == Size(60, 10)


class Peer:
    """Somebody who says what is put into `says`, as fast as it is taken."""

    def __init__(self) -> None:
        self.says = asyncio.Queue()
        self.heard, self.closed = [], None

    async def send(self, frame):
        self.heard.append(frame)

    async def receive(self):
        return await self.says.get()

    async def close(self, code, reason):
        self.closed = (code, reason)


@pytest.mark.parametrize("said", ['{"type": "resize", "cols": 90, "rows": 20}', b"x", "no frame", b"x" * (1 << 20)])
async def test_who_sends_more_frames_than_anybody_types_is_told_so_and_types_no_more(terminal, said):
    viewer, peer = joined(terminal, "hal"), Peer()
    terminal.attach()
    terminal.hold(viewer)
    many = 10 * AT_ONCE
    for _ in range(many):
        peer.says.put_nowait(said)
    async with asyncio.timeout(60):
        await serve_viewer(None, terminal, viewer, peer)
    assert peer.closed == (frames.TOO_MANY, "too many frames")
    assert [one.code for one in of(frames.Error, peer.heard)][-1] == "TOO_MANY_FRAMES"
    assert many - peer.says.qsize() < 2 * AT_ONCE, "the rest was not read"
    assert terminal.holder is None
    assert not terminal.viewers


async def test_what_is_pasted_and_what_hands_do_is_none_too_many(terminal):
    viewer, peer = joined(terminal, "hal"), Peer()
    line = terminal.attach()
    terminal.hold(viewer)
    serving = asyncio.create_task(serve_viewer(None, terminal, viewer, peer))
    for said in [b"x" * (TYPED - 2000), *[b"k"] * 300, *['{"type": "resize", "cols": 90, "rows": 20}'] * 300]:
        peer.says.put_nowait(said)
    await until(peer.says.empty)
    assert not serving.done()
    assert len(of(bytes, line._queue)) == 301
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_next_waits_until_there_is_something(terminal):
    viewer = joined(terminal, "ann")
    await waiting(viewer)
    coming = asyncio.ensure_future(viewer.next())
    await asyncio.sleep(0)
    assert not coming.done()
    terminal.output(b"now")
    async with asyncio.timeout(10):
        assert await coming == b"now"


async def test_a_picture_is_sent_in_parts_and_none_of_it_twice(terminal):
    """What is sent of it is not copied for each part that follows."""
    viewer = joined(terminal, "ann")
    await waiting(viewer)
    picture = b"".join(b"%07d " % number for number in range(1 << 19))
    viewer.show(Replay(Size(40, 10), (picture,), 0, fresh=True))
    viewer.output(b"live")
    first = [await viewer.next() for _ in range(3)]
    assert b"".join(of(bytes, first)) == picture[: sum(map(len, of(bytes, first)))]
    rest = await waiting(viewer)
    assert b"".join(of(bytes, [*first, *rest])) == picture + b"live"
    assert max(map(len, of(bytes, rest))) <= SENT
    assert viewer.waiting == 0
