"""The audit trail beside a million events: every list over every surface, at a steady pace.

    python bench/audit.py [--databases sqlite,postgresql] [--events 1000000] [--seconds 30] [--rate 50]

One real server with so many events of one organization, by 200 people in 50 actions about 5,000 things over 300 days,
and a tenth as many of another organization. `lists_p99` is over all lists over the APIs but those that look for words,
which no index does: these and pages of the console are told apart, without a budget. `cpu` is processor time for a
request, on PostgreSQL the database's included, asked one after the other: it means something on a crowded machine too,
and `lists_cpu_p99` is over all lists.
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
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import httpx  # noqa: E402 - the paths come first
from filling import Filler, filling  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first

from quarterdeck.identity import signing_in  # noqa: E402 - the paths come first
from quarterdeck.instance import Instance  # noqa: E402 - the paths come first
from quarterdeck.kernel.settings_reading import load  # noqa: E402 - the paths come first
from quarterdeck.kernel.vault import Secret  # noqa: E402 - the paths come first
from serving.process import serving  # noqa: E402 - the paths come first
from support.databases import postgresql_server  # noqa: E402 - the paths come first
from support.deck_probe import run_seconds  # noqa: E402 - the paths come first

P99 = 25.0
USER, PASSWORD = "ada@example.com", "correct horse battery staple"
ACTIONS, PEOPLE, THINGS, DAYS = 50, 200, 5_000, 300
DAY = 86_400_000_000
LISTS = (
    "/api/audit-events?aggregateId={thing}",
    "/api/audit-events?aggregateId={thing}&eventType={action}",
    "/api/audit-events/export?aggregateId={thing}",
    "/api/audit-events/export-global?from={day}T00:00:00Z&to={next}T00:00:00Z",
    "/api/audit",
    "/api/audit?cursor={id}",
    "/api/audit?action={action}",
    "/api/audit?user_id={person}",
    "/api/audit?user_id={person}&action={action}",
    "/api/audit?username=person_{person}",
    "/api/audit?username=nobody",
    "/api/audit?date_from={day}&date_to={day}",
    "/api/audit/filters",
    "/api/admin/audit-logs",
    "/api/admin/audit-logs?actorId={person}",
    "/api/admin/audit-logs?action={action}",
    "/api/admin/audit-logs?targetType=thing&targetId={thing}",
    "/api/admin/audit-logs?targetType=nothing",
    "/api/admin/audit-logs?actorId={person}&from={day}&to={day}",
    "/api/v1/audit-events",
    "/api/v1/audit-events?action={action}",
    "/api/v1/audit-events?resource=thing:{thing}",
    "/api/v1/audit-events?actor=system&action={action}",
    "/api/v1/audit-events?correlation_id={correlation}",
    "/api/v1/audit-events?since={day}T00:00:00Z&until={day}T06:00:00Z",
)
APART = (
    "/console/audit?outcome=denied",
    "/console/audit?action=bench.action-1",
    "/api/audit?search=nowhere&user_id={person}",
    "/api/audit?search=nowhere",
)


async def opened(data: Path, address: str | None) -> tuple[Path | str, int]:
    """A migrated installation with its administrator; answers its database and organization."""
    settings = load(
        {
            "data_dir": data,
            "database_url": None if address is None else Secret(address),
            "no_edge": True,
            "log_level": "error",
        }
    )
    instance = Instance.open(settings)
    try:
        await signing_in.create_first_administrator(
            instance.db, instance.access, email=USER, username=None, display_name="Ada", password=Secret(PASSWORD)
        )
        row = await instance.db.read(lambda tx: tx.execute("SELECT MIN(id) FROM identity_organizations").scalar())
        return (data / "quarterdeck.db" if address is None else address), int(row)
    finally:
        await instance.close()


def filled(address: Path | str, organization: int, count: int) -> int:
    """The events, and the tallies that the sealer would have kept. Answers the first id."""
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    with filling(address, "audit_events", "audit_tallies") as bulk:
        first = int(str(bulk.run("SELECT MAX(id) FROM audit_events")[0][0])) + 1
        for owner, share in ((organization, count), (organization + 1_000, count // 10)):
            bulk.insert("audit_events", share, values(bulk, owner, now - DAYS * DAY, DAYS * DAY // count))
        bulk.run("DELETE FROM audit_tallies")
        bulk.run(
            'INSERT INTO audit_tallies (organization_id, action, actor_kind, actor_id, actor_label, "count") '
            "SELECT organization_id, action, actor_kind, actor_id, actor_label, COUNT(*) FROM audit_events "
            "WHERE organization_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5"
        )
    return first


def values(bulk: Filler, owner: int, start: int, apart: int) -> dict[str, str]:
    turned = "((n.i * 7919) % 1000003)"
    unique = bulk.padded(f"{owner:08d}-0000-7000-8000-", 12)
    return {
        "uid": unique, "ref": bulk.padded("aud_" if owner < 1_000 else "aux_", 12), "organization_id": str(owner),
        "at": f"{start} + n.i * {apart}", "actor_kind": "'user'", "actor_id": f"1 + {turned} / {ACTIONS} % {PEOPLE}",
        "actor_label": f"'person_' || (1 + {turned} / {ACTIONS} % {PEOPLE})",
        "action": f"'bench.action-' || ({turned} % {ACTIONS})",
        "resource_type": "'thing'", "resource_id": f"'thing_' || ({turned} % {THINGS})",
        "aggregate_id": f"'thing_' || ({turned} % {THINGS})",
        "outcome": f"CASE WHEN {turned} % 500 = 0 THEN 'denied' ELSE 'success' END", "request_id": "'req_bench'",
        "correlation_id": unique, "address": "'198.51.100.7'",
        "detail": "'{\"name\":\"a name of usual length\",\"number\":12,\"before\":\"x\",\"after\":\"y\"}'",
    }  # fmt: skip


Figures = tuple[dict[str, list[float]], dict[str, list[float]]]
EACH, FEW = 40, 5


def with_children(pid: int) -> float:
    """Processor time of a process and its children, without looking at all that the machine runs."""
    total = run_seconds(pid)
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        total += run_seconds(int(child))
    return total


async def turns(
    url: str, seconds: float, rate: int, first: int, count: int, organization: int, used: Callable[[], float]
) -> Figures:
    taken: dict[str, list[float]] = {route: [] for route in (*LISTS, *APART)}
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=50, keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, limits=limits) as client:
        answer = await client.post("/api/auth/login", json={"email": USER, "password": PASSWORD})
        answer.raise_for_status()
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"

        async def ask(route: str, *, keep: bool = True) -> None:
            number = random.randrange(count)  # noqa: S311
            day = datetime.now(UTC).date() - timedelta(days=random.randrange(1, DAYS))  # noqa: S311
            address = route.format(
                thing=f"thing_{number % THINGS}", action=f"bench.action-{number % ACTIONS}", id=first + number,
                person=1 + number % PEOPLE, day=day, next=day + timedelta(days=1),
                correlation=f"{organization:08d}-0000-7000-8000-{number + 1:012d}",
            )  # fmt: skip
            began = time.perf_counter()
            answer = await client.get(address)
            if answer.status_code != 200:
                raise SystemExit(f"GET {address} answers {answer.status_code}: {answer.text[:300]}")
            if keep:
                taken[route].append((time.perf_counter() - began) * 1000)

        cost: dict[str, list[float]] = {route: [] for route in taken}
        for route in (*LISTS, *APART):
            await ask(route, keep=False)
            for _ in range(EACH if route in LISTS else FEW):
                before = used()
                await ask(route, keep=False)
                cost[route].append((used() - before) * 1000)
        running = []
        began = time.perf_counter()
        for number in range(int(seconds * rate)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            running.append(asyncio.create_task(ask(LISTS[number % len(LISTS)])))
        await asyncio.gather(*running)
        for route in APART * 3:
            await ask(route)
    return taken, cost


def measure(kind: str, arguments: argparse.Namespace) -> bool:
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quarterdeck-bench-")))
        address: str | None = None
        database_pid = 0
        if kind == "postgresql":
            place = directory / "server"
            place.mkdir()
            directory.chmod(0o755)
            server = stack.enter_context(postgresql_server(place))
            subprocess.run(["psql", f"{server}/postgres", "-qc", "CREATE DATABASE trail"], check=True)
            address = f"{server}/trail"
            database_pid = int((place / "data" / "postmaster.pid").read_text().split()[0])
        data = directory / "data"
        began = time.monotonic()
        database, organization = asyncio.run(opened(data, address))
        first = filled(database, organization, arguments.events)
        print(f"     {arguments.events:,} events in {time.monotonic() - began:.0f} s", flush=True)
        process = stack.enter_context(serving(data, **({} if address is None else {"database_url": address})))
        process.ready(60)

        def used() -> float:
            return run_seconds(process.process.pid) + (with_children(database_pid) if database_pid else 0.0)

        taken, cost = asyncio.run(
            turns(process.url, arguments.seconds, arguments.rate, first, arguments.events, organization, used)
        )
        process.stop()
    return judge(kind, taken, cost)


def judge(kind: str, taken: dict[str, list[float]], cost: dict[str, list[float]]) -> bool:
    for route, times in taken.items():
        ordered = sorted(times)
        print(
            f"     {route:76} p50 {statistics.median(ordered):8.1f} p99 {ordered[int(len(ordered) * 0.99)]:8.1f}, "
            f"cpu {statistics.median(cost[route]):6.1f} ms"
        )
    every = sorted(one for route in LISTS for one in taken[route])
    print(f"     {kind}: {len(every)} requests, p50 {statistics.median(every):.1f} ms")
    dear = sorted(one for route in LISTS for one in cost[route])
    print(f"     {kind}: {len(dear)} requests one after the other, {statistics.median(dear):.1f} ms of processor time")
    within = record(f"audit.{kind}.lists_cpu_p99", dear[int(len(dear) * 0.99)], "ms", P99)
    return record(f"audit.{kind}.lists_p99", every[int(len(every) * 0.99)], "ms", P99) and within


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=int, default=50)
    arguments = parser.parse_args()
    random.seed(1)
    within = [measure(kind, arguments) for kind in arguments.databases.split(",")]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
