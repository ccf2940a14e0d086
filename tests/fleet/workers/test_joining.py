"""`qd worker` from its first start on: it enrols itself, comes back without a token, and ends when it is sent away."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import select

from quarterdeck.fleet.workers import enrolment, papers, proving, standing
from quarterdeck.fleet.workers.client import Saying, enrolled_for, run_worker
from quarterdeck.fleet.workers.confining import confinements
from quarterdeck.fleet.workers.description import Agent
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Invalid, Unauthenticated
from quarterdeck.kernel.http.doorkeeper import Patience
from quarterdeck.kernel.http.patience import patient
from quarterdeck.kernel.vault import Secret
from support.certificates import issued
from support.crew import Crew
from support.deck import running, signed_in
from support.proxy import HOST, proxy

SECONDS = 30
CLAUDE = Agent(type="claude", version="2.1.0", path="/usr/bin/claude")


class Dock:
    """An instance that listens, and an administrator of it."""

    def __init__(self, crew, port, place):
        self.crew, self.port, self.place = crew, port, place
        self.instance = crew.deck.instance
        self.url = f"http://127.0.0.1:{port}"

    async def token(self):
        return (await self.crew.ok("POST", "/api/admin/worker-tokens", {}, status=201))["token"]

    def kept(self, name="worker"):
        return papers.load(self.place / name)

    @asynccontextmanager
    async def working(self, token=None, *, name="worker", url=None, connected=True, words=("tasks",)):
        directory = self.place / name
        directory.mkdir(exist_ok=True)
        task = asyncio.create_task(
            run_worker(
                url or self.url,
                Secret(token) if token else None,
                words,
                2,
                directory,
                handlers=jobs.WorkerHandlers(),
                signals=False,
                name=name,
                saying=Saying(agents=lambda: [CLAUDE], projects=lambda: ["WEB"]),
            )
        )
        try:
            if connected:
                await self.until(lambda: self.instance.workers.count or task.done())
                if task.done():
                    await task
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.until(lambda: not self.instance.workers.count)

    async def session(self):
        """That of the one worker that is connected, once it has been welcomed."""

        def found():
            return [one for one in self.instance.jobs.sessions if one.worker_id is not None]

        await self.until(found)
        return found()[0]

    async def until(self, true):
        async with asyncio.timeout(SECONDS):
            while not true():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def listening(app, **tls):
    served = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=0, log_config=None, ws="websockets-sansio", http=patient(Patience()),
            lifespan="off", ws_max_size=16 << 20, timeout_graceful_shutdown=1, **tls,
        )
    )  # fmt: skip
    serving = asyncio.create_task(served._serve())
    while not served.started:
        await asyncio.sleep(0.01)
    try:
        yield served.servers[0].sockets[0].getsockname()[1]
    finally:
        served.should_exit = True
        await serving


@pytest.fixture
async def dock(tmp_path, database_address):
    async with running(tmp_path, database_address) as deck:
        deck.instance.jobs.heartbeat_seconds = 0.2
        crew = Crew(await signed_in(deck))
        async with listening(deck.client._transport.app) as port:
            yield Dock(crew, port, tmp_path)


async def test_a_machine_enrols_itself_once_and_says_what_it_is(dock):
    made = await dock.crew.ok("POST", "/api/admin/worker-tokens", {"label": "rack"}, status=201)
    async with dock.working(made["token"]):
        held = dock.kept()
        assert stat.S_IMODE((dock.place / "worker" / papers.NAME).stat().st_mode) == 0o600
        assert made["token"] not in (dock.place / "worker" / papers.NAME).read_text()
        shown = {"cpuPercent": None}
        async with asyncio.timeout(SECONDS):
            while shown["cpuPercent"] is None:
                shown = await dock.crew.ok("GET", f"/api/web/machines/{held.machine_id}")
                await asyncio.sleep(0.05)
        assert (shown["name"], shown["status"], shown["capabilities"]) == ("worker", "online", ["claude"])
        assert (shown["maxSlots"], shown["usedSlots"], shown["projectsCached"]) == (2, 0, ["WEB"])
        assert all(0 <= shown[f"{part}Percent"] <= 100 for part in ("cpu", "mem", "disk"))
        assert shown["hardware"]["cpuCores"] == os.cpu_count()
        assert shown["hardware"]["memoryMb"] > 100
        told = await dock.crew.ok("GET", f"/api/admin/worker-tokens/{made['id']}/status")
        assert (told["status"], told["machine"]["id"]) == ("used", held.machine_id)
        assert (await dock.crew.ok("GET", "/api/workers/healthz", token=None))["connectedWorkers"] == 1
    async with dock.working():  # no token any more
        assert dock.kept() == held


async def test_a_worker_refreshes_at_half_life_and_recovers_by_its_secret(dock):
    async with dock.working(await dock.token()):
        first = dock.kept()
    now = datetime.now(UTC)
    first.issued_at, first.expires_at = now - timedelta(hours=13), now + timedelta(hours=11)
    papers.save(dock.place / "worker", first)
    async with dock.working():
        await dock.until(lambda: dock.kept().access_token != first.access_token)
        second = dock.kept()
    assert second.recovery_secret == first.recovery_secret
    second.access_token = "an.access.token"
    papers.save(dock.place / "worker", second)
    async with dock.working():  # refused with 4401, then let in by its secret
        third = dock.kept()
    assert third.recovery_secret != first.recovery_secret
    third.recovery_secret, third.access_token = "of another machine", "an.access.token"
    papers.save(dock.place / "worker", third)
    async with dock.working(connected=False) as task:
        with pytest.raises(Unauthenticated, match="recovery secret"):
            await asyncio.wait_for(task, SECONDS)


async def test_a_worker_that_has_just_enrolled_asks_for_no_other_token(dock, monkeypatch):
    monkeypatch.setattr(proving, "PAUSE", 0.3)
    looked, half = [], proving.Proof._half
    monkeypatch.setattr(proving.Proof, "_half", lambda self: looked.append(half(self)) or looked[-1])
    async with dock.working(await dock.token()):
        first = dock.kept()
        seen = len(looked)
        await dock.until(lambda: len(looked) > seen + 2)
        assert dock.kept() == first


async def test_a_worker_that_recovers_goes_on_while_its_disk_takes_nothing(dock, monkeypatch):
    monkeypatch.setattr(proving, "PAUSE", 0.1)
    async with dock.working(await dock.token()):
        first = dock.kept()
    first.access_token = "an.access.token"
    papers.save(dock.place / "worker", first)
    full = dock.place / "worker" / f"{papers.NAME}.partial"
    full.mkdir()  # nothing can be written there
    async with dock.working():
        assert dock.kept() == first
    async with dock.working():  # another process, which has the secret of before alone
        assert dock.kept() == first
        full.rmdir()
        await dock.until(lambda: dock.kept().recovery_secret != first.recovery_secret)
    async with dock.working():
        assert dock.kept().recovery_secret != first.recovery_secret


async def test_a_machine_that_was_decommissioned_ends_and_comes_back_as_another_with_a_new_token(dock):
    used = await dock.token()
    async with dock.working(used) as task:
        first = dock.kept()
        await dock.crew.ok("DELETE", f"/api/admin/machines/{first.machine_id}")
        with pytest.raises(Unauthenticated, match="decommissioned"):
            await asyncio.wait_for(task, SECONDS)
    async with dock.working(used, connected=False) as task:
        with pytest.raises(Unauthenticated, match="decommissioned"):
            await asyncio.wait_for(task, SECONDS)
    async with dock.working(await dock.token()):
        assert dock.kept().machine_id != first.machine_id


async def test_two_workers_with_one_identity_are_one(dock):
    async with dock.working(await dock.token()) as first:
        copied = dock.place / "copy"
        copied.mkdir()
        papers.save(copied, dock.kept())
        async with dock.working(name="copy"):
            with pytest.raises(Unauthenticated, match="same identity"):
                await asyncio.wait_for(first, SECONDS)
            await dock.until(lambda: dock.instance.workers.count == 1)


async def test_what_decides_about_a_machine_reaches_its_connection(dock):
    async with dock.working(await dock.token()):
        machine = f"/api/admin/machines/{dock.kept().machine_id}"
        session = await dock.session()
        assert (await dock.crew.ok("PUT", machine, {"maxSlots": 1}))["maxSlots"] == 1
        assert session.seat.slots == 1
        shown = await dock.crew.ok("PUT", machine, {"status": "DRAINING"})
        assert (shown["status"], session.draining) == ("draining", True)
        shown = await dock.crew.ok("PUT", machine, {"status": "online"})
        assert (shown["status"], session.draining) == ("online", False)


async def test_which_work_a_room_leaves_a_machine_reaches_its_connection(dock):
    said = [frozenset()]
    confinements.register("test", lambda tx, worker: said[0])
    try:
        async with dock.working(await dock.token()):
            session = await dock.session()
            assert "tasks:elsewhere" in session.capabilities
            assert session.confined == frozenset()
            said[0] = frozenset({"~tasks:blue"})
            uid = dock.kept().machine_id
            worker = await dock.instance.db.read(lambda tx: tx.first(select(Worker).where(Worker.uid == uid)))
            await dock.instance.workers.follow(worker)
            assert session.confined == said[0]
            assert [one.confined for one in session.claimants()] == [said[0]] * len(session.claimants())
    finally:
        confinements.register("test", lambda tx, worker: frozenset())


async def test_a_worker_of_another_server_keeps_its_secrets_from_this_one(dock):
    async with dock.working(await dock.token()):
        held = dock.kept()
    held.server = "https://elsewhere.example.com"
    papers.save(dock.place / "worker", held)
    async with dock.working(connected=False) as task:
        with pytest.raises(Invalid, match="elsewhere"):
            await asyncio.wait_for(task, SECONDS)
    (dock.place / "worker" / papers.NAME).write_text("{")
    async with dock.working(connected=False) as task:
        with pytest.raises(Invalid, match="identity"):
            await asyncio.wait_for(task, SECONDS)


async def test_a_worker_joins_through_the_proxy_of_its_environment(dock, monkeypatch):
    for name in ("no_proxy", "all_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    async with proxy(dock.port) as between:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{between.port}")
        async with dock.working(await dock.token(), url=f"http://{HOST}:{dock.port}"):
            assert (between.requests, between.tunnels) == (1, 1)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with dock.working(await dock.token(), name="near"):
            assert (between.requests, between.tunnels) == (1, 1)
        monkeypatch.setenv("http_proxy", "socks5h://127.0.0.1:9")
        monkeypatch.delenv("no_proxy")
        async with dock.working(connected=False, name="near") as task:
            with pytest.raises(Invalid, match="proxy"):
                await asyncio.wait_for(task, SECONDS)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_password_is_passed_by_either_way_and_waited_for(dock, monkeypatch, scheme):
    for name in ("no_proxy", "all_proxy", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    files = dock.place / "cert.pem", dock.place / "key.pem"
    for file, content in zip(files, issued(HOST), strict=True):
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    tls = {"ssl_certfile": files[0], "ssl_keyfile": files[1]} if scheme == "https" else {}
    app = dock.crew.deck.client._transport.app
    async with listening(app, **tls) as port, proxy(port, "ada:p%40ss".replace("%40", "@")) as between:
        monkeypatch.setenv(f"{scheme}_proxy", f"http://ada:wrong@127.0.0.1:{between.port}")
        url = f"{scheme}://{HOST}:{port}"
        async with dock.working(await dock.token(), url=url, connected=False) as task:
            await dock.until(lambda: between.refused >= 2)
            assert not task.done(), "a proxy that refuses is asked again"
            assert (between.tunnels, between.requests) == (0, 0)
            monkeypatch.setenv(f"{scheme}_proxy", f"http://ada:p%40ss@127.0.0.1:{between.port}")
            await dock.until(lambda: dock.instance.workers.count or task.done())
            assert not task.done()
            assert (between.tunnels, between.requests) == ((2, 0) if scheme == "https" else (1, 1))


class Chance:
    """The same draw each time."""

    def __init__(self, share):
        self.share = share

    def randbits(self, bits):
        return int(((1 << bits) - 1) * self.share)

    def bytes(self, number):
        return bytes(number)


async def gaps(place, share):
    """Seconds between the first four times that a worker dials a server which hangs up."""
    times = []

    def hang_up(_reader, writer):
        times.append(asyncio.get_running_loop().time())
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    now = datetime.now(UTC)
    place.mkdir()
    held = papers.Papers(
        server=url, machine_id="a", access_token="t", issued_at=now, expires_at=now + timedelta(days=1),
        recovery_secret="s",
    )  # fmt: skip
    papers.save(place, held)
    work = run_worker(
        url, None, ["tasks"], 1, place, handlers=jobs.WorkerHandlers(), signals=False, entropy=Chance(share)
    )
    task = asyncio.create_task(work)
    try:
        async with asyncio.timeout(SECONDS):
            while len(times) < 4:
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()
        await server.wait_closed()
    return [later - earlier for earlier, later in pairwise(times)]


async def test_a_worker_dials_again_after_growing_pauses_of_its_own_length(tmp_path):
    for name in ("http_proxy", "all_proxy"):
        assert not os.environ.get(name), "nobody stands between"
    short, long = await asyncio.gather(gaps(tmp_path / "one", 0.0), gaps(tmp_path / "two", 1.0))
    for number, pause in enumerate((1.0, 2.0, 4.0)):
        assert short[number] >= pause * 0.5
        assert long[number] >= pause * 0.99
    assert sum(short) < sum(long)


async def test_a_machine_learns_from_its_enrolment_what_it_was_enrolled_for(dock):
    def mint(tx):
        return enrolment.create(tx, 1, ["infra", "infra:elsewhere"], label="fra-1")[1]

    token, place = await dock.instance.db.write(mint), dock.place / "fra"
    place.mkdir()
    assert await enrolled_for(dock.url, token, place) == ["infra", "infra:elsewhere"]
    assert await enrolled_for(dock.url, None, place) == ["infra", "infra:elsewhere"]  # as it stands in its directory
    kept = papers.load(place)
    row = await dock.instance.db.read(lambda tx: tx.first(select(Worker).where(Worker.uid == kept.machine_id)))
    assert row.name == "fra-1"


@pytest.mark.parametrize(
    ("enrolled_for", "offered", "given", "confined"),
    [
        (["infra:drift"], ["infra:drift"], {"infra", "infra:drift", "infra:elsewhere"}, {"~infra:drift"}),
        (["infra:drift"], ["infra"], {"infra", "infra:drift", "infra:elsewhere"}, {"~infra:drift"}),
        (["infra"], ["infra:drift"], {"infra", "infra:drift", "infra:elsewhere"}, {"~infra:drift"}),
        (["infra"], ["infra"], {"infra", "infra:drift", "infra:elsewhere"}, set()),
        (["tasks"], ["infra:drift"], set(), set()),
    ],
)
async def test_a_worker_for_drift_is_given_what_looks_need_and_confined_to_them(
    dock, enrolled_for, offered, given, confined
):
    token = await dock.instance.db.write(lambda tx: enrolment.create(tx, 1, enrolled_for)[1].reveal())
    async with dock.working(token, words=offered):
        session = await dock.session()
        await dock.until(lambda: dock.instance.workers.count)
        assert session.capabilities == given
        assert session.confined == session.seat.confined == confined


async def test_a_worker_that_was_told_to_end_is_away_at_once_and_one_that_is_cut_off_is_not(dock):
    async def row():
        query = select(Worker).where(Worker.uid == dock.kept().machine_id)
        return await dock.instance.db.read(lambda tx: tx.first(query))

    async def until(true):
        async with asyncio.timeout(SECONDS):
            while not true(await row()):
                await asyncio.sleep(0.05)

    async with dock.working(await dock.token()):
        await dock.session()
    assert (await row()).left_at is None
    work = run_worker(dock.url, None, ["tasks"], 1, dock.place / "worker", handlers=jobs.WorkerHandlers())
    ending = asyncio.create_task(work)
    await dock.session()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(ending, SECONDS)
    await until(lambda one: one.left_at is not None)
    assert standing.status(await row(), dock.instance.db.clock.now(), 180) == "offline"
    async with dock.working():
        await until(lambda one: one.left_at is None)


def megabytes(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def test_an_idle_worker_takes_little_memory_and_ends_at_a_word(dock):
    """The figure of a real process: 60 MB resident at most."""
    token = dock.place / "token"
    token.write_text(await dock.token())
    arguments = ["worker", "--server", dock.url, "--token", f"@{token}", "--capability", "tasks"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "quarterdeck.cli.main", *arguments, "--data-dir", str(dock.place / "idle"),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        session = await dock.session()
        heard = session._sent
        await dock.until(lambda: session._sent >= heard + 5)  # beating, and answered
        resident = megabytes(process.pid)
        print(f"idle worker: {resident:.1f} MB")  # noqa: T201 - told with a failure
        assert resident <= 60
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert json.loads((dock.place / "idle" / papers.NAME).read_text())["recoverySecret"]


@asynccontextmanager
async def process(dock, directory, *more):
    """`qd worker` as a process of its own."""
    arguments = ["worker", "--server", dock.url, "--capability", "tasks", "--data-dir", str(directory), *more]
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "quarterdeck.cli.main", *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        yield made
    finally:
        if made.returncode is None:
            made.kill()
            await made.wait()


async def test_a_second_worker_in_the_same_directory_is_refused_and_changes_nothing(dock):
    tokens = [dock.place / f"token-{number}" for number in range(2)]
    for file in tokens:
        file.write_text(await dock.token())
    directory = dock.place / "shared"
    async with process(dock, directory, "--token", f"@{tokens[0]}") as first:
        session, held = await dock.session(), dock.kept("shared")
        async with process(dock, directory, "--token", f"@{tokens[1]}") as second, asyncio.timeout(SECONDS):
            assert await second.wait() == 6
            said = (await second.stderr.read()).decode()
            assert f"Another process ({first.pid})" in said
            assert "--data-dir" in said
        assert dock.kept("shared") == held
        assert await dock.session() is session, "the first one was not disturbed"
        listed = (await dock.crew.ok("GET", "/api/admin/worker-tokens"))["items"]
        assert sorted(one["status"] for one in listed) == ["unused", "used"]
        async with process(dock, dock.place / "other", "--token", f"@{tokens[1]}"):
            await dock.until(lambda: dock.instance.workers.count == 2)
        await dock.until(lambda: dock.instance.workers.count == 1)
        first.kill()  # the lock goes with the process
        await first.wait()
        await dock.until(lambda: dock.instance.workers.count == 0)
        async with process(dock, directory):
            assert (await dock.session()).worker_uid == held.machine_id
