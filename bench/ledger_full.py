"""Whether finished jobs slow the ledger down: an empty one and a full one, measured in turns.

    python bench/ledger_full.py [--databases sqlite,postgresql] [--finished 1000000] [--rounds 20] [--jobs 500]

The budget is 1.1 times at 10 million finished rows (`--finished 10000000`: about 5 GB of disk for each database, and
some minutes to fill). What else the machine does hits both ledgers alike, because they take turns; figures are
medians. CPU is that of this process, and on PostgreSQL of the server's processes too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

from filling import Filler, filling  # noqa: E402 - the paths come first
from ledger import cpu, starting, throughput  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first

from quarterdeck.kernel.db import Database, open_database  # noqa: E402 - the paths come first
from quarterdeck.kernel.db.migrate import migrate  # noqa: E402 - the paths come first
from support.databases import postgresql_server  # noqa: E402 - the paths come first
from support.deck_probe import family_seconds  # noqa: E402 - the paths come first

BUDGET = 1.1


@dataclass(frozen=True)
class Pair:
    """Two ledgers of one kind, and what the processor time of both is read from."""

    empty: Database
    full: Database
    used: Callable[[], float]


def fill(filler: Filler, count: int) -> None:
    filler.insert(
        "jobs",
        count,
        {
            "uid": filler.padded("00000000-0000-7000-8000-", 12),
            "kind": "'bench.work'",
            "state": "'succeeded'",
            "lane": "1",
            "organization_id": "1",
            "subject": filler.scattered("deployment:dep_"),
            "payload": """'{"number":1}'""",
            "requires": "''",
            "run_at": "1700000000000000 + n.i",
            "max_attempts": "1",
            "lease_seconds": "30",
            "owner": "'process:bench'",
            "created_at": "1700000000000000 + n.i",
            "started_at": "1700000000000000 + n.i",
            "finished_at": "1700000000000000 + n.i",
            "attempts": "1",
            "lapses": "0",
            "fence": "1",
            "report_number": "0",
        },
    )


@contextlib.contextmanager
def pair(kind: str, finished: int) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-") as directory:
        if kind == "sqlite":
            paths = [Path(directory) / "empty.db", Path(directory) / "full.db"]
            for path in paths:
                migrate(path)
            with filling(paths[1], "jobs") as filler:
                fill(filler, finished)
            yield Pair(*(open_database(path) for path in paths), used=cpu)
            return
        with postgresql_server(Path(directory)) as server:
            names = ["bench_empty", "bench_full"]
            settings = ["ALTER SYSTEM SET max_wal_size = '8GB'", *(f"CREATE DATABASE {name}" for name in names)]
            psql(server, *settings, "SELECT pg_reload_conf()")
            for name in names:
                migrate(f"{server}/{name}")
            with filling(f"{server}/bench_full", "jobs") as filler:
                fill(filler, finished)
            psql(server, "ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()")
            main = int((Path(directory) / "data" / "postmaster.pid").read_text().split()[0])
            yield Pair(
                *(open_database(f"{server}/{name}") for name in names), used=lambda: cpu() + family_seconds(main)
            )


def psql(server: str, *statements: str) -> None:
    said = [word for statement in statements for word in ("-c", statement)]
    subprocess.run(["psql", f"{server}/postgres", "-q", *said], check=True, stdout=subprocess.DEVNULL)


async def work(databases: Pair, rounds: int, count: int) -> list[tuple[float, float]]:
    """Microseconds of processor time for each job, of the empty and of the full ledger."""

    async def of(database: Database) -> float:
        before = databases.used()
        await throughput(database, count)
        return (databases.used() - before) / count * 1e6

    return await in_turns(rounds, lambda: of(databases.empty), lambda: of(databases.full))


async def start(databases: Pair, rounds: int) -> list[tuple[float, float]]:
    """Milliseconds from enqueue to running, job by job."""
    async with starting(databases.empty) as on_empty, starting(databases.full) as on_full:
        return await in_turns(rounds, on_empty, on_full)


async def in_turns(
    rounds: int, on_empty: Callable[[], Awaitable[float]], on_full: Callable[[], Awaitable[float]]
) -> list[tuple[float, float]]:
    figures: list[tuple[float, float]] = []
    for number in range(rounds + rounds // 5):
        if number % 2:
            empty, full = await on_empty(), await on_full()
        else:
            full, empty = await on_full(), await on_empty()
        figures.append((empty, full))
    return figures[rounds // 5 :]  # the first rounds warm up


async def measure(kind: str, arguments: argparse.Namespace) -> bool:
    began = time.monotonic()
    with pair(kind, arguments.finished) as databases:
        print(f"{kind}: {arguments.finished:,} finished rows, filled in {time.monotonic() - began:.0f} s", flush=True)
        within = True
        for name, unit, figures in (
            ("cpu_per_job", "µs", await work(databases, arguments.rounds, arguments.jobs)),
            ("start_p50", "ms", await start(databases, arguments.rounds * 15)),
        ):
            empty, full = (statistics.median(side) for side in zip(*figures, strict=True))
            print(f"     {kind}: {name} {empty:.2f} {unit} empty, {full:.2f} {unit} full")
            key = f"ledger.{kind}.{name}_growth_at_{arguments.finished // 1_000_000}M"
            within &= record(key, full / empty, "times", BUDGET)
        await databases.empty.close()
        await databases.full.close()
    return within


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=500)
    arguments = parser.parse_args()
    within = [asyncio.run(measure(kind, arguments)) for kind in arguments.databases.split(",")]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
