"""The job ledger: durable throughput, CPU for each job, and how soon work starts.

    python bench/ledger.py [--databases sqlite,postgresql] [--jobs 3000]

Each job is enqueued, claimed and completed; completing writes an event and an audit event in the same transaction.
SQLite runs with synchronous=FULL, PostgreSQL with fsync on.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
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


def subject() -> str:
    """What a job is about, in no order: as the references of deployments are."""
    return f"deployment:dep_{secrets.token_hex(8)[:15]}"


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
            job = await service.enqueue(jobs.Enqueue("bench.work", Payload(number), 1, subject=subject()))
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


@asynccontextmanager
async def starting(database: Database) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Gives what measures milliseconds from the call of enqueue to the first line of the handler, in process."""
    handlers = jobs.WorkerHandlers()
    started: list[float] = []

    @handlers.register("bench.quick", Payload)
    async def run(_context: jobs.JobContext, _order: Payload) -> None:
        started.append(time.perf_counter())

    service = jobs.Jobs(database, owner="process:bench-latency", on_worker=handlers)
    await service.start(slots=4)

    async def once() -> float:
        asked = time.perf_counter()
        job = await service.enqueue(jobs.Enqueue("bench.quick", Payload(0), None, subject=subject()))
        await service.wait(job.id, 10)
        return (started.pop() - asked) * 1000

    yield once
    await service.stop()


async def start_latency(database: Database, count: int) -> tuple[float, float]:
    """p50 and p99 of milliseconds until a job starts."""
    async with starting(database) as once:
        taken = [await once() for _ in range(count)]
    return statistics.median(taken), sorted(taken)[int(len(taken) * 0.99)]


async def remote_latency(database: Database, count: int) -> float:
    """p50 of milliseconds from enqueue to running on a worker of another process, over a real WebSocket."""
    import uvicorn
    from litestar import Litestar
    from litestar.datastructures import State

    from quarterdeck.fleet.workers import enrolment, papers, registration
    from quarterdeck.fleet.workers.control import WorkerControl
    from quarterdeck.fleet.workers.credentials import AccessTokens
    from quarterdeck.fleet.workers.papers import Papers
    from quarterdeck.fleet.workers.registration import Admitted, Registration
    from quarterdeck.identity.model import Organization
    from quarterdeck.kernel.vault import Secret
    from quarterdeck.surfaces.shared.worker_control import worker_control

    tokens = AccessTokens(Secret(b"the key of a measurement"))

    def admitted(tx: Tx) -> Admitted:
        organization = Organization(
            uid=tx.ids.uid(), ref=tx.ids.ref("org"), name="Bench", slug=tx.ids.text(8), created_at=tx.now
        )
        tx.add(organization)
        tx.flush()
        _, token = enrolment.create(tx, organization.id, ["bench"])
        return registration.register(tx, tokens, Registration(token))

    seen: dict[int, float] = {}
    jobs.kinds.register(
        jobs.JobKind(
            "bench.remote", Payload, record=lambda _tx, _job, _kind, data: seen.__setitem__(data["number"], data["at"])
        )
    )
    made = await database.write(admitted)
    service = jobs.Jobs(database, owner="process:bench-remote")
    await service.start(worker=False)
    app = Litestar([worker_control], state=State({"workers": WorkerControl(service, tokens)}), openapi_config=None)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="websockets-sansio", lifespan="off"))
    serving = asyncio.create_task(server._serve())  # noqa: SLF001 - without its signal handlers
    while not server.started:  # noqa: ASYNC110 - uvicorn sets no event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    program = Path(__file__).with_name("remote_worker.py")
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as directory:
        held = Papers(
            server=url,
            machine_id=made.worker.uid,
            access_token=made.access.reveal(),
            issued_at=made.worker.created_at,
            expires_at=made.expires_at,
        )
        papers.save(Path(directory), held)
        worker = await asyncio.create_subprocess_exec(sys.executable, program, url, directory)
        taken = []
        for number in range(count):
            asked = time.time()
            request = jobs.Enqueue(
                "bench.remote", Payload(number), made.worker.organization_id, capabilities=frozenset({"bench"})
            )
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


async def measure(kind: str, arguments: argparse.Namespace) -> bool:
    within = True
    async with opened(kind) as database:
        await throughput(database, 200)
        runs = [await throughput(database, arguments.jobs) for _ in range(3)]
        rate, used = statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs)
        within &= record(f"ledger.{kind}.jobs_per_second", rate, "jobs/s", 1000, at_least=True)
        if kind == "sqlite":
            within &= record("ledger.sqlite.cpu_per_job", used, "µs", 300)
        else:
            print(f"     ledger.{kind}.cpu_per_job: {used:.0f} µs in this process")
        middle, slow = await start_latency(database, 300)
        within &= record(f"ledger.{kind}.start_p50", middle, "ms", 10)
        within &= record(f"ledger.{kind}.start_p99", slow, "ms", 100)
        remote = await remote_latency(database, 60)
        within &= record(f"ledger.{kind}.start_remote_p50", remote, "ms", 50)
    return within


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--jobs", type=int, default=3000)
    arguments = parser.parse_args()
    within = [asyncio.run(measure(kind, arguments)) for kind in arguments.databases.split(",")]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
