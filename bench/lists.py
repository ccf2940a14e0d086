"""List, show and count routes beside 100,000 rows of everything, at 100 requests a second, and whether size matters.

    python bench/lists.py [--databases sqlite,postgresql] [--rows 100000] [--seconds 40] [--rate 100]

Two real servers, one with few rows and one with many, are asked in turns of some seconds. `p99` is over all requests
to the large one. `growth` is how much more processor time (on PostgreSQL the database's included) the routes cost on
the large one than on the small one, asked one after the other. Counts are told apart: they count.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import httpx  # noqa: E402 - the paths come first
from crowd import PASSWORD, USER, Crowd, crowd  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first

from serving.process import Served, serving  # noqa: E402 - the paths come first
from support.databases import postgresql_server  # noqa: E402 - the paths come first
from support.deck_probe import family_seconds, run_seconds  # noqa: E402 - the paths come first

P99, GROWTH, FEW = 25.0, 1.25, 200
TURN, ROUNDS, EACH = 4.0, 4, 5
LISTS = (
    "projects", "environments", "resources", "deployments", "servers", "default-access-domain-policies",
    "environments?projectId={project}", "resources?projectId={project}", "resources?environmentId={environment}",
    "deployments?resourceId={resource}", "deployments?projectId={project}", "deployments?resourceId={busy}",
)  # fmt: skip
SHOWS = (
    "projects/{project}", "projects/{project}/delete-check", "environments/{environment}",
    "environments/{environment}/effective-precedence", "resources/{resource}", "resources/{resource}/effective-config",
    "resources/{resource}/secrets", "resources/{resource}/health", "resources/{resource}/runtime-logs",
    "servers/{server}", "deployments/{deployment}", "deployments/{deployment}/logs",
    "deployments/{deployment}/recovery-readiness", "deployments/{deployment}/events",
    "organizations/current-context", "providers",
)  # fmt: skip
COUNTS = (
    "projects/count", "environments/count", "resources/count", "deployments/count", "servers/count",
    "resources/count?projectId={project}", "deployments/count?resourceId={busy}",
)  # fmt: skip
PAGES = (
    "", "projects", "jobs", "jobs?state=failed", "jobs?state=succeeded", "audit", "audit?outcome=denied", "fleet",
)  # fmt: skip
GROUPS = {
    "lists": [f"/api/{one}" for one in (*LISTS, *SHOWS)],
    "counts": [f"/api/{one}" for one in COUNTS],
    "pages": [f"/console/{one}" for one in PAGES],
}


@dataclass
class Side:
    """One of the two servers, and what was measured of it."""

    client: httpx.AsyncClient
    rows: Crowd
    used: Callable[[], float]
    taken: dict[str, list[float]] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)

    def times(self, group: str) -> list[float]:
        return sorted(one for route in GROUPS[group] for one in self.taken.get(route, ()))

    def mean_cost(self, group: str) -> float:
        return statistics.mean(self.cost[route] for route in GROUPS[group])


async def ask(side: Side, route: str, *, keep: bool) -> None:
    address = side.rows.fill_in(route)
    began = time.perf_counter()
    answer = await side.client.get(address)
    if answer.status_code != 200:
        raise SystemExit(f"GET {address} answers {answer.status_code}: {answer.text[:300]}")
    if keep:
        side.taken.setdefault(route, []).append((time.perf_counter() - began) * 1000)


async def turn(side: Side, group: str, seconds: float, rate: int, *, keep: bool = True) -> None:
    """Requests of one group at a steady rate, whether or not those before were answered."""
    routes, running = GROUPS[group], []
    began, count = time.perf_counter(), int(seconds * rate)
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        running.append(asyncio.create_task(ask(side, routes[number % len(routes)], keep=keep)))
    await asyncio.gather(*running)


async def costs(sides: tuple[Side, Side]) -> None:
    """Milliseconds of processor time that each route takes, asked one after the other on both sides in turns."""
    for route in (one for group in GROUPS.values() for one in group):
        found: tuple[list[float], list[float]] = ([], [])
        for number in range(ROUNDS + 1):
            for side, figures in zip(sides, found, strict=True):
                before = side.used()
                for _ in range(EACH):
                    await ask(side, route, keep=False)
                if number:  # the first round warms up
                    figures.append((side.used() - before) / EACH * 1000)
        for side, figures in zip(sides, found, strict=True):
            side.cost[route] = statistics.median(figures)


async def compare(few: Side, many: Side, seconds: float, rate: int) -> None:
    for side in (few, many):
        await sign_in(side.client)
    await costs((few, many))
    for group, share in (("lists", 1.0), ("counts", 0.3), ("pages", 0.3)):
        pace = rate if group == "lists" else rate // 5  # a page is several reads
        turns = max(1, round(seconds * share / TURN))
        for _ in range(turns):
            for side in (few, many):
                await turn(side, group, TURN, pace)


async def sign_in(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/auth/login", json={"email": USER, "password": PASSWORD})
    answer.raise_for_status()
    client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"


def judge(kind: str, few: Side, many: Side) -> bool:
    print(f"     {'route':56} {'p50 few':>8} {'p50 many':>8} {'p99 many':>8} {'CPU few':>8} {'CPU many':>8} ms")
    for routes in GROUPS.values():
        for route in routes:
            small, large = sorted(few.taken[route]), sorted(many.taken[route])
            figures = (statistics.median(small), statistics.median(large), large[int(len(large) * 0.99)])
            told = (*figures, few.cost[route], many.cost[route])
            print(f"     {route:56} {' '.join(f'{one:8.1f}' for one in told)}")
    within = True
    for group in GROUPS:
        times, small = many.times(group), few.times(group)
        print(
            f"     {kind} {group}: p50 {statistics.median(times):.1f} ms, p99 {times[int(len(times) * 0.99)]:.1f} ms "
            f"(beside few rows {statistics.median(small):.1f} and {small[int(len(small) * 0.99)]:.1f} ms); "
            f"{few.mean_cost(group):.2f} and {many.mean_cost(group):.2f} ms of CPU a request"
        )
    for group in ("lists", "counts"):
        times = many.times(group)
        within &= record(f"lists.{kind}.{group}_p99", times[int(len(times) * 0.99)], "ms", P99)
    grown = many.mean_cost("lists") / few.mean_cost("lists")
    within &= record(f"lists.{kind}.lists_growth", grown, "times", GROWTH)
    return within


@contextlib.contextmanager
def served(directory: Path, address: str | None, rows: int) -> Iterator[tuple[Served, Crowd]]:
    """A server with so many rows of everything."""
    data = directory / f"data-{rows}"
    settings = {} if address is None else {"database_url": address}
    began = time.monotonic()
    filled = asyncio.run(crowd(data, address, rows))
    print(f"     {rows:,} rows of everything in {time.monotonic() - began:.0f} s", flush=True)
    with serving(data, **settings) as process:
        process.ready(60)
        yield process, filled
        process.stop()


def measure(kind: str, arguments: argparse.Namespace) -> bool:
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quarterdeck-bench-")))
        addresses: list[str | None] = [None, None]
        database = 0
        if kind == "postgresql":
            place = directory / "server"
            place.mkdir()
            directory.chmod(0o755)
            server = stack.enter_context(postgresql_server(place))
            database = int((place / "data" / "postmaster.pid").read_text().split()[0])
            for number, name in enumerate(("few", "many")):
                subprocess.run(["psql", f"{server}/postgres", "-qc", f"CREATE DATABASE {name}"], check=True)
                addresses[number] = f"{server}/{name}"

        def side(process: Served, rows: Crowd) -> Side:
            def used() -> float:
                return run_seconds(process.process.pid) + (family_seconds(database) if database else 0.0)

            limits = httpx.Limits(max_connections=50, max_keepalive_connections=50, keepalive_expiry=2)
            client = httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=30, limits=limits)
            return Side(client, rows, used)

        few = side(*stack.enter_context(served(directory, addresses[0], FEW)))
        many = side(*stack.enter_context(served(directory, addresses[1], arguments.rows)))
        asyncio.run(compare(few, many, arguments.seconds, arguments.rate))
        return judge(kind, few, many)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=40, help="for each side")
    parser.add_argument("--rate", type=int, default=100)
    arguments = parser.parse_args()
    random.seed(1)
    within = [measure(kind, arguments) for kind in arguments.databases.split(",")]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
