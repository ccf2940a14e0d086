"""What the clearing after attempts has left, found by its marks: it goes, and what somebody needs stays."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from quarterdeck.deploy.deployments import deployments
from quarterdeck.deploy.deployments.following import RETIRE
from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.deploy.execution.target import labels
from quarterdeck.deploy.stacks.containers import ATTEMPT, SERVICE
from quarterdeck.fleet.docker import containers, images
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.spec import ProcessSpec
from quarterdeck.kernel import jobs, retention
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.datadir import RESTORED
from quarterdeck.kernel.db import Tx
from support.harbour import Harbour
from support.yard import NOBODY

DAY = 86_400
SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
async def processes(harbour: Harbour) -> AsyncIterator[Processes]:
    made = Processes(harbour.instance.data.runtime)
    yield made
    for status in made.list():
        await made.remove(status.instance, 0)


async def runs(harbour: Harbour, processes: Processes, ref: str, instance: str | None = None) -> None:
    marks = {"quarterdeck.deployment": ref, "quarterdeck.resource": harbour.resource} if ref else {}
    await processes.start(ProcessSpec(instance=instance or ref, argv=SLEEP, directory="/", labels=marks))


async def replaced(harbour: Harbour, kind: str) -> tuple[str, str]:
    """A version that served, with its clearing yet to be done, and the one that serves now."""
    refs = []
    for _ in range(2):
        made = await harbour.end(await harbour.create())
        await harbour.write(of_kind, made.ref, kind)
        refs.append(made.ref)
    return refs[0], refs[1]


def of_kind(tx: Tx, ref: str, kind: str) -> None:
    row = deployments.find(tx, ref)
    row.runtime = {"kind": kind}
    row.artifact = {"kind": "image" if kind == "container" else "release"}


async def give_up(harbour: Harbour, ref: str) -> None:
    """The clearing after an attempt ends without having cleared anything."""
    await harbour.claim("background")
    await harbour.told(await harbour.job(RETIRE, ref), jobs.Outcome("failed", error_code="docker_unavailable"))


async def tidied(harbour: Harbour, days: float, docker_host: str = NOBODY, category: str = "runtimes") -> int:
    """How many the look finds and removes when so much time has passed."""
    real, clock = harbour.instance, HeldClock(harbour.instance.db.clock.now())
    clock.advance(days * DAY)
    db = SimpleNamespace(read=real.db.read, write=real.db.write, clock=clock)
    placement = SimpleNamespace(docker_host=docker_host)
    return await retention.tidy(SimpleNamespace(db=db, data=real.data, uid=real.uid, placement=placement), category)


def restored(harbour: Harbour, days: float) -> None:
    """A backup is restored so many days from now."""
    mark = harbour.instance.data.path / RESTORED
    mark.touch()
    later = harbour.instance.db.clock.now().timestamp() + days * DAY
    os.utime(mark, (later, later))


async def test_a_process_that_nobody_needs_goes_when_its_clearing_was_given_up(
    harbour: Harbour, processes: Processes
) -> None:
    old, serving = await replaced(harbour, "process")
    active = (await harbour.create()).ref
    for ref in (old, serving, active):
        await runs(harbour, processes, ref)
    await runs(harbour, processes, old, f"{old}.step0")
    await runs(harbour, processes, "", "somebody-elses")
    assert await tidied(harbour, 2) == 0  # its clearing is still to be done
    await give_up(harbour, old)
    assert await tidied(harbour, 0.5) == 0  # it ended today
    assert await tidied(harbour, 2) == 1
    assert [one.instance for one in processes.list()] == sorted([serving, active, "somebody-elses"])
    gone = [(await harbour.show(ref)).retired_at is not None for ref in (old, serving, active)]
    assert gone == [True, False, False]
    assert await tidied(harbour, 2) == 0


async def test_what_no_record_knows_is_as_old_as_it_is_and_stays_for_a_day_after_a_restore(
    harbour: Harbour, processes: Processes
) -> None:
    await runs(harbour, processes, "dep_since_the_backup")
    assert await tidied(harbour, 0) == 0
    assert await tidied(harbour, 0.9) == 0  # started within the day
    restored(harbour, 1.5)
    assert await tidied(harbour, 2) == 0  # restored within the day
    assert [one.instance for one in processes.list()] == ["dep_since_the_backup"]
    assert await tidied(harbour, 3) == 1
    assert processes.list() == []


@pytest.mark.engine
async def test_so_does_a_container_and_without_an_engine_nothing_is_said_to_be_gone(
    harbour: Harbour, engine: Engine, docker_host: str, mine: dict[str, str]
) -> None:
    old, serving = await replaced(harbour, "container")
    await give_up(harbour, old)
    target = TargetOrder("local", "", harbour.instance.uid)
    theirs = TargetOrder("local", "", "another installation")
    places = ((target, old), (target, serving), (target, "dep_pruned"), (theirs, "dep_theirs"))
    for place, ref in places:
        marks = labels(place, ref, harbour.resource) | mine
        await containers.create(engine, ContainerSpec(image="busybox", command=("sleep", "600"), labels=marks))
    assert await tidied(harbour, 2) == 0
    assert (await harbour.show(old)).retired_at is None
    assert await tidied(harbour, 2, docker_host) == 2
    left = {row.labels["quarterdeck.deployment"] for row in await containers.listed(engine, mine)}
    assert left == {serving, "dep_theirs"}
    assert (await harbour.show(old)).retired_at is not None
    assert (await harbour.show(serving)).retired_at is None


@pytest.mark.engine
async def test_an_image_that_no_record_knows_stays_for_a_day_after_a_restore(
    harbour: Harbour, engine: Engine, docker_host: str, mine: dict[str, str]
) -> None:
    marks = labels(TargetOrder("local", "", harbour.instance.uid), "dep_since_the_backup", harbour.resource)
    made = await containers.create(engine, ContainerSpec(image="busybox", labels=marks | mine))
    name = f"since-the-backup:{harbour.instance.uid}"
    repository, _, tag = name.partition(":")
    await engine.request("POST", "/commit", query={"container": made, "repo": repository, "tag": tag})
    try:
        restored(harbour, 1.5)
        assert await tidied(harbour, 2, docker_host, "images") == 0
        assert await images.find(engine, name) is not None
        assert await tidied(harbour, 3, docker_host, "images") == 1
        assert await images.find(engine, name) is None
    finally:
        await images.remove(engine, name, force=True)


def goes_on_with(tx: Tx, ref: str, container: str) -> None:
    deployments.find(tx, ref).runtime = {"kind": "container", "container": "c", "services": [{"container": container}]}


@pytest.mark.engine
async def test_a_service_of_a_stack_stays_as_long_as_a_version_goes_on_with_it(
    harbour: Harbour, engine: Engine, docker_host: str, mine: dict[str, str]
) -> None:
    old, serving = await replaced(harbour, "container")
    await give_up(harbour, old)
    made = {}
    for name, attempt in (("kept", old), ("left", old), ("fresh", serving)):
        marks = {
            **labels(TargetOrder("local", "", harbour.instance.uid), "", harbour.resource),
            **mine,
            SERVICE: name,
            ATTEMPT: attempt,
        }
        spec = ContainerSpec(image="busybox", command=("sleep", "600"), labels=marks)
        made[name] = await containers.create(engine, spec)
    await harbour.write(goes_on_with, serving, made["kept"])
    assert await tidied(harbour, 2, docker_host) == 1
    assert {row.id for row in await containers.listed(engine, mine)} == {made["kept"], made["fresh"]}
