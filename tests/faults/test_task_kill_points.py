"""kill -9 of server, worker and agent before and after every effect of an agent task's life: no task is lost, run twice
or stuck, nothing is pushed twice, and nothing is left.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import structlog

from e2e.agency import TOKEN, agency
from e2e.conftest import own_database
from fakes.forges.gitea import Gitea
from fakes.forges.serving import serving
from faults.task_works import WORKS, Yard
from support.run import ALL, SEED

log = structlog.get_logger("quarterdeck.tests")
PROCESSES = ("server", "worker", "agent")
SAMPLE = {"server": 1, "worker": 2, "agent": 1}
"""Deaths of a run that is no `--all`."""
OTHERS = 5
"""Deaths at points that a task which is cancelled or fails shares with one that is delivered, with `--all`."""
MOST_WRONG = 4
PARTS = 8 if ALL else 1
"""A whole sweep takes longer than one test may."""
SERVER = (
    "create", "dispatch", "claim", "record.workspace", "record.agent", "record.deliver", "record.delivered", "finish",
)  # fmt: skip
WORKER = (
    "workspace.make", "worktree.make", "worktree.made", "workspace.made", "workspace.told", "set-up", "agent.start",
    "agent.started", "agent.told", "agent.left", "commit", "commit.made", "committed", "deliver.ask",
    "deliver.allowed", "push", "pushed", "merge-request", "merge-request.opened", "delivered", "delivered.told",
    "workspace.left",
)  # fmt: skip
TWICE = ("gate.told", "gate.answered", "stage.begun", "agent.type", "agent.typed", "stage.done", "stage.told")
KNOWN: dict[tuple[str, str], int] = {
    **{("server", f"task.{name}{when}"): 1 for name in SERVER for when in ("", ".committed")},
    **{("server", f"task.{name}{when}"): 2 for name in ("record.gate", "gate.close") for when in ("", ".committed")},
    **{("server", f"task.record.stage{when}"): 4 for when in ("", ".committed")},
    **{("worker", f"task.{name}"): 1 for name in WORKER},
    **{("worker", f"task.{name}"): 2 for name in TWICE},
    **{("worker", f"worker.result.{name}"): 1 for name in ("kept", "told")},
    ("agent", "agent.began"): 1,
    **{("agent", f"agent.{name}"): 2 for name in ("prompted", "working", "done")},
}
"""How often a task that is delivered comes to each point at least, which a whole sweep asserts."""
pytestmark = [pytest.mark.end_to_end, pytest.mark.edge]


@dataclass(frozen=True)
class Passage:
    """The `number`-th time that a process passes a point in a kind of work."""

    work: str
    process: str
    point: str
    number: int

    def __str__(self) -> str:
        return f"the {self.process} at passage {self.number} of {self.point} in a {self.work}"


@pytest.fixture(scope="module")
def yard(database_kind: str, request: pytest.FixtureRequest) -> Iterator[Yard]:
    directory = Path(tempfile.mkdtemp(prefix="qd-tkp-"))
    directory.chmod(0o711)
    cords = {name: directory / name for name in ("server", "worker")}
    for cord in cords.values():
        cord.mkdir()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        url = stack.enter_context(contextlib.contextmanager(own_database)(database_kind, request))
        forge = stack.enter_context(serving(Gitea("team/shop", TOKEN)))
        made = Yard(stack.enter_context(agency(directory, url, cords)), forge)
        made.begin()
        yield made


def rehearsed(yard: Yard) -> dict[str, Counter[tuple[str, str]]]:
    """How often which process passes which point, for each kind of work, when nobody dies."""
    found = {}
    for name, kind in WORKS.items():
        cords = {process: yard.cord(name, process) / "trace" for process in PROCESSES}
        for trace in cords.values():
            trace.write_text("")
        kind(yard, name).finish(None)
        found[name] = Counter(
            (process, point) for process, trace in cords.items() for point in trace.read_text().split()
        )
    return found


def whole(yard: Yard) -> list[Passage]:
    """Each point of each process once in a delivery, those that other works have alone, and some of the rest there."""
    passed = rehearsed(yard)
    for (process, point), number in KNOWN.items():
        assert passed["delivery"][process, point] >= number, (process, point, passed["delivery"])
    draw = random.Random(f"{SEED}")  # noqa: S311 - to be repeated, not to be secret
    found = [Passage("delivery", *place, draw.randint(1, count)) for place, count in passed["delivery"].items()]
    for work in ("cancellation", "failure"):
        own = {place: count for place, count in passed[work].items() if place not in passed["delivery"]}
        rest = draw.sample(sorted(set(passed[work]) - set(own)), OTHERS)
        found += [Passage(work, *place, draw.randint(1, passed[work][place])) for place in [*own, *rest]]
    draw.shuffle(found)
    return found


@pytest.fixture(scope="module")
def passages(yard: Yard) -> list[Passage]:
    return whole(yard) if ALL else some()


def some() -> list[Passage]:
    draw = random.Random(f"{SEED}")  # noqa: S311 - as above
    found = []
    for process, size in SAMPLE.items():
        places = draw.sample(sorted(place for place in KNOWN if place[0] == process), size)
        found += [Passage("delivery", *place, draw.randint(1, KNOWN[place])) for place in places]
    draw.shuffle(found)
    return found


def kill_at(yard: Yard, passage: Passage) -> bool:
    """Arm the passage, carry a task through, check everything. Answers whether the process came there and died."""
    life = WORKS[passage.work](yard, passage.work)
    armed = yard.cord(passage.work, passage.process) / "armed"
    armed.write_text(f"{passage.point} {passage.number} {life.key}")
    armed.chmod(0o666)
    try:
        life.carry()
        life.settle(lambda: not armed.exists())
        died = not armed.exists()
    finally:
        armed.unlink(missing_ok=True)
    life.finish(passage.process if died else None)
    return died


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_anywhere_in_a_tasks_life_loses_doubles_and_leaves_nothing(yard, passages, part):
    began, wrong, deaths = time.monotonic(), [], 0
    passages = passages[part::PARTS]
    for number, passage in enumerate(passages, 1):
        try:
            deaths += kill_at(yard, passage)
        except (AssertionError, httpx.HTTPError) as error:
            wrong.append(f"killed {passage} (seed {SEED}): {error}")
            log.info("not_survived", passage=str(passage), reason=str(error)[:3000])
            if len(wrong) == MOST_WRONG:
                break
        log.info("killed", run=number, of=len(passages), deaths=deaths, passage=str(passage))
    minutes = (time.monotonic() - began) / 60
    log.info("swept", passages=len(passages), deaths=deaths, minutes=round(minutes, 1), seed=SEED)
    assert not wrong, "\n\n".join(wrong)
    assert deaths >= len(passages) * 0.8, f"{deaths} of {len(passages)} passages were reached"
    assert not yard.forge.refused
