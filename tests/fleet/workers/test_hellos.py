"""Workers over memory: several hellos at once, and what one says of jobs that nobody gave it."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from tests.fleet.workers.test_control_channel import WITH, close_code, decided, server  # noqa: F401 - a fixture
from websockets.asyncio.client import connect

from quarterdeck.fleet.workers import draining
from quarterdeck.fleet.workers.client import FINAL
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.transport import Disconnected, MemoryTransport
from support.enrolled import enrolled


class Near(MemoryTransport):
    def proven(self):
        pass

    def abort(self):
        pass


def memory_line():
    worker, far = Near(), Near()
    worker.peer, far.peer = far, worker
    return worker, far


async def greeted(server, made, *boot_ids, dialled=0):  # noqa: F811
    """As many hellos of one worker at the same moment. Answers its ends, and what serves the others."""
    ends = [memory_line() for _ in boot_ids]
    for (near, _), boot_id in zip(ends, boot_ids, strict=True):
        credential = made.access.reveal()
        said = frames.Hello(name="m", boot_id=boot_id, dialled=dialled, capabilities=["deploy"], about={})
        await near.send(msgspec.structs.replace(said, credential=credential))
    serving = [asyncio.create_task(server.control.serve(far)) for _, far in ends]
    return [near for near, _ in ends], serving


async def test_of_two_hellos_at_once_one_session_stays_and_a_decommissioned_worker_is_given_nothing(server):  # noqa: F811
    made = await server.database.write(enrolled, WITH)
    ends, serving = await greeted(server, made, "first", "second")
    async with asyncio.timeout(10):
        while len([one for one in server.jobs.sessions if one.worker_id]) != 1 or sum(map(over, ends)) != 1:
            await asyncio.sleep(0.02)
    assert server.control.count == 1
    lasting = next(one for one in ends if not over(one))
    await lasting.send(frames.Heartbeat(id="h", jobs=[], about={}))
    await server.database.write(decided, made.id, draining.decommission)
    await server.control.send_away(made.id)
    await asyncio.gather(*serving)
    assert [one for one in server.jobs.sessions if one.worker_id] == []


def over(end) -> bool:
    return end._closed is not None


async def test_of_two_connections_of_one_process_the_newer_stays_and_neither_ends_it(server):  # noqa: F811
    made = await server.database.write(enrolled, WITH)

    async def dialled(boot_id, count):
        """A connection that is welcomed, or the code with which it was closed."""
        (near,), (served,) = await greeted(server, made, boot_id, dialled=count)
        async with asyncio.timeout(30):
            try:
                while not isinstance(await near.receive(), frames.Welcome):
                    pass
            except Disconnected as gone:
                return gone.code, served
            while not server.control.connected(made.id):
                await asyncio.sleep(0.01)
        return near, served

    live, first = await dialled("one", 2)
    late, second = await dialled("one", 1)
    assert late == frames.RESTARTING
    assert not over(live), "what came late takes no place of what is newer"
    again, third = await dialled("one", 3)
    assert live._closed.code == frames.RESTARTING
    assert frames.RESTARTING not in FINAL, "its process dials again"
    other, fourth = await dialled("two", 1)
    assert again._closed.code == frames.SUPERSEDED
    assert server.control.count == 1
    await other.close()
    await asyncio.gather(first, second, third, fourth)


async def test_reports_of_jobs_that_nobody_gave_are_refused_unread(server):  # noqa: F811
    made = await server.database.write(enrolled, WITH)
    (near,), serving = await greeted(server, made, "one")
    report = frames.JobRecord(id="r", job_id=7, fence=1, number=1, kind="x", data=msgspec.Raw(b"[[" * 10))
    async with asyncio.timeout(10):
        while not isinstance(await near.receive(), frames.Welcome):
            pass
        await near.send(report)
        while not isinstance(told := await near.receive(), frames.Ack):
            pass
    assert told.error is not None
    assert told.error.code == "job_fenced"
    await near.close()
    await asyncio.gather(*serving)


@pytest.mark.parametrize(
    "said",
    [
        frames.JobResult(job_id=7, fence=1, outcome=jobs.Outcome("succeeded")),
        frames.JobReject(job_id=7, fence=1, reason="no_slot"),
        frames.Heartbeat(jobs=[frames.HeldJob(7, 1)], about={}),
    ],
    ids=lambda said: type(said).__name__,
)
async def test_who_says_more_than_is_kept_is_heard_as_fast_as_it_is_kept(server, said):  # noqa: F811
    made = await server.database.write(enrolled, WITH)
    (near,), serving = await greeted(server, made, "one")
    for number in range(300):
        await near.send(msgspec.structs.replace(said, id=str(number)))
    told, most = set(), 0
    async with asyncio.timeout(60):
        while len(told) < 300:
            most = max(most, len(asyncio.all_tasks()))
            frame = await near.receive()
            told |= {frame.ref} if isinstance(frame, frames.Ack) else set()
    assert most < 100
    await near.close()
    await asyncio.gather(*serving)


def test_a_large_frame_of_a_type_that_is_small_is_none():
    large = '{"type": "heartbeat", "about": [' + ",".join(["[]"] * 100_000) + "]}"
    with pytest.raises(msgspec.ValidationError):
        frames.decode_from_worker(large)


@pytest.mark.parametrize("word", ["name", "workerVersion", "bootId", "fingerprint"])
async def test_a_hello_with_a_word_that_cannot_be_kept_is_no_frame(server, word):  # noqa: F811
    made = await server.database.write(enrolled, WITH)
    hello = {"type": "hello", "v": 1, "id": "1", "slots": 1, "credential": made.access.reveal()}
    assert await close_code(server, hello | {word: "a\0b"}) == frames.BAD_FRAME


NUL = "a\0b"
ABOUT = {
    "agents": [{"type": "claude", "version": NUL, "path": NUL}],
    "hardware": {"hostname": NUL, "os": NUL, "arch": NUL, "cpuModel": NUL},
    "projects": [NUL],
}
CONDITION = {"projects": [NUL, "WEB"], "degraded": [{"agent": "claude", "reason": NUL}]}


async def test_what_else_a_worker_says_is_kept_with_what_was_lost_shown_as_that(server):  # noqa: F811
    made = await server.database.write(enrolled, WITH)
    hello = {"type": "hello", "v": 1, "id": "1", "slots": 1, "credential": made.access.reveal()}
    async with (
        asyncio.timeout(60),
        connect(f"ws://127.0.0.1:{server.port}/api/workers/control", proxy=None) as connection,
    ):
        await connection.send(json.dumps(hello | {"capabilities": ["deploy", NUL], "about": ABOUT}))
        assert json.loads(await connection.recv())["type"] == "welcome"
        said = await server.database.read(kept, made.id)
        await connection.send(json.dumps({"type": "heartbeat", "v": 1, "id": "2", "about": CONDITION}))
        while not (then := await server.database.read(kept, made.id)).ailing:
            await asyncio.sleep(0.05)
    lost = "a\N{REPLACEMENT CHARACTER}b"
    assert (said.offered, said.projects) == ([lost, "deploy"], [lost])
    assert said.agents == [{"type": "claude", "version": lost, "path": lost}]
    assert {said.hardware[one] for one in ABOUT["hardware"]} == {lost}
    assert (then.projects, then.ailing) == (["WEB", lost], [{"agent": "claude", "reason": lost}])


def kept(tx, worker_id):
    return tx.get(Worker, worker_id)
