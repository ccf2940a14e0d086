"""How long it takes to find the workflow of a request, in an organization with 1,000 rules.

    python bench/policies.py [--rules 1000] [--rounds 50]

A resolution is what a request costs beside being written: in one unit that writes, the version of the rules is asked
for, the first rule that fits is found, and its row and that of its workflow are read. Every second request is one that
no rule but the last fits. On the clock the best round counts, because a crowded machine only adds; in processor time
the median of the rounds. The first resolution after a rule was changed, which compiles them all anew, is told apart.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

from record import record  # noqa: E402 - the paths come first

from quarterdeck.broker.policies import resolving  # noqa: E402 - the paths come first
from quarterdeck.broker.policies.compiling import Compiled  # noqa: E402 - the paths come first
from quarterdeck.broker.policies.facts import Facts  # noqa: E402 - the paths come first
from quarterdeck.broker.workflows import versions  # noqa: E402 - the paths come first
from quarterdeck.kernel.db import Database, Tx, open_database  # noqa: E402 - the paths come first
from support import broker_rows as rows  # noqa: E402 - the paths come first
from support.databases import fresh_database, postgresql_server, server_directory  # noqa: E402 - the paths come first

BUDGET, EACH = 2.0, 100
PROVIDERS = ("vault", "aws-sm", "kubernetes", "file")


def fill(tx: Tx, count: int) -> int:
    """So many rules, all alike in form: environment, provider and prefix of a reference. Answers the organization."""
    place = rows.organization(tx)
    flows = [rows.workflow(tx, f"flow {number}") for number in range(20)]
    for number in range(count):
        selector = {
            "environment": f"env-{number % 50}",
            "provider_type": PROVIDERS[number % len(PROVIDERS)],
            "secret_ref_prefix": f"team-{number}/",
        }
        rows.policy(tx, f"rule {number}", selector, flows[number % len(flows)], priority=100 + number)
    return place.id


def asked(organization: int, count: int, number: int) -> Facts:
    """About any of the rules, or about none: then the last one of all is what fits."""
    which = random.randrange(count) if number % 2 else count  # noqa: S311
    return Facts(
        organization_id=organization,
        project_id=None,
        project_uid=None,
        environment=f"env-{which % 50}",
        environment_kind="staging",
        provider_type=PROVIDERS[which % len(PROVIDERS)],
        secret_ref=f"team-{which}/password",
        operation="read",
    )


def resolve(tx: Tx, facts: Facts) -> tuple[float, float, str]:
    """Milliseconds on the clock and of processor time, and the rule."""
    began, cpu = time.perf_counter(), time.thread_time()
    found = resolving.resolve(tx, facts)
    name = found.policy.name if found.policy else ""
    return (time.perf_counter() - began) * 1000, (time.thread_time() - cpu) * 1000, name


def measure(kind: str, database: Database, arguments: argparse.Namespace) -> bool:
    organization = database.write_sync(fill, arguments.rules)
    database.write_sync(resolve, asked(organization, arguments.rules, 0))
    clock: list[list[float]] = []
    cpu: list[list[float]] = []
    fits, after = 0, []
    for _ in range(arguments.rounds):
        found = [database.write_sync(resolve, asked(organization, arguments.rules, number)) for number in range(EACH)]
        clock.append(sorted(one[0] for one in found))
        cpu.append(sorted(one[1] for one in found))
        fits += sum(one[2].startswith("rule ") for one in found)
    for number in range(20):
        database.write_sync(versions.renew, organization)
        after.append(database.write_sync(resolve, asked(organization, arguments.rules, number))[0])
    late = int(EACH * 0.99)
    every = sorted(one for taken in clock for one in taken)
    middle, worst = statistics.median(every), every[int(len(every) * 0.99)]
    print(f"     {kind}: {fits} of {len(every)} by a rule of their own; p50 {middle:.3f} ms, p99 {worst:.3f} ms")
    print(f"     {kind}: the first after a change {statistics.median(after):.1f} ms")
    within = record(f"policies.{kind}.resolve_p99", min(taken[late] for taken in clock), "ms", BUDGET)
    worked = statistics.median(taken[late] for taken in cpu)
    return record(f"policies.{kind}.resolve_cpu_p99", worked, "ms", BUDGET) and within


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=50)
    arguments = parser.parse_args()
    random.seed(1)
    good = True
    with server_directory() as place, postgresql_server(place) as server:
        for kind in ("sqlite", "postgresql"):
            with (
                tempfile.TemporaryDirectory(prefix="quarterdeck-bench-") as directory,
                fresh_database(kind, Path(directory), server if kind == "postgresql" else None) as address,
            ):
                database = open_database(address, parts=[Compiled()])
                try:
                    good &= measure(kind, database, arguments)
                finally:
                    database.close_sync()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
