"""What infrastructure jobs take on their way, over Terraform itself.

    python bench/provisioning.py [--jobs 40] [--plans 5] [--lines 40000]

A server, an enrolled runner and a foreign one that listens on its wake-up stream. Told are: from asking for a job to
having it, for a foreign runner that is woken; from a job's creation to its first report, for an enrolled one; how much
longer a plan takes than the same `terraform init` and `terraform plan` by hand, in turns; and how many lines of a
foreign runner are stored in a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "bench")]

import httpx  # noqa: E402 - the paths come first
from record import record  # noqa: E402 - the paths come first

from e2e.client import signed_in  # noqa: E402 - the paths come first
from e2e.infra.estate import Estate  # noqa: E402
from e2e.server import deck  # noqa: E402
from quarterdeck.infra.execution.commands import PASSED_ON  # noqa: E402
from quarterdeck.infra.execution.modules import template_files  # noqa: E402
from quarterdeck.infra.execution.rendering import variables  # noqa: E402
from surfaces.infra.foreign_runner import ForeignRunner  # noqa: E402

PAUSE = 0.4
"""Seconds between two jobs: each is on its way alone, longer than looks are put together for."""
CHUNK = 1000
"""Lines that a foreign runner sends at once."""
BUDGETS: dict[str, tuple[float, str, bool]] = {
    "provisioning.wake_to_claim_p50": (100, "ms", False),
    "provisioning.enqueue_to_running_p50": (50, "ms", False),
    "provisioning.plan_over_terraform": (1, "s", False),
    "provisioning.foreign_lines": (10_000, "lines/s", True),
}


async def woken(estate: Estate, jobs: int) -> float:
    """Milliseconds from asking for a job to having it, of a runner that claims when it is woken."""
    async with httpx.AsyncClient(base_url=estate.deck.url, timeout=60, trust_env=False) as client:
        runner, spec = registered(estate, client), estate.spec()
        heard = asyncio.Queue[dict[str, Any]]()

        async def listen() -> None:
            async for told in runner.wake():
                heard.put_nowait(told)

        listening = asyncio.create_task(listen())
        taken: list[float] = []
        await asyncio.sleep(1)  # until the stream is open
        for _ in range(jobs):
            while not heard.empty():
                heard.get_nowait()
            began = time.perf_counter()
            asking = asyncio.create_task(asyncio.to_thread(estate.ask, "PLAN", spec, assigned_worker_id=runner.id))
            job = None
            while job is None:
                await heard.get()
                job = await runner.claim()
            taken.append((time.perf_counter() - began) * 1000)
            await asking
            await runner.status(job["id"], "FAILED", "only measured")
            await asyncio.sleep(PAUSE)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return statistics.median(taken)


def registered(estate: Estate, client: httpx.AsyncClient) -> ForeignRunner:
    made = estate.ok("POST", "/api/cli/workers", {"name": estate.name("rack"), "mode": "self-hosted"})
    return ForeignRunner(client, made["worker_id"], made["worker_token"])


def started(estate: Estate, jobs: int) -> float:
    """Milliseconds from a job's creation to the first report of the enrolled runner, by the server's clock."""
    spec, taken = estate.spec(), []
    for _ in range(jobs):
        uid = estate.ask("PLAN", spec, assigned_worker_id=estate.fabric_id)
        job = estate.until(lambda uid=uid: (found := estate.job(uid))["started_at"] and found, lambda: "not started")
        at = [datetime.fromisoformat(job[name]) for name in ("created_at", "started_at")]
        taken.append((at[1] - at[0]).total_seconds() * 1000)
        estate.ended(uid)
        time.sleep(PAUSE)
    return statistics.median(taken)


def planned(estate: Estate, place: Path, plans: int) -> tuple[float, float]:
    """Seconds of a plan by a job, and by hand."""
    by_job, by_hand = [], []
    spec = estate.spec(queues=[{"name": f"queue-{number}"} for number in range(20)])
    for number in range(plans + 1):
        began = time.perf_counter()
        uid = estate.done("PLAN", spec, assigned_worker_id=estate.fabric_id)
        took = time.perf_counter() - began
        alone = terraform(place / str(number), estate.job(uid)["config_snapshot"])
        if number:  # the first one warms the disk
            by_job.append(took)
            by_hand.append(alone)
    return statistics.median(by_job), statistics.median(by_hand)


def terraform(place: Path, snapshot: dict[str, Any]) -> float:
    place.mkdir()
    for file in template_files("local"):
        shutil.copy(file, place)
    (place / "terraform.tfvars.json").write_text(json.dumps(variables(snapshot, None)))
    env = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    env |= {"HOME": str(place), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    if not Path(env.get("TF_CLI_CONFIG_FILE", "/nonexistent")).exists():
        env.pop("TF_CLI_CONFIG_FILE", None)
    began = time.perf_counter()
    for argv in (["init", "-input=false"], ["plan", "-input=false", "-out=plan.out"]):
        subprocess.run(["terraform", *argv, "-no-color"], cwd=place, env=env, check=True, capture_output=True)
    return time.perf_counter() - began


async def stored(estate: Estate, lines: int) -> float:
    """Lines of a foreign runner that are stored in a second; all of them are read again afterwards."""
    async with httpx.AsyncClient(base_url=estate.deck.url, timeout=60, trust_env=False) as client:
        runner = registered(estate, client)
        rates = []
        for _ in range(3):
            uid = estate.ask("PLAN", estate.spec(), assigned_worker_id=runner.id)
            assert await runner.claim()
            chunks = [
                "".join(
                    f"module.network.line_{at}: Creation complete after 1s [id=i-{at:012x}]\n" for at in range(CHUNK)
                )
            ] * (lines // CHUNK)
            began = time.perf_counter()
            for chunk in chunks:
                await runner.want(201, "POST", f"/api/jobs/{uid}/logs", json={"log_chunk": chunk})
            rates.append(lines / (time.perf_counter() - began))
            told = await asyncio.to_thread(everything, estate, uid)
            assert told == "".join(chunks), "lines were lost"
            await runner.status(uid, "FAILED", "only measured")
    return statistics.median(rates)


def everything(estate: Estate, uid: str) -> str:
    told, after = "", 0
    while logs := estate.ok("GET", f"/api/cli/jobs/{uid}/logs?after={after}")["logs"]:
        told += "".join(one["log_chunk"] for one in logs)
        after = logs[-1]["id"]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--plans", type=int, default=5)
    parser.add_argument("--lines", type=int, default=40_000)
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qd-bench-")))
        made = stack.enter_context(deck(home / "deck"))
        estate = Estate(made, stack.enter_context(signed_in(made)))
        stack.callback(estate.stop_fabric)
        figures["provisioning.wake_to_claim_p50"] = asyncio.run(woken(estate, arguments.jobs))
        figures["provisioning.foreign_lines"] = asyncio.run(stored(estate, arguments.lines))
        estate.start_fabric()
        figures["provisioning.enqueue_to_running_p50"] = started(estate, arguments.jobs // 2)
        by_job, by_hand = planned(estate, home, arguments.plans)
        print(f"a plan: {by_job:.2f} s by a job, {by_hand:.2f} s by hand")
        figures["provisioning.plan_over_terraform"] = by_job - by_hand
    good = [record(key, figures[key], unit, budget, at_least=least) for key, (budget, unit, least) in BUDGETS.items()]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
