"""What a module started does not outlive its job, and does not read the next one's credentials."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from tests.infra.execution.workbench import MINIMAL, running

from quarterdeck.kernel.errors import Problem

DAEMON = "setsid nohup sh -c 'echo $$ > {place}; {then}' > {output} 2>&1 < /dev/null &"


def lives(place: Path) -> bool:
    """Whether the process that wrote its number there runs still."""
    stat = Path(f"/proc/{place.read_text().strip()}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX"


def daemon(place: Path, then: str = "exec sleep 300", output: str = "/dev/null") -> dict[str, str]:
    begun = f"{DAEMON.format(place=place, then=then, output=output)} until [ -s {place} ]; do sleep 0.02; done"
    return running(begun)


@pytest.mark.parametrize(
    "then",
    ["exec sleep 300", "exec env -i sleep 300", "trap '' INT TERM HUP; while :; do sleep 1; done"],
    ids=["plain", "without its environment", "deaf"],
)
async def test_a_daemon_of_a_module_ends_with_its_job(bench, forge, tmp_path, then):
    place = tmp_path / "pid"
    await bench.deploy(MINIMAL, module=forge.module(daemon(place, then)))
    assert not lives(place)


async def test_a_daemon_that_holds_the_output_holds_up_nothing(bench, forge, tmp_path):
    place = tmp_path / "pid"
    module = forge.module(daemon(place, output="/proc/$PPID/fd/2"))
    async with asyncio.timeout(60):
        await bench.deploy(MINIMAL, module=module)
    assert not lives(place)


async def test_nothing_of_a_job_reads_the_credential_of_the_next_one(bench, forge, tmp_path):
    place, found = tmp_path / "pid", tmp_path / "found"
    spy = f"while :; do grep -hazo TF_HTTP_PASSWORD=.* /proc/[0-9]*/environ >> {found} 2> /dev/null; done"
    await bench.deploy(MINIMAL, module=forge.module(daemon(place, spy)))
    assert found.exists()
    before = found.read_bytes()
    order = bench.order("PLAN", MINIMAL)
    await bench.run(order)
    after = found.read_bytes()
    assert after == before
    assert order.place.password.encode() not in after


async def test_a_daemon_ends_with_a_job_that_is_stopped(bench, forge, tmp_path):
    place = tmp_path / "pid"
    begun = DAEMON.format(place=place, then="exec sleep 300", output="/dev/null")
    module = forge.module(
        running(f"{begun} until [ -s {place} ]; do sleep 0.02; done; echo be''gun; trap '' INT; sleep 300")
    )
    order = bench.order("DEPLOY", MINIMAL, module=module, grace_seconds=1)
    bench.ledger.hears = lambda line: bench.ledger.canceled.set() if "begun" in line else None
    async with asyncio.timeout(60):
        with pytest.raises(Problem):
            await bench.attempt(order)
    assert not lives(place)


async def test_a_daemon_ends_though_its_job_has_killed_its_keeper(bench, forge, tmp_path):
    place = tmp_path / "pid"
    begun = DAEMON.format(place=place, then="exec sleep 300", output="/dev/null")
    # The parent of terraform, which is the parent of the shell.
    kill = "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 300"
    module = forge.module(running(f"{begun} until [ -s {place} ]; do sleep 0.02; done; {kill}"))
    async with asyncio.timeout(60):
        with pytest.raises(Problem) as refused:
            await bench.run(bench.order("DEPLOY", MINIMAL, module=module, grace_seconds=1))
    assert refused.value.code == "infra_terraform_killed"
    assert refused.value.details["orphan_risk"]
    assert not lives(place)


async def test_a_program_ends_as_it_would_without_a_keeper(bench):
    from quarterdeck.infra.execution.commands import Command
    from quarterdeck.infra.execution.reporting import Reporter
    from quarterdeck.infra.execution.running import Running

    reporter = Reporter(bench.ledger)
    run = Running(reporter, 60, 1).run
    env = {"PATH": "/usr/bin:/bin"}
    assert (await run(Command(("sh", "-c", "exit 3"), env), "x")).code == 3
    assert (await run(Command(("sh", "-c", "kill -TERM $$"), env), "x")).code == -signal.SIGTERM
    assert (await run(Command(("sh", "-c", "kill -KILL $$"), env), "x")).code == -signal.SIGKILL
    missing = await run(Command(("no-such-program",), env), "x")
    assert missing.code == 127
    assert "no-such-program cannot be run" in missing.said
