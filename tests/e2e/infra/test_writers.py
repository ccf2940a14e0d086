"""One writer for each state, whoever tries: the real Terraform against the real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from e2e.infra.estate import CONFIGURATIONS, Estate
from e2e.infra.workshop import Workshop
from support.terraform import SLOW, Terraform, ended

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge]


@dataclass
class Bench:
    """A job that changes things and is held by a foreign runner, whose programs all show the same credential."""

    estate: Estate
    runner: Workshop
    spec: str
    job: str
    password: str
    directory: Path

    async def terraform(self, name: str) -> Terraform:
        made = Terraform(self.directory / name, self.estate.deck.url, self.job, self.password)
        made.write(SLOW % name)
        ran = await made.run("init")
        assert ran.status == 0, ran.text
        return made


@contextlib.asynccontextmanager
async def begun(terraform: Terraform) -> AsyncIterator[asyncio.subprocess.Process]:
    """An apply that has the lock, and waits in the middle of its work."""
    process = await terraform.begin("apply", "-auto-approve")
    try:
        async with asyncio.timeout(60):
            while not (terraform.place / "begun").exists():
                assert process.returncode is None, await ended(process)
                await asyncio.sleep(0.02)
        yield process
    finally:
        (terraform.place / "go").touch()
        if process.returncode is None:
            await ended(process)


@pytest.fixture
async def bench(estate: Estate, tmp_path: Path) -> AsyncIterator[Bench]:
    async with httpx.AsyncClient(base_url=estate.deck.url, timeout=60, trust_env=False) as client:
        made = estate.ok("POST", "/api/cli/workers", {"name": estate.name("rack"), "mode": "self-hosted"})
        runner = Workshop(client, made["worker_id"], made["worker_token"])
        spec = estate.spec()
        uid = estate.ask("DEPLOY", spec, assigned_worker_id=runner.id)
        assert await runner.claim()
        await runner.status(uid, "PROCESSING")
        said = await runner.want(200, "POST", f"/api/jobs/{uid}/state-token")
        yield Bench(estate, runner, spec, uid, said["password"], tmp_path)
        if estate.job(uid)["status"] == "PROCESSING":
            await runner.status(uid, "SUCCESS")


async def test_of_two_that_apply_at_once_the_second_is_told_who_has_the_lock_or_waits_for_it(bench):
    first, second, third = [await bench.terraform(name) for name in ("first", "second", "third")]
    async with begun(first) as process:
        refused = await second.apply()
        assert refused.status == 1
        assert "Error acquiring the state lock" in refused.text
        assert "OperationTypeApply" in refused.text
        lock = bench.estate.kept(bench.spec)["lock"]
        assert (lock["job_id"], lock["operation"]) == (bench.job, "OperationTypeApply")
        waiting = await third.begin("apply", "-auto-approve", "-lock-timeout=60s")
        (third.place / "go").touch()
        assert waiting.stdout is not None
        async with asyncio.timeout(60):
            while b"Acquiring state lock" not in await waiting.stdout.readline():
                pass
        (first.place / "go").touch()
        ran = await ended(process)
        assert ran.status == 0, ran.text
        ran = await ended(waiting)
        assert ran.status == 0, ran.text
    versions = bench.estate.versions(bench.spec)
    serials = [one["serial"] for one in versions]
    assert serials == sorted(set(serials), reverse=True), "none was written over"
    assert bench.estate.kept(bench.spec)["lock"] is None


async def test_whose_lock_was_taken_away_writes_no_more_and_keeps_what_it_made(bench):
    estate, old = bench.estate, await bench.terraform("old")
    async with begun(old) as process:
        path = f"{CONFIGURATIONS}/{bench.spec}/state/unlock"
        assert estate.call("POST", path, {}).status_code == 400, "it needs a reason"
        estate.ok("POST", path, {"reason": "It hung."})
        new = await bench.terraform("new")
        (new.place / "go").touch()
        ran = await new.apply()
        assert (ran.status, "state_lock_lost" in ran.text) == (1, True), "the attempt locks no more, either"
        before = estate.versions(bench.spec)
        (old.place / "go").touch()
        ran = await ended(process)
        assert (ran.status, "409" in ran.text) == (1, True), ran.text
        assert (old.place / "errored.tfstate").exists()
    assert estate.versions(bench.spec) == before


async def test_a_lock_that_a_killed_program_left_behind_stands_until_its_job_ends_or_somebody_takes_it(bench):
    estate, killed = bench.estate, await bench.terraform("killed")
    async with begun(killed) as process:
        process.kill()
        await process.wait()
    after = await bench.terraform("after")
    (after.place / "go").touch()
    assert "Error acquiring the state lock" in (await after.apply()).text
    estate.ok("POST", f"{CONFIGURATIONS}/{bench.spec}/state/unlock", {"reason": "It was killed."})
    assert not (estate.kept(bench.spec) or {}).get("lock")
    ran = await after.apply()
    assert (ran.status, "state_lock_lost" in ran.text) == (1, True), "its attempt is done with the state"
    await bench.runner.status(bench.job, "FAILED", "its Terraform was killed")
    assert not (estate.kept(bench.spec) or {}).get("lock")
    ran = await after.apply()
    assert ran.status == 1, "what has ended writes nothing"


async def test_whoever_lost_the_job_neither_reads_nor_writes_its_state(bench):
    estate, terraform = bench.estate, await bench.terraform("lost")
    (terraform.place / "go").touch()
    assert (await terraform.apply()).status == 0
    before = estate.versions(bench.spec)
    estate.ok("DELETE", f"/api/cli/workers/{bench.runner.id}")
    for argv in (("plan",), ("apply", "-auto-approve"), ("state", "pull")):
        ran = await terraform.run(*argv)
        assert ran.status == 1, (argv, ran.text)
    assert estate.versions(bench.spec) == before
    ended_job = estate.job(bench.job)
    assert ended_job["status"] == "FAILED", "an apply that had begun is not done again by another one"
    assert estate.status(bench.spec) == "FAILED"
