"""What a worker that was killed has left is ended and taken away, and nothing else is touched."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess

import pytest
from tests.infra.execution.test_interrupting import SLOW
from tests.infra.execution.test_killed_worker import started
from tests.infra.execution.workbench import MINIMAL, processes_in

from quarterdeck.cli.commands.worker import Workshop
from quarterdeck.fleet.processes.supervisor.identity import identify
from quarterdeck.infra.execution.leftovers import Leftovers, holders
from quarterdeck.infra.execution.machine import LOCK, WHERE, attempt

STUBBORN = SLOW.replace("echo begun; exec sleep 60", "trap '' INT TERM; sleep 60 & echo begun; wait")


def gone():
    """Who was a process."""
    with subprocess.Popen(["sleep", "60"]) as process:
        who = identify(process.pid)
        process.kill()
    return who


def left(bench, owner, name="deploy-1-abc"):
    """The directory of an attempt of a worker."""
    place = bench.machine.work / name
    place.mkdir(parents=True)
    (place / LOCK).write_text("" if owner is None else json.dumps(owner))
    return place


def held(place, *argv):
    """A process that works in it, as what terraform starts does."""
    descriptor = os.open(place / LOCK, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    process = subprocess.Popen(argv, pass_fds=(descriptor,))
    os.close(descriptor)
    return process


@pytest.fixture
def sleeper():
    running = []

    def start(place):
        running.append(held(place, "sleep", "60"))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


async def test_a_killed_workers_directory_goes_at_the_start_of_the_next_one_and_its_terraform_with_it(
    bench, server, forge
):
    process = await started(bench, server, bench.order("DEPLOY", MINIMAL, module=forge.module({"main.tf": STUBBORN})))
    async with asyncio.timeout(90):
        while b"(local-exec): begun" not in await process.stdout.readline():
            pass
        process.kill()
        await process.wait()
        (place,) = [each for each in bench.machine.work.iterdir() if holders(each)]
        seen = Leftovers(bench.machine, grace=3.0)
        assert await seen.look(), "it may write its state"
        assert place.is_dir()
        assert holders(place)
        while await seen.look():
            await asyncio.sleep(0.1)
    assert processes_in(bench.directory) == []
    assert [name for name in bench.left if not name.startswith(("infra-work", "infra-states"))] == []
    assert not any(bench.machine.work.iterdir())


async def test_what_holds_on_is_killed_after_its_grace_alone(bench, sleeper):
    place = left(bench, gone())
    process = sleeper(place)
    seen = Leftovers(bench.machine, grace=0.3)
    assert await seen.look()
    assert await seen.look()
    assert process.poll() is None
    await asyncio.sleep(0.4)
    assert await seen.look()
    assert process.wait(5) == -signal.SIGKILL
    async with asyncio.timeout(10):
        while await seen.look():
            await asyncio.sleep(0.02)
    assert not place.exists()


async def test_nothing_is_touched_of_a_worker_that_lives_or_that_nobody_knows(bench, sleeper):
    me, stranger = left(bench, identify(os.getpid()), "plan-1-me"), left(bench, None, "plan-2-old")
    processes = [sleeper(me), sleeper(stranger)]
    seen = Leftovers(bench.machine, grace=0.0)
    for _ in range(3):
        assert await seen.look() is False
    assert [process.poll() for process in processes] == [None, None]
    assert me.is_dir()
    assert stranger.is_dir()


@pytest.mark.parametrize("text", ["[]", '{"pid": 1}', "[1, 2", '["a", "b", "c"]', "\x00"])
async def test_a_lock_file_that_says_no_worker_ends_nothing(bench, sleeper, text):
    place = left(bench, None)
    (place / LOCK).write_text(text)
    process, seen = sleeper(place), Leftovers(bench.machine, grace=0.0)
    for _ in range(3):
        await seen.look()
    assert process.poll() is None


async def test_a_process_that_only_works_in_the_directory_is_nobodys(bench, sleeper):
    place = left(bench, gone())
    sleeper(place)
    visitor = await asyncio.create_subprocess_exec("sleep", "60", cwd=place)
    seen = Leftovers(bench.machine, grace=0.0)
    async with asyncio.timeout(10):
        while await seen.look():
            await asyncio.sleep(0.02)
    assert visitor.returncode is None
    visitor.kill()
    await visitor.wait()


async def test_a_worker_that_was_reborn_under_the_same_number_is_another(bench):
    me = identify(os.getpid())
    place = left(bench, me._replace(start=me.start - 1))
    assert await Leftovers(bench.machine).look() is False, "nobody holds it"
    assert not place.exists()


async def test_a_state_that_lies_in_it_is_kept(bench):
    place = left(bench, gone(), "deploy-9-abc")
    module = place / "module"
    module.mkdir()
    (place / WHERE).write_text("module")
    (module / "errored.tfstate").write_text("{}")
    await Leftovers(bench.machine).look()
    assert not place.exists()
    assert (bench.machine.rescued / "deploy-9.tfstate").read_text() == "{}"


async def test_looks_do_not_disturb_an_attempt_that_begins(bench):
    seen = Leftovers(bench.machine, grace=0.0)
    for _ in range(20):
        async with attempt(bench.machine, "plan-3") as place:
            await asyncio.gather(*(seen.look() for _ in range(3)))
            assert place.root.is_dir()
            assert (place.root / "home").is_dir()


async def test_a_worker_takes_away_what_was_left_as_soon_as_it_starts(bench):
    place = left(bench, gone())
    async with Workshop(bench.directory, "http://127.0.0.1:1") as workshop:
        await workshop.begin(["deploy", "infra"])
        async with asyncio.timeout(20):
            while place.exists():
                await asyncio.sleep(0.02)
