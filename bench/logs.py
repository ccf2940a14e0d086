"""Log lines stored in a second, and how soon a batch reaches 100 followers.

    python bench/logs.py [--postgresql [URL]] [--no-record]

On SQLite, or on the migrated database of the URL; without a URL PostgreSQL is started for the time of the run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from record import record

from quarterdeck.kernel.db.migrate import migrate
from quarterdeck.kernel.logs import Batch, Line, Logs
from support.databases import postgresql_server

STREAM = "deployment:dep_bench"
LINES = 100_000
FOLLOWERS = 100
STREAMS = 4


def lines(count: int) -> list[Line]:
    now = datetime.now(UTC)
    text = "#12 3.456 Collecting a-package-of-usual-length==1.2.3 (from -r requirements.txt (line %d))"
    return [Line(now, "application", "stdout", "package", "info", text % number) for number in range(count)]


async def stored_in_a_second(logs: Logs) -> float:
    for number in range(STREAMS):
        logs.mask(f"{STREAM}{number}", [f"a-secret-value-{n}-{number}" for n in range(10)])
    chunk = lines(100)
    begun = time.perf_counter()
    for round_ in range(LINES // 100):
        logs.append(f"{STREAM}{round_ % STREAMS}", chunk)
        if round_ % 20 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*(logs.store(f"{STREAM}{number}", lines(1)) for number in range(STREAMS)))
    elapsed = time.perf_counter() - begun
    heads = [(await logs.state(f"{STREAM}{number}")).head for number in range(STREAMS)]
    assert sum(heads) % (LINES + STREAMS) == 0, f"{heads}: lines were dropped"
    return LINES / elapsed


async def out_to_followers(logs: Logs) -> list[float]:
    """Milliseconds from `append` until the last of 100 followers has the encoded batch, under 2,000 lines/s."""
    stream = STREAM + "-followed"
    sent: dict[int, float] = {}
    got: dict[int, int] = {}
    out: list[float] = []
    ready = asyncio.Event()
    waiting = FOLLOWERS

    async def follow() -> None:
        nonlocal waiting
        async for item in logs.follow(stream):
            if not isinstance(item, Batch):
                continue
            item.encoded("json", msgspec.json.encode)
            if item.first == 1:
                waiting -= 1
                if not waiting:
                    ready.set()
            for line in item.lines:
                if line.number in sent:
                    got[line.number] = got.get(line.number, 0) + 1
                    if got[line.number] == FOLLOWERS:
                        out.append((time.perf_counter() - sent[line.number]) * 1000)

    followers = [asyncio.create_task(follow()) for _ in range(FOLLOWERS)]
    await asyncio.sleep(0.5)
    await logs.store(stream, lines(1))
    await ready.wait()
    number = 1
    for _ in range(60):
        number += 100
        sent[number] = time.perf_counter()
        logs.append(stream, lines(100))
        await asyncio.sleep(0.05)
    await logs.close(stream)
    await asyncio.gather(*followers)
    return out


async def measure(address: str | Path) -> tuple[float, float, float]:
    logs = Logs(address)
    try:
        rates = [await stored_in_a_second(logs) for _ in range(3)]
        out = sorted(await out_to_followers(logs))
    finally:
        await logs.shut()
    assert len(out) == 60
    return statistics.median(rates), statistics.median(out), out[int(len(out) * 0.99)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgresql", nargs="?", const="", metavar="URL")
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    name = "sqlite" if options.postgresql is None else "postgresql"
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quarterdeck-bench-")))
        address: str | Path = options.postgresql or directory / "logs.db"
        if options.postgresql == "":
            address = f"{stack.enter_context(postgresql_server(directory))}/postgres"
            migrate(address)
        rate, middle, worst = asyncio.run(measure(address))
    print(f"{name}: {rate:.0f} lines/s stored; 100 followers: p50 {middle:.1f} ms, p99 {worst:.1f} ms")
    if not options.no_record:
        within = [
            record(f"logs.{name}.stored", rate, "lines/s", 20_000, at_least=True),
            record(f"logs.{name}.out_p99", worst, "ms", 100),
        ]
        sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
