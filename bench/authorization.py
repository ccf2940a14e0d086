"""What the decision who may do what adds to a request, in an organization with 10,000 grants.

    python bench/authorization.py [--grants 10000] [--rounds 30]

`decide` is asked in the process, of any permission for any of 2,000 people. Over HTTP two routes
that do nothing are asked in turns, over a connection that stays open: one takes whoever is signed in, the other wants
a permission. What the second costs more is what authorization adds: in processor time of the server's threads, and on
the clock, where the best round counts because a crowded machine only adds. `after_change` is processor time of the
first request after somebody was given a role, which makes the snapshot of all grants anew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import http.client
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import structlog  # noqa: E402 - the paths come first
import uvicorn  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first
from sqlalchemy import insert, select  # noqa: E402 - the paths come first

from quarterdeck.access import grants  # noqa: E402 - the paths come first
from quarterdeck.access.catalogue import CATALOGUE  # noqa: E402 - the paths come first
from quarterdeck.access.model import Grant, Role, RolePermission  # noqa: E402 - the paths come first
from quarterdeck.app import application  # noqa: E402 - the paths come first
from quarterdeck.identity import signing_in  # noqa: E402 - the paths come first
from quarterdeck.instance import Instance  # noqa: E402 - the paths come first
from quarterdeck.kernel.db import Tx  # noqa: E402 - the paths come first
from quarterdeck.kernel.http.application import build  # noqa: E402 - the paths come first
from quarterdeck.kernel.http.endpoint import route  # noqa: E402 - the paths come first
from quarterdeck.kernel.principal import Principal  # noqa: E402 - the paths come first
from quarterdeck.kernel.settings_reading import load  # noqa: E402 - the paths come first
from quarterdeck.kernel.vault import Secret  # noqa: E402 - the paths come first
from support.deck_probe import free_port  # noqa: E402 - the paths come first

BUDGET = 0.3
USER, PASSWORD = "ada@example.com", "correct horse battery staple"
FAMILIES = ("organization", "tasks", "runbooks", "broker")
CUSTOM, CARRIED, EACH = 50, 40, 200
PERMISSION = "deploy:projects.list"
FREE, BOUND = "/api/bench/signed-in", "/api/bench/permitted"


@route("GET", FREE, permission="authenticated")
async def signed_in() -> dict[str, str]:
    """Takes whoever is signed in."""
    return {}


@route("GET", BOUND, permission=PERMISSION)
async def permitted() -> dict[str, str]:
    """Wants a permission."""
    return {}


def fill(tx: Tx, count: int) -> int:
    """So many grants of the first organization, a fifth of roles that people made. Answers the organization."""
    organization = int(tx.execute(select(Grant.organization_id).limit(1)).scalar_one())
    keys = sorted(CATALOGUE)
    made = [
        tx.add(
            Role(uid=tx.ids.uid(), key=f"custom:{number}", family="custom", organization_id=organization,
                 name=f"Role {number}", created_at=tx.now, updated_at=tx.now)
        ) for number in range(CUSTOM)
    ]  # fmt: skip
    tx.session.flush()
    carried = [{"role_id": role.id, "permission": key} for role in made for key in random.sample(keys, CARRIED)]
    tx.execute(insert(RolePermission), carried)
    built_in = [[one.key for one in tx.scalars(select(Role).where(Role.family == family))] for family in FAMILIES]
    ways = [*built_in, [role.key for role in made]]
    given = [
        {"uid": tx.ids.uid(), "user_id": 1_000 + number // len(ways), "organization_id": organization, "project_id": 0,
         "role": random.choice(ways[number % len(ways)]), "scope": "", "created_at": tx.now}  # noqa: S311
        for number in range(count - 1)
    ]  # fmt: skip
    tx.execute(insert(Grant), given)
    return organization


def decided(instance: Instance, organization: int, people: int) -> list[float]:
    """Milliseconds of processor time of single decisions."""
    permissions, decide = sorted(CATALOGUE), instance.access.decide
    found, allowed = [], 0
    for _ in range(50_000):
        who = 1_000 + random.randrange(people)  # noqa: S311
        principal = Principal("user", who, "uid", "somebody", organization)
        permission = random.choice(permissions)  # noqa: S311
        began = time.thread_time_ns()
        decision = decide(principal, permission)
        found.append((time.thread_time_ns() - began) / 1e6)
        allowed += decision.allowed
    print(f"     {len(found):,} decisions, {allowed / len(found):.0%} of them yes")
    return sorted(found)


@contextlib.contextmanager
def served(instance: Instance) -> Iterator[int]:
    """The frame of the program with the two routes, on a socket of its own; the loop runs in a thread."""
    frame = dataclasses.replace(application(instance, lifespan=False).state["frame"], per_address=None)
    app = build([signed_in, permitted], dataclasses.replace(frame, per_credential=None))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()


class Client:
    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"authorization": f"Bearer {token}"}

    def ask(self, path: str) -> float:
        """Milliseconds on the clock."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET {path} answers {answer.status}: {said[:300]!r}")
        return (time.perf_counter() - began) * 1000

    def turn(self, path: str, count: int) -> tuple[float, list[float]]:
        """Milliseconds of the server's processor time for each request, and on the clock."""
        before = time.process_time() - time.thread_time()
        taken = [self.ask(path) for _ in range(count)]
        return (time.process_time() - time.thread_time() - before) / count * 1000, taken


def over_http(client: Client, rounds: int) -> tuple[float, float]:
    """What the permission adds: processor time (median of rounds), and on the clock between the best rounds."""
    added: list[float] = []
    clock: dict[str, list[list[float]]] = {FREE: [], BOUND: []}
    for number in range(rounds + 1):
        cost = {}
        for path in (FREE, BOUND) if number % 2 else (BOUND, FREE):
            cost[path], taken = client.turn(path, EACH)
            clock[path].append(sorted(taken))
        if number:  # the first round warms up
            added.append(cost[BOUND] - cost[FREE])
    for path, turns in clock.items():
        every = sorted(one for taken in turns for one in taken)
        print(f"     {path}: p50 {statistics.median(every):.3f} ms, p99 {every[int(len(every) * 0.99)]:.3f} ms")
    best = {path: min(statistics.median(taken) for taken in turns) for path, turns in clock.items()}
    late = {path: min(taken[int(len(taken) * 0.99)] for taken in turns) for path, turns in clock.items()}
    print(f"     best rounds: p50 {best[BOUND] - best[FREE]:+.3f} ms, p99 {late[BOUND] - late[FREE]:+.3f} ms")
    return statistics.median(added), best[BOUND] - best[FREE]


def after_change(instance: Instance, client: Client, organization: int) -> float:
    """Milliseconds of the server's processor time for a request that has to make the snapshot anew, above others."""
    found = []
    for number in range(20):
        instance.db.write_sync(grants.give, instance.access, 900 + number, organization, "organization:viewer")
        found.append(client.turn(BOUND, 1)[0] - client.turn(BOUND, 1)[0])
    return statistics.median(found)


def measure(directory: Path, arguments: argparse.Namespace) -> bool:
    instance = Instance.open(load({"data_dir": directory, "no_edge": True, "no_worker": True, "log_level": "error"}))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # a line for each request costs more

    async def first() -> str:
        given = {"email": USER, "username": None, "display_name": "Ada", "password": Secret(PASSWORD)}
        await signing_in.create_first_administrator(instance.db, instance.access, **given)
        signed = await signing_in.sign_in(
            instance.db, instance.attempts, USER, Secret(PASSWORD), kinds=("session",), client_kind="web"
        )
        return instance.signer.sign(signed.tokens["session"])

    token = asyncio.run(first())
    organization = instance.db.write_sync(fill, arguments.grants)
    instance.access.changed()
    try:
        asyncio.run(instance.access.ready(instance.db))
        times = decided(instance, organization, arguments.grants // (len(FAMILIES) + 1))
        with served(instance) as port:
            client = Client(port, token)
            added, clock = over_http(client, arguments.rounds)
            anew = after_change(instance, client, organization)
    finally:
        asyncio.run(instance.close())
    print(f"     decide: p50 {statistics.median(times) * 1000:.2f} µs; the first after a change: {anew:.1f} ms")
    within = record("authorization.decide_p99", times[int(len(times) * 0.99)], "ms", BUDGET)
    within &= record("authorization.http_cpu", added, "ms", BUDGET)
    return record("authorization.http_p50", clock, "ms", BUDGET) and within


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grants", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    random.seed(1)
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-") as directory:
        sys.exit(0 if measure(Path(directory) / "data", parser.parse_args()) else 1)


if __name__ == "__main__":
    main()
