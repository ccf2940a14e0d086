"""What a worker that dials in may rely on, over a real WebSocket."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from contextlib import asynccontextmanager

import msgspec
import pytest
import uvicorn
from litestar import Litestar
from litestar.datastructures import State
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from quarterdeck.fleet.workers import control, draining
from quarterdeck.fleet.workers.client import run_worker
from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.http.doorkeeper import Patience
from quarterdeck.kernel.http.patience import patient
from quarterdeck.kernel.jobs.finding import look
from quarterdeck.surfaces.shared.worker_control import worker_control
from support.enrolled import TOKENS, enrolled
from support.promptness import best

WITH = frozenset({"deploy"})


class Order(msgspec.Struct):
    text: str = ""


class Server:
    """A control plane with nothing but its ledger and its control channel; it can be restarted on its port."""

    def __init__(self, database) -> None:
        self.database = database
        self.lines: list[str] = []
        with sockets.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    async def start(self) -> None:
        async def keep(stream, lines):
            self.lines.extend(line.message for line in lines)

        self.jobs = jobs.Jobs(self.database, owner="process:test", lines=keep)
        self.jobs.heartbeat_seconds = 0.2
        await self.jobs.start(worker=False)
        self.control = WorkerControl(self.jobs, TOKENS)
        app = Litestar([worker_control], state=State({"workers": self.control}), openapi_config=None)
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                app,
                host="127.0.0.1",
                port=self.port,
                log_config=None,
                ws="websockets-sansio",
                http=patient(Patience()),
                lifespan="off",
                ws_max_size=16 << 20,
                timeout_graceful_shutdown=1,
            )
        )
        self._uvicorn.install_signal_handlers = lambda: None
        self._serving = asyncio.create_task(self._uvicorn._serve())
        while not self._uvicorn.started:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        await self.jobs.stop()
        self._uvicorn.should_exit = True
        await self._serving

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
async def server(database):
    made = Server(database)
    await made.start()
    yield made
    await made.stop()


def decided(tx, worker_id, verb, *given):
    """What somebody decides about a worker: the worker as it stands then."""
    return verb(tx, tx.get(Worker, worker_id), *given)


@asynccontextmanager
async def working(server, made, handlers, tmp_path, **options):
    """`qd worker` in this process, enrolled already: a data directory that has an identity keeps it."""
    directory = tmp_path / "worker"
    if not (directory / "identity.json").exists():
        made.settle(directory, server.url)
    task = asyncio.create_task(
        run_worker(server.url, None, ["deploy"], 2, directory, handlers=handlers, signals=False, **options)
    )
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def close_code(server, *frames):
    async with connect(f"ws://127.0.0.1:{server.port}/api/workers/control", proxy=None) as connection:
        for frame in frames:
            await connection.send(frame if isinstance(frame, str) else json.dumps(frame))
        try:
            while True:
                async with asyncio.timeout(60):
                    await connection.recv()
        except ConnectionClosed as closed:
            return closed.rcvd.code


def request(kind, made, **options):
    return jobs.Enqueue(kind, Order("work"), made.organization_id, capabilities=WITH, **options)


async def test_a_remote_worker_runs_a_job_from_end_to_end(server, tmp_path):
    told = []
    jobs.kinds.register(
        jobs.JobKind("ws.plain", Order, record=lambda tx, job, kind, data: told.append(data) or {"number": len(told)})
    )
    handlers = jobs.WorkerHandlers()

    @handlers.register("ws.plain", Order)
    async def run(context, order):
        context.log(["a line"])
        reply = await context.record("phase", {"name": "detect"})
        return {"text": order.text, **reply}

    made = await server.database.write(enrolled)
    async with working(server, made, handlers, tmp_path):
        job = await server.jobs.enqueue(request("ws.plain", made))
        done = await server.jobs.wait(job.id, 60)
        assert (done.state, done.owner) == ("succeeded", f"worker:{made.uid}")
        assert msgspec.json.decode(done.result) == {"text": "work", "number": 1}
        assert (told, server.lines) == ([{"name": "detect"}], ["a line"])


async def test_nobody_gets_in_without_an_enrolled_credential(server):
    hello = {"type": "hello", "v": 1, "id": "1", "slots": 1}
    made = await server.database.write(enrolled)
    assert await close_code(server, hello) == 4401
    assert await close_code(server, hello | {"credential": made.access.reveal()[:-4] + "AAAA"}) == 4401
    assert await close_code(server, {"type": "heartbeat", "id": "1", "v": 1}) == 4401
    assert await close_code(server, "nonsense") == 4400
    told = hello | {"credential": made.access.reveal()}
    assert await close_code(server, told | {"v": 99}) == 4426
    await server.database.write(decided, made.id, draining.decommission)
    assert await close_code(server, told) == 4403


async def test_a_worker_is_sent_away_for_good_when_it_is_revoked(server, tmp_path):
    made = await server.database.write(enrolled)
    async with working(server, made, jobs.WorkerHandlers(), tmp_path) as task:
        while not server.control.connected(made.id):
            await asyncio.sleep(0.01)
        await server.database.write(decided, made.id, draining.decommission)
        await server.control.send_away(made.id)
        with pytest.raises(Unauthenticated, match="decommissioned"):
            await asyncio.wait_for(task, 60)


async def test_a_worker_that_is_revoked_ends_what_it_runs_before_it_clears_away(server, tmp_path):
    jobs.kinds.register(jobs.JobKind("ws.interrupted", Order))
    handlers, going, told = jobs.WorkerHandlers(), asyncio.Event(), []

    @handlers.register("ws.interrupted", Order)
    async def run(context, order):
        going.set()
        try:
            await asyncio.Event().wait()
        finally:
            told.append("ended" if context.lost else "asked")

    async def depart():
        told.append("cleared")

    made = await server.database.write(enrolled)
    async with working(server, made, handlers, tmp_path, departing=depart) as task:
        job = await server.jobs.enqueue(request("ws.interrupted", made))
        await asyncio.wait_for(going.wait(), 60)
        await server.database.write(decided, made.id, draining.decommission)
        await server.control.send_away(made.id)
        with pytest.raises(Unauthenticated, match="decommissioned"):
            await asyncio.wait_for(task, 60)
    assert told == ["ended", "cleared"]
    while (await server.database.read(look, job.id)).state != "pending":  # what was on its way is handed back
        await asyncio.sleep(0.01)
    async with working(server, made, handlers, tmp_path, departing=depart) as task:
        with pytest.raises(Unauthenticated, match="decommissioned"):
            await asyncio.wait_for(task, 60)
    assert told == ["ended", "cleared", "cleared"], "one that was away hears it at its next start"


async def test_frames_that_are_none_come_out_of_order_or_are_too_large_cost_a_connection_and_no_job(server, tmp_path):
    kept = []

    def record(_tx, _job, kind, data):
        kept.append((kind, data))
        return {"number": len(kept)}

    jobs.kinds.register(jobs.JobKind("ws.noisy", Order, record=record))
    made = await server.database.write(enrolled)
    job = await server.jobs.enqueue(request("ws.noisy", made))
    url = f"ws://127.0.0.1:{server.port}/api/workers/control"
    hello = {"type": "hello", "v": 1, "id": "0", "slots": 1, "capabilities": ["deploy"]}
    hello["credential"] = made.access.reveal()
    place = {"v": 1, "jobId": job.id, "fence": 1}

    async def answer(connection, frame):
        await connection.send(json.dumps({"id": "x", **frame}))
        async with asyncio.timeout(60):
            while (said := json.loads(await connection.recv()))["type"] != "ack":
                pass
        return (said.get("error") or {}).get("code"), said.get("reply")

    async with connect(url, proxy=None) as one:
        await one.send(json.dumps(hello))
        async with asyncio.timeout(60):
            while json.loads(await one.recv())["type"] != "job.assign":
                pass
        say = place | {"type": "job.record", "kind": "phase"}
        assert await answer(one, say | {"number": 2, "data": "second"}) == (None, {"number": 1})
        assert await answer(one, say | {"number": 1, "data": "first, late"}) == ("job_fenced", None)
        assert await answer(one, say | {"number": 2, "data": "second, again"}) == (None, {"number": 1})
        assert await answer(one, say | {"number": 3, "fence": 7, "data": "of another attempt"}) == ("job_fenced", None)
        assert kept == [("phase", "second")]
    held = hello | {"jobs": [{"jobId": job.id, "fence": 1}]}
    for wrong, code in (
        ("nonsense", 4400),
        ({"type": "task.steal", "v": 1, "id": "9"}, 4400),
        (say | {"id": "9", "number": "three", "data": None}, 4400),
        (say | {"id": "9", "number": 3, "data": "x" * (17 << 20)}, 1009),
    ):
        assert await close_code(server, held, wrong) == code, str(wrong)[:80]
    async with connect(url, proxy=None) as again:
        await again.send(json.dumps(held))
        welcome = json.loads(await again.recv())
        assert (welcome["type"], welcome["lost"]) == ("welcome", [])
        end = place | {"type": "job.result", "outcome": {"state": "succeeded", "result": "{}"}}
        assert (await answer(again, end))[0] is None
    done = await server.jobs.wait(job.id, 60)
    assert (done.state, done.attempts, len(kept)) == ("succeeded", 1, 1)


async def test_a_worker_that_was_revoked_elsewhere_is_sent_away_when_it_is_noted(server, tmp_path, monkeypatch):
    monkeypatch.setattr(control, "SEEN_SECONDS", 0.0)
    made = await server.database.write(enrolled)
    async with working(server, made, jobs.WorkerHandlers(), tmp_path) as task:
        while not server.control.connected(made.id):
            await asyncio.sleep(0.01)
        await server.database.write(decided, made.id, draining.decommission)
        with pytest.raises(Unauthenticated, match="decommissioned"):
            await asyncio.wait_for(task, 60)


async def test_a_worker_that_lies_about_the_jobs_of_others_moves_none(server, tmp_path):
    jobs.kinds.register(jobs.JobKind("ws.coveted", Order))
    handlers, going = jobs.WorkerHandlers(), asyncio.Event()

    @handlers.register("ws.coveted", Order)
    async def run(context, order):
        going.set()
        await context.sleep(2)
        return {"by": "the holder"}

    made = await server.database.write(enrolled)
    other = await server.database.write(enrolled, organization_id=made.organization_id)
    async with working(server, made, handlers, tmp_path):
        job = await server.jobs.enqueue(request("ws.coveted", made))
        await asyncio.wait_for(going.wait(), 60)
        told = []
        async with connect(f"ws://127.0.0.1:{server.port}/api/workers/control", proxy=None) as liar:
            hello = {"type": "hello", "v": 1, "id": "0", "slots": 0, "credential": other.access.reveal()}
            await liar.send(json.dumps(hello))
            assert json.loads(await liar.recv())["type"] == "welcome"
            about = {"v": 1, "jobId": job.id, "fence": 1}
            for number, frame in enumerate(
                (
                    about | {"type": "job.result", "outcome": {"state": "succeeded", "result": '{"by": "the liar"}'}},
                    about | {"type": "job.reject", "reason": "mine"},
                    about | {"type": "job.record", "number": 500, "kind": "phase", "data": {}},
                    about | {"type": "job.result", "jobId": 10**9, "outcome": {"state": "failed"}},
                    {"v": 1, "type": "heartbeat", "jobs": [{"jobId": job.id, "fence": 1}]},
                ),
                1,
            ):
                await liar.send(json.dumps(frame | {"id": str(number)}))
            while len(told) < 5:
                async with asyncio.timeout(60):
                    frame = json.loads(await liar.recv())
                if frame["type"] == "ack":
                    told.append((frame["ref"], (frame.get("error") or {}).get("code"), frame.get("reply")))
        told.sort()
        assert [code for _, code, _ in told] == ["job_fenced", None, "job_fenced", "job_fenced", None]
        assert told[4][2]["lost"] == [job.id]
        done = await server.jobs.wait(job.id, 60)
        assert (done.state, done.attempts, done.result) == ("succeeded", 1, '{"by":"the holder"}')


async def test_a_job_survives_a_restart_of_the_server_and_its_reports_count_once(server, tmp_path):
    phases = []
    jobs.kinds.register(jobs.JobKind("ws.survive", Order, record=lambda tx, job, kind, data: phases.append(data["n"])))
    handlers = jobs.WorkerHandlers()
    started, go_on = asyncio.Event(), asyncio.Event()

    @handlers.register("ws.survive", Order)
    async def run(context, order):
        await context.record("phase", {"n": 1})
        started.set()
        await go_on.wait()
        await context.record("phase", {"n": 2})
        return {"fence": context.job.fence}

    made = await server.database.write(enrolled)
    async with working(server, made, handlers, tmp_path):
        job = await server.jobs.enqueue(request("ws.survive", made))
        await asyncio.wait_for(started.wait(), 60)
        await server.stop()
        go_on.set()
        await server.start()
        done = await server.jobs.wait(job.id, 60)
    assert (done.state, done.attempts, phases) == ("succeeded", 1, [1, 2])


async def test_what_a_vanished_worker_ran_is_requeued_when_it_returns_without_it(server, tmp_path):
    jobs.kinds.register(jobs.JobKind("ws.vanish", Order))
    handlers = jobs.WorkerHandlers()
    fences = []
    started = asyncio.Event()

    @handlers.register("ws.vanish", Order)
    async def run(context, order):
        fences.append(context.job.fence)
        started.set()
        if len(fences) == 1:
            await asyncio.sleep(60)

    made = await server.database.write(enrolled)
    async with working(server, made, handlers, tmp_path):
        job = await server.jobs.enqueue(request("ws.vanish", made))
        await asyncio.wait_for(started.wait(), 60)
    async with working(server, made, handlers, tmp_path):
        done = await server.jobs.wait(job.id, 60)
    assert (done.state, fences, done.lapses) == ("succeeded", [1, 2], 1)


async def test_a_remote_job_is_canceled_at_once(server, tmp_path):
    jobs.kinds.register(jobs.JobKind("ws.cancel", Order))
    handlers = jobs.WorkerHandlers()
    started = asyncio.Event()

    @handlers.register("ws.cancel", Order)
    async def run(context, order):
        started.set()
        await context.sleep(60)

    made = await server.database.write(enrolled)
    async with working(server, made, handlers, tmp_path):
        job = await server.jobs.enqueue(request("ws.cancel", made))
        await asyncio.wait_for(started.wait(), 60)
        await server.database.write(jobs.cancel, job.id, "superseded")
        assert (await server.jobs.wait(job.id, 60)).state == "canceled"


async def test_a_draining_worker_gets_nothing_new_until_it_is_undrained(server, tmp_path):
    jobs.kinds.register(jobs.JobKind("ws.drain", Order))
    handlers = jobs.WorkerHandlers()

    @handlers.register("ws.drain", Order)
    async def run(context, order):
        return None

    made = await server.database.write(enrolled)
    await server.database.write(decided, made.id, draining.drain)
    async with working(server, made, handlers, tmp_path):
        job = await server.jobs.enqueue(request("ws.drain", made))
        assert (await server.jobs.wait(job.id, 0.5)).state == "pending"
        await server.control.follow(await server.database.write(decided, made.id, draining.undrain))
        assert (await server.jobs.wait(job.id, 60)).state == "succeeded"


async def test_work_bound_to_a_machine_goes_to_the_machine_that_came_first_under_the_credential(server, tmp_path):
    jobs.kinds.register(jobs.JobKind("ws.local", Order))
    handlers = jobs.WorkerHandlers()

    @handlers.register("ws.local", Order)
    async def run(context, order):
        return None

    made = await server.database.write(enrolled, ("deploy", "local"))
    here, there = (
        jobs.Enqueue("ws.local", Order(), made.organization_id, capabilities=frozenset({"deploy", f"local:{mark}"}))
        for mark in ("first", "second")
    )
    async with working(server, made, handlers, tmp_path, fingerprint="first"):
        job = await server.jobs.enqueue(here)
        assert (await server.jobs.wait(job.id, 60)).state == "succeeded"
    async with working(server, made, handlers, tmp_path, fingerprint="second"):
        job = await server.jobs.enqueue(there)
        assert (await server.jobs.wait(job.id, 0.5)).state == "pending"


async def test_the_end_of_a_job_waits_on_disk_for_a_server_that_is_away(server, tmp_path):
    jobs.kinds.register(jobs.JobKind("ws.spool", Order))
    handlers = jobs.WorkerHandlers()
    started, go_on = asyncio.Event(), asyncio.Event()

    @handlers.register("ws.spool", Order)
    async def run(context, order):
        started.set()
        await go_on.wait()
        return {"kept": True}

    made = await server.database.write(enrolled)
    spool = tmp_path / "worker" / "spool"
    async with working(server, made, handlers, tmp_path):
        job = await server.jobs.enqueue(request("ws.spool", made))
        await asyncio.wait_for(started.wait(), 60)
        await server.stop()
        go_on.set()
        while not list(spool.glob("*.json")):
            await asyncio.sleep(0.01)
    await server.start()
    async with working(server, made, jobs.WorkerHandlers(), tmp_path):  # a new process that knows nothing but its disk
        done = await server.jobs.wait(job.id, 60)
        async with asyncio.timeout(60):
            while list(spool.glob("*.json")):  # dropped when the acknowledgement arrives
                await asyncio.sleep(0.01)
    assert (done.state, done.attempts, done.result) == ("succeeded", 1, '{"kept":true}')


async def test_an_end_that_was_given_up_meanwhile_is_still_told(server, tmp_path):
    came = []
    handlers, going, over = jobs.WorkerHandlers(), asyncio.Event(), asyncio.Event()
    kind = jobs.JobKind(
        "ws.patient", Order, lost="failed", late=lambda _tx, _job, outcome: came.append((outcome.state, outcome.result))
    )
    jobs.kinds.register(kind)

    @handlers.register("ws.patient", Order)
    async def run(context, order):
        going.set()
        await over.wait()
        return {"all": "done"}

    made = await server.database.write(enrolled)
    spool = tmp_path / "worker" / "spool"
    async with working(server, made, handlers, tmp_path):
        job = await server.jobs.enqueue(request("ws.patient", made))
        await asyncio.wait_for(going.wait(), 30)
        await server.stop()
        over.set()
        async with asyncio.timeout(60):
            while not list(spool.glob("*.json")):
                await asyncio.sleep(0.02)
            assert await server.database.write(jobs.give_up, job.id, "worker_lost", "It was silent for too long.")
            await server.start()
            while list(spool.glob("*.json")) or not came:
                await asyncio.sleep(0.02)
    assert came == [("succeeded", '{"all":"done"}')]
    assert (await server.database.read(look, job.id)).state == "failed"


async def test_a_worker_that_is_not_enrolled_ends_with_a_reason(server, tmp_path):
    with pytest.raises(Unauthenticated, match="not enrolled"):
        await asyncio.wait_for(
            run_worker(server.url, None, ["deploy"], 2, tmp_path, handlers=jobs.WorkerHandlers(), signals=False), 20
        )


UPGRADE = (
    b"GET /api/workers/control HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@asynccontextmanager
async def silent(server, count):
    """Upgraded connections that never say hello, and never answer a closing handshake."""
    made = []
    try:
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            made.append((reader, writer))
            writer.write(UPGRADE)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        yield [reader for reader, _ in made]
    finally:
        for _, writer in made:
            writer.close()


async def gone(reader):
    try:
        await asyncio.wait_for(reader.read(), 60)
    except ConnectionError:
        return True
    return reader.at_eof()


async def test_a_worker_is_welcomed_within_a_second_beside_hundreds_that_say_nothing(server):
    made = await server.database.write(enrolled)
    async with silent(server, 300) as held:
        hello = json.dumps({"type": "hello", "v": 1, "id": "1", "credential": made.access.reveal()})

        async def welcomed() -> None:
            async with connect(f"ws://127.0.0.1:{server.port}/api/workers/control", proxy=None) as connection:
                await connection.send(hello)
                assert json.loads(await connection.recv())["type"] == "welcome"

        assert await best(welcomed, 1) <= 1
        async with connect(f"ws://127.0.0.1:{server.port}/api/workers/control", proxy=None) as connection:
            await connection.send(hello)
            assert json.loads(await connection.recv())["type"] == "welcome"
            assert all(await asyncio.gather(*(gone(one) for one in held[:200])))
            large = {"type": "job.record", "v": 1, "id": "1", "jobId": 1, "fence": 1, "number": 1, "kind": "x"}
            await connection.send(json.dumps(large | {"data": "x" * 1_000_000}))  # once known, frames may be large
            await connection.send(json.dumps({"type": "ping", "v": 1, "id": "2"}))
            async with asyncio.timeout(60):
                while json.loads(await connection.recv())["type"] != "pong":
                    pass


async def test_who_says_no_hello_is_gone_at_the_deadline_without_a_closing_handshake(server, monkeypatch):
    monkeypatch.setattr(control, "HELLO_SECONDS", 0.3)
    async with silent(server, 3) as waiting:
        assert all(await asyncio.gather(*(gone(one) for one in waiting)))


@pytest.mark.parametrize(
    ("excess", "code"),
    [
        ({"jobs": [{"jobId": 1, "fence": 1}] * 1001}, 4400),
        ({"capabilities": ["x"] * 101}, 4400),
        ({"capabilities": ["x" * 129]}, 4400),
        ({"name": "x" * 70_000}, 1009),
    ],
)
async def test_a_hello_is_bounded(server, excess, code):
    made = await server.database.write(enrolled)
    hello = {"type": "hello", "v": 1, "id": "1", "credential": made.access.reveal()}
    assert await close_code(server, hello | excess) == code


async def test_much_output_of_many_bytes_arrives_whole_over_one_connection(server, tmp_path):
    jobs.kinds.register(jobs.JobKind("ws.wide", Order))
    handlers, text = jobs.WorkerHandlers(), "語" * 16_384  # 500 lines of it are 24 MB

    @handlers.register("ws.wide", Order)
    async def run(context, order):
        for _ in range(5):
            context.log([text] * 100)
            await context.drain()

    made = await server.database.write(enrolled)
    async with working(server, made, handlers, tmp_path):
        job = await server.jobs.enqueue(request("ws.wide", made))
        while not server.control.connected(made.id):
            await asyncio.sleep(0.01)
        connected = server.control._sessions[made.id]
        done = await server.jobs.wait(job.id, 30)
        assert server.control._sessions[made.id] is connected
    assert (done.state, done.attempts) == ("succeeded", 1)
    assert (len(server.lines), set(server.lines)) == (500, {text})


async def test_a_report_or_an_end_that_no_frame_can_hold_fails_its_job_alone(server, tmp_path):
    jobs.kinds.register(jobs.JobKind("ws.large-report", Order))
    jobs.kinds.register(jobs.JobKind("ws.large-end", Order))
    handlers = jobs.WorkerHandlers()

    @handlers.register("ws.large-report", Order)
    async def report(context, order):
        await context.record("phase", {"output": "x" * (17 << 20)})

    @handlers.register("ws.large-end", Order)
    async def end(context, order):
        return {"output": '"' * (9 << 20)}  # each of them is four bytes in the frame

    made = await server.database.write(enrolled)
    async with working(server, made, handlers, tmp_path):
        asked = [await server.jobs.enqueue(request(kind, made)) for kind in ("ws.large-report", "ws.large-end")]
        first, second = [await server.jobs.wait(job.id, 20) for job in asked]
        assert server.control.connected(made.id)
    assert (first.state, first.error_code, first.attempts) == ("failed", "job_report_too_large", 1)
    assert (second.state, second.error_code, second.attempts) == ("failed", "job_result_too_large", 1)
