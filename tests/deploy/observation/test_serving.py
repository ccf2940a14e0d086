"""What serves is watched: processes that the host has lost come back, secrets stay hidden, streams end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete, update

from quarterdeck.deploy.deployments import ordering
from quarterdeck.deploy.observation import observations, reviving
from quarterdeck.deploy.observation.model import Observation
from quarterdeck.deploy.observation.observations import Seen
from quarterdeck.deploy.observation.observer import Observer
from quarterdeck.deploy.observation.places import LocalPlace
from quarterdeck.deploy.resources import resources
from quarterdeck.fleet.processes.hosted import LocalProcesses
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.status import ProcessStatus
from quarterdeck.fleet.processes.supervisor.record import read_json
from quarterdeck.fleet.servers.model import Server
from quarterdeck.instance import Instance
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.logs import Line
from support.harbour import Harbour

pytestmark = pytest.mark.edge
SECRET = "Hush-4711-nobody-knows"


async def until(check: Callable[[], Awaitable[object]], seconds: float = 45) -> None:
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)


async def serve(harbour: Harbour) -> str:
    deployment = await harbour.create()
    job = await harbour.instance.jobs.wait(deployment.job_id, 60)
    shown = await harbour.show(deployment.ref)
    assert shown.status == "succeeded", (job.error_code, job.error_message, shown.error_message)
    return deployment.ref


def kill_everything(harbour: Harbour, ref: str) -> int:
    """What a power failure does to a host process and its supervisor. Answers the application's process id."""
    processes = Processes(harbour.instance.data.runtime)
    status = processes.status(ref)
    state = read_json(processes.directory(ref) / "state.json") or {}
    assert status.pid is not None
    os.kill(state["supervisor"][0], signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):  # it may have ended with its supervisor
        os.kill(status.pid, signal.SIGKILL)
    return status.pid


async def test_a_process_that_the_host_lost_is_started_again_with_its_secrets(started: Harbour) -> None:
    await started.secret("TOKEN", SECRET)
    ref = await serve(started)
    processes = Processes(started.instance.data.runtime)
    port = processes.status(ref).port
    old = kill_everything(started, ref)

    async def is_back() -> bool:
        status = processes.find(ref)
        return status is not None and status.live and status.pid not in {None, old} and status.port == port

    await until(is_back)

    async def told_twice() -> bool:
        lines = await started.instance.logs.read(f"runtime:{started.resource}", tail=200)
        return sum("the token is" in line.message for line in lines) >= 2

    await until(told_twice)


async def test_a_process_whose_record_is_gone_answers_again_after_a_start_of_the_server(started: Harbour) -> None:
    """What ending everything by hand leaves: no process, no record, no edge; and meanwhile a stranger has its port."""
    ref = await serve(started)
    before = started.instance
    port = Processes(before.data.runtime).status(ref).port
    assert port is not None
    route = (await started.show(ref)).route
    assert before.edge is not None
    assert route is not None
    await before.stop()
    await before.edge.stop(grace_seconds=1)
    await Processes(before.data.runtime).remove(ref, 0)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        started.instance = Instance.open(before.settings)
        await started.instance.start()

        async def answers() -> bool:
            address = f"http://127.0.0.1:{before.settings.edge_http_port}/"
            with contextlib.suppress(httpx.HTTPError):
                async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
                    answer = await client.get(address, headers={"Host": route["hostnames"][0]})
                return answer.status_code == 200
            return False

        await until(answers)
        again = Processes(before.data.runtime).status(ref)
        assert again.live
        assert again.port not in {None, port}


async def test_a_container_that_is_gone_or_stays_down_is_asked_for_again() -> None:
    removed = observations.Served(1, "res_1", 1, 1, "dep_1", "running", {"kind": "container", "container": "c"})
    stopped = observations.Served(2, "res_2", 1, 2, "dep_2", "stopped", {"kind": "container", "container": "d"})
    exited = observations.Served(3, "res_3", 1, 3, "dep_3", "running", {"kind": "container", "container": "e"})
    down, up = observations.Seen("exited", "Exited (128)", lost=True), observations.Seen("running")
    seen = {1: reviving.REMOVED, 2: reviving.REMOVED, 3: down}
    everything = [removed, stopped, exited]
    with tempfile.TemporaryDirectory() as root:
        for before in ({}, {3: up}):
            assert await reviving.gone(everything, seen, before, LocalProcesses(Path(root))) == [removed]
        assert await reviving.gone(everything, seen, {3: down}, LocalProcesses(Path(root))) == [removed, exited]
        assert await reviving.gone(everything, {**seen, 3: up}, {3: down}, LocalProcesses(Path(root))) == [removed]


async def test_a_stopped_process_is_not_started_again(started: Harbour) -> None:
    ref = await serve(started)

    def stop(tx: Tx) -> None:
        resources.find(tx, started.resource).wanted = "stopped"

    await started.write(stop)
    kill_everything(started, ref)
    await started.instance.observer.look()
    await started.instance.observer.look()

    def revived(tx: Tx) -> object:
        return jobs.find(tx, subject=f"deployment:{ref}", kind="runtime.revive")

    assert await started.instance.db.read(revived) is None


async def test_servers_behind_ssh_are_watched_where_something_serves_and_not_without_end(started: Harbour) -> None:
    read = started.instance.db.read
    ref = await serve(started)
    assert await read(observations.servers_behind_ssh, 10) == []
    server = (await started.show(ref)).server_id

    def elsewhere(tx: Tx) -> None:
        tx.execute(update(Server).where(Server.id == server).values(provider="generic-ssh"))

    await started.write(elsewhere)
    assert await read(observations.servers_behind_ssh, 10) == [server]
    assert await read(observations.servers_behind_ssh, 0) == []


async def test_what_was_replaced_is_not_kept_in_memory(started: Harbour) -> None:
    observer, first = started.instance.observer, (await started.show(await serve(started))).id
    await observer.look()
    observer._revived[first] = 0.0
    assert first in observer._last
    second = (await started.show(await serve(started))).id
    await observer.look()
    assert (set(observer._last), set(observer._revived)) == ({second}, set())

    def delete(tx: Tx) -> None:
        resources.find(tx, started.resource).lifecycle = "deleted"

    await started.write(delete)
    await observer.look()
    assert (observer._last, observer._followed) == ({}, {})


async def test_the_records_of_processes_are_read_on_a_thread_so_that_no_request_waits(started: Harbour) -> None:
    await serve(started)
    threads: list[int] = []

    class Watched(Processes):
        def find(self, instance: str) -> ProcessStatus | None:
            threads.append(threading.get_ident())
            return super().find(instance)

    root = started.instance.data.runtime
    here = LocalPlace(root, None)
    here.processes._own = Watched(root)  # type: ignore[attr-defined]
    observer = Observer(started.instance.db, started.instance.logs, here)
    seen = await observer._states(await started.instance.db.read(observations.served_here))
    assert [one.lifecycle for one in seen.values()] == ["running"]
    assert threads
    assert threading.get_ident() not in threads


async def test_a_lost_process_is_observed_as_exited(started: Harbour) -> None:
    ref = await serve(started)

    def seen(tx: Tx) -> str | None:
        found = observations.of(tx, resources.find(tx, started.resource))
        return found.lifecycle if found else None

    async def is_running() -> bool:
        return await started.instance.db.read(seen) == "running"

    await until(is_running)
    started.instance.observer._revived[(await started.show(ref)).id] = 1e12  # not again in this test
    kill_everything(started, ref)

    async def is_exited() -> bool:
        await started.instance.observer.look()
        return await started.instance.db.read(seen) == "exited"

    await until(is_exited)


async def test_a_secret_stands_in_no_file_and_no_stream(started: Harbour) -> None:
    await started.secret("TOKEN", SECRET)
    ref = await serve(started)
    for stream in (f"deployment:{ref}", f"runtime:{started.resource}"):

        async def told(stream: str = stream) -> bool:
            lines = await started.instance.logs.read(stream, tail=200)
            return any("the token is" in line.message for line in lines)

        await until(told)
        assert not any(SECRET in line.message for line in await started.instance.logs.read(stream, tail=200))
    holds = [
        path
        for path in started.instance.data.path.rglob("*")
        if path.is_file() and "instances" not in path.parts and SECRET.encode() in path.read_bytes()
    ]
    assert holds == []
    process = Processes(started.instance.data.runtime).directory(ref)
    written = [path.name for path in process.iterdir() if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert all("log" in name or name.isdigit() for name in written), "only what the application itself wrote"


async def test_the_stream_of_a_deployment_ends_with_it(started: Harbour) -> None:
    ref = await serve(started)
    async with asyncio.timeout(10):
        lines = [item async for item in started.instance.logs.follow(f"deployment:{ref}")]
    assert lines


async def test_secrets_of_attempts_under_way_are_hidden_after_a_restart_too(started: Harbour) -> None:
    await started.secret("TOKEN", SECRET)
    await started.instance.jobs.stop()
    deployment = await started.create()
    stream = f"deployment:{deployment.ref}"
    hidden = await started.instance.db.read(ordering.mask_active, started.instance.logs)
    now = started.instance.db.clock.now()
    line = Line(time=now, source="application", stream="stdout", phase=None, level="info", message=f"x {SECRET} y")
    await started.instance.logs.store(stream, [line])
    assert hidden == 1
    assert SECRET not in (await started.instance.logs.read(stream))[0].message


async def test_two_who_look_first_at_once_keep_one_observation(started: Harbour) -> None:
    await serve(started)
    database = started.instance.db

    def forget(tx: Tx) -> None:
        tx.execute(delete(Observation))

    for _ in range(5):
        await started.write(forget)
        (one,) = await database.read(observations.served_here)
        await asyncio.gather(*(database.write(observations.keep, [(one, Seen("running"))]) for _ in range(4)))
