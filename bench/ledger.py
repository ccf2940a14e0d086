"""The job ledger: durable throughput, CPU for each job, and how soon work starts.

    python bench/ledger.py [--databases sqlite,postgresql] [--jobs 3000] [--finished 10000000] [--keep]

Each job is enqueued, claimed and completed; completing writes an event and an audit event in the same transaction.
SQLite runs with synchronous=FULL, PostgreSQL with fsync on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import msgspec  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first

from quarterdeck.kernel import audit, events, jobs  # noqa: E402 - the paths come first
from quarterdeck.kernel.db import Database, Tx, open_database  # noqa: E402 - the paths come first
from quarterdeck.kernel.db.migrate import migrate  # noqa: E402 - the paths come first

IN_FLIGHT = 32


class Payload(msgspec.Struct):
    number: int


class BenchAction(audit.Action):
    FINISHED = "bench.finished"


def finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
    events.append(tx, f"bench:{job.id}", "bench-finished", {"state": outcome.state})
    audit.record(tx, BenchAction.FINISHED, resource_type="bench", resource_id=job.uid, organization_id=1)


jobs.kinds.register(jobs.JobKind("bench.work", Payload, finish=finish))
jobs.kinds.register(jobs.JobKind("bench.quick", Payload))


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def throughput(database: Database, count: int) -> tuple[float, float]:
    """Jobs a second with 32 in flight, and microseconds of this process's CPU for each."""
    service = jobs.Jobs(database, owner="process:bench")
    claimant = jobs.Claimant("process:bench", frozenset(), ("normal",), IN_FLIGHT)
    loop = asyncio.get_running_loop()
    claims: dict[int, asyncio.Future[int]] = {}
    numbers = iter(range(count))
    ended = 0

    def claim_of(job_id: int) -> asyncio.Future[int]:
        return claims.setdefault(job_id, loop.create_future())

    async def claim_loop() -> None:
        with database.bus.subscribe("jobs") as inbox:
            while ended < count:
                claimed = await database.write(jobs.claim, claimant)
                for assignment in claimed:
                    claim_of(assignment.job.id).set_result(assignment.job.fence)
                if not claimed:
                    await inbox.get(1.0)
                inbox.drain()

    async def one() -> None:
        nonlocal ended
        for number in numbers:
            job = await service.enqueue(jobs.Enqueue("bench.work", Payload(number), 1))
            fence = await claim_of(job.id)
            del claims[job.id]
            assert await service.complete(job.id, fence, jobs.Outcome("succeeded"))
            ended += 1

    claiming = asyncio.create_task(claim_loop())
    began, used = time.perf_counter(), cpu()
    await asyncio.gather(*(one() for _ in range(IN_FLIGHT)))
    took, used = time.perf_counter() - began, cpu() - used
    await claiming
    return count / took, used / count * 1e6


async def start_latency(database: Database, count: int) -> tuple[float, float]:
    """p50 and p99 of milliseconds from the call of enqueue to the first line of the handler, in process."""
    handlers = jobs.WorkerHandlers()
    started: dict[int, float] = {}

    @handlers.register("bench.quick", Payload)
    async def run(_context: jobs.JobContext, order: Payload) -> None:
        started[order.number] = time.perf_counter()

    service = jobs.Jobs(database, owner="process:bench-latency", on_worker=handlers)
    await service.start(slots=4)
    taken = []
    for number in range(count):
        asked = time.perf_counter()
        job = await service.enqueue(jobs.Enqueue("bench.quick", Payload(number), None))
        await service.wait(job.id, 10)
        taken.append((started[number] - asked) * 1000)
    await service.stop()
    return statistics.median(taken), sorted(taken)[int(len(taken) * 0.99)]


async def remote_latency(database: Database, count: int) -> float:
    """p50 of milliseconds from enqueue to running on a worker of another process, over a real WebSocket."""
    import uvicorn
    from litestar import Litestar
    from litestar.datastructures import State

    from quarterdeck.fleet.workers import WorkerControl, enrol
    from quarterdeck.identity.model import Organization
    from quarterdeck.surfaces.shared.worker_control import worker_control

    def admitted(tx: Tx) -> str:
        organization = Organization(
            uid=tx.ids.uid(), ref=tx.ids.ref("org"), name="Bench", slug=tx.ids.text(8), created_at=tx.now
        )
        tx.add(organization)
        return enrol(tx, organization.id, "bench", ["bench"])[1].reveal()

    seen: dict[int, float] = {}
    jobs.kinds.register(
        jobs.JobKind(
            "bench.remote", Payload, record=lambda _tx, _job, _kind, data: seen.__setitem__(data["number"], data["at"])
        )
    )
    token = await database.write(admitted)
    service = jobs.Jobs(database, owner="process:bench-remote")
    await service.start(worker=False)
    app = Litestar([worker_control], state=State({"workers": WorkerControl(service)}), openapi_config=None)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="websockets-sansio", lifespan="off"))
    serving = asyncio.create_task(server._serve())  # noqa: SLF001 - without its signal handlers
    while not server.started:  # noqa: ASYNC110 - uvicorn sets no event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    program = Path(__file__).with_name("remote_worker.py")
    with tempfile.TemporaryDirectory() as directory:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, program, f"http://127.0.0.1:{port}", directory, env={**os.environ, "BENCH_TOKEN": token}
        )
        taken = []
        for number in range(count):
            asked = time.time()
            request = jobs.Enqueue("bench.remote", Payload(number), None, capabilities=frozenset({"bench"}))
            job = await service.enqueue(request)
            assert (await service.wait(job.id, 30)).state == "succeeded"
            if number >= 5:
                taken.append((seen[number] - asked) * 1000)
        worker.terminate()
        await worker.wait()
    await service.stop()
    server.should_exit = True
    await serving
    return statistics.median(taken)


def fill(database: Database, count: int) -> None:
    """Finished rows, made inside the database."""

    def many(tx: Tx, first: int, last: int) -> None:
        numbers = (
            f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "  # noqa: S608 - own words
            if tx.dialect == "sqlite"
            else f"WITH n AS (SELECT generate_series({first}, {last}) AS i) "
        )
        columns = (
            "uid, kind, state, lane, organization_id, subject, payload, requires, run_at, max_attempts, "
            "lease_seconds, created_at, finished_at, attempts, lapses, fence, report_number"
        )
        values = "'0-' || i, 'bench.work', 'succeeded', 1, 1, 'bench:' || i, '{}', '', i, 1, 30, i, i, 1, 0, 1, 0"
        filling = f"INSERT INTO jobs ({columns}) {numbers} SELECT {values} FROM n"  # noqa: S608 - own words
        tx.connection.exec_driver_sql(filling)

    for first in range(1, count + 1, 250_000):
        database.write_sync(many, first, min(first + 249_999, count))
    connection = database.engine.raw_connection()  # what filling left behind is not what is measured
    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)" if database.dialect == "sqlite" else "ANALYZE jobs")
    connection.commit()
    connection.close()


@asynccontextmanager
async def opened(kind: str) -> AsyncIterator[Database]:
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-") as directory:
        if kind == "sqlite":
            address: str | Path = Path(directory) / "bench.db"
            migrate(address)
            database = open_database(address)
            yield database
            await database.close()
            return
        from support.databases import postgresql_server

        with postgresql_server(Path(directory)) as server:
            subprocess.run(  # noqa: ASYNC221 - nothing else runs yet
                ["psql", f"{server}/postgres", "-qc", "ALTER SYSTEM SET fsync = on", "-c", "CREATE DATABASE bench",
                 "-c", "SELECT pg_reload_conf()"],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            migrate(f"{server}/bench")
            database = open_database(f"{server}/bench")
            yield database
            await database.close()


def keep(key: str, figure: float, unit: str, budget: float, *, lower_is_better: bool) -> bool:
    ratio = record(key, figure, unit, budget)["ratio"]
    return ratio <= 1 if lower_is_better else ratio >= 1


async def measure(kind: str, arguments: argparse.Namespace) -> bool:
    within = True
    async with opened(kind) as database:
        await throughput(database, 200)
        runs = [await throughput(database, arguments.jobs) for _ in range(3)]
        rate, used = statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)
        within &= keep(f"ledger.{kind}.jobs_per_second", rate, "jobs/s", 1000, lower_is_better=False)
        if kind == "sqlite":
            within &= keep("ledger.sqlite.cpu_per_job", used, "µs", 300, lower_is_better=True)
        else:
            print(f"     ledger.{kind}.cpu_per_job: {used:.0f} µs in this process")
        middle, slow = await start_latency(database, 300)
        within &= keep(f"ledger.{kind}.start_p50", middle, "ms", 10, lower_is_better=True)
        within &= keep(f"ledger.{kind}.start_p99", slow, "ms", 100, lower_is_better=True)
        remote = await remote_latency(database, 60)
        within &= keep(f"ledger.{kind}.start_remote_p50", remote, "ms", 50, lower_is_better=True)
        if arguments.finished:
            fill(database, arguments.finished)
            rate, later = await throughput(database, arguments.jobs)
            middle_later, _ = await start_latency(database, 300)
            within &= keep(f"ledger.{kind}.cpu_growth_when_full", later / used, "times", 1.1, lower_is_better=True)
            within &= keep(
                f"ledger.{kind}.p50_growth_when_full", middle_later / middle, "times", 1.1, lower_is_better=True
            )
    return within


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--finished", type=int, default=0, help="measure again beside so many finished rows")
    arguments = parser.parse_args()
    within = [asyncio.run(measure(kind, arguments)) for kind in arguments.databases.split(",")]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
