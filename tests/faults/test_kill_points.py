"""kill -9 before and after every effect of deployments and of runtime control, points chosen by seed: nothing lost,
doubled or stuck, and doctor and audit trail are in order after each.

Each kind of work whose turn it is is rehearsed once undisturbed, which tells the points that it passes and how often.
Every run then arms one passage, asks for the work, lets the process die there, starts it again, and waits for the truth
to settle.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from e2e.client import Client
from e2e.conftest import own_database, place, repositories, worker_kind
from e2e.repositories import Repositories
from e2e.server import Deck
from e2e.truth import sound
from faults.works import RECOVERY_SECONDS, Installation, Work, works
from support.run import ALL, HAPPENED, SEED

__all__ = ["place", "repositories", "worker_kind"]

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.root]

RUNS = 13 if ALL else 4
"""Deaths of each runtime, database and kind of worker: 104 with `--all`, where each database meets both workers, else
8 on the database, with its worker, whose turn it is.
"""
MISSES = RUNS
"""Draws whose passage was not reached, at most: how often a point is passed varies a little."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "worker_kind" in metafunc.fixturenames:
        kinds = ["in-process", "remote"] if ALL else ["paired"]
        metafunc.parametrize("worker_kind", kinds, scope="session", indirect=True)


@dataclass(frozen=True)
class Passage:
    """The `number`-th time that a process passes a point during a kind of work."""

    work: str
    process: str
    point: str
    number: int

    def __str__(self) -> str:
        return f"the {self.process} at passage {self.number} of {self.point} in a {self.work}"


Passed = dict[str, Counter[tuple[str, str]]]
"""How often which process passes which point, for each kind of work."""


def rehearsed(installation: Installation, kinds: list[str]) -> Passed:
    found: Passed = {}
    for name in kinds:
        work = works(installation)[name](installation)
        work.prepare()
        for cord in installation.cords.values():
            (cord / "trace").write_text("")
        work.ask()
        work.finish()
        found[name] = Counter(
            (process, point)
            for process, cord in installation.cords.items()
            for point in (cord / "trace").read_text().split()
        )
    return found


def in_turn(kinds: Iterable[str], turn: int) -> list[str]:
    """The kinds of work that an installation comes to, in an order of the seed. `turn` is its place among those of its
    runtime: it goes on in the order where the one before has stopped.
    """
    found = sorted(kinds)
    random.Random(f"{SEED}-kinds").shuffle(found)  # noqa: S311 - to be repeated, not to be secret
    found = _from(found, turn * RUNS)
    return found if ALL else found[:RUNS]


def draws(passed: Passed, kinds: list[str], turn: int) -> Iterator[Passage]:
    """Passages without end: points in an order of the seed, so that each gets its turn before any comes again, and of
    the kinds of work one after the other.
    """
    order = random.Random(f"{SEED}")  # noqa: S311 - as above
    points = sorted({point for kind in kinds for _, point in passed[kind]})
    order.shuffle(points)
    draw = random.Random(f"{SEED}-{turn}")  # noqa: S311 - as above
    points = _from(points, turn * RUNS)
    kinds = list(kinds)
    while True:
        kind = kinds.pop(0)
        kinds.append(kind)
        point = next(one for one in points if any(one == passing for _, passing in passed[kind]))
        points.remove(point)
        points.append(point)
        process = draw.choice(sorted(process for process, passing in passed[kind] if passing == point))
        yield Passage(kind, process, point, draw.randint(1, passed[kind][process, point]))


def _from(words: list[str], start: int) -> list[str]:
    start %= len(words)
    return words[start:] + words[:start]


def kill_at(installation: Installation, passage: Passage, run: int) -> bool:
    """Ask for the work, die there, start again, check everything. Answers whether the process died: it did, if it came
    there.
    """
    work = works(installation)[passage.work](installation)
    work.prepare()
    armed = installation.cords[passage.process] / "armed"
    armed.write_text(f"{passage.point} {passage.number} {run}")
    died = _died(installation, work, passage.process, armed)
    armed.unlink(missing_ok=True)
    installation.start()
    work.finish()
    sound(installation.deck, installation.client)
    return died


def _died(installation: Installation, work: Work, process: str, armed: Path) -> bool:
    try:
        work.ask()
    except httpx.HTTPError:  # it died before it could answer; what was committed decides
        assert installation.deck.await_death(process, 10), "it broke off, and lives"
        return True
    deadline = time.monotonic() + RECOVERY_SECONDS
    while armed.exists() and not installation.quiet():
        assert time.monotonic() < deadline, "neither died nor came to an end"
        time.sleep(0.1)
    if armed.exists():  # not reached
        return False
    assert installation.deck.await_death(process, 10), "it came there, and lives"
    return True


@pytest.fixture(scope="module", params=["container", "process"])
def runtime_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def database_url(
    database_kind: str, worker_kind: str, runtime_kind: str, request: pytest.FixtureRequest
) -> Iterator[str | None]:
    """An empty database for each installation."""
    yield from own_database(database_kind, request)


@pytest.fixture(scope="module")
def installation(
    runtime_kind: str,
    docker_images: str,
    repositories: Repositories,
    database_url: str | None,
    worker_kind: str,
) -> Iterator[Installation]:
    directory = Path(tempfile.mkdtemp(prefix="qd-flt-"))
    directory.chmod(0o711)
    cords = {name: directory / name for name in ("server", "worker")}
    for cord in cords.values():
        cord.mkdir()
    deck = Deck(
        directory / "data",
        docker_host=docker_images if runtime_kind == "container" else None,
        database_url=database_url,
        remote_worker=worker_kind == "remote",
    )
    try:
        deck.start(server_faults=cords["server"], worker_faults=cords["worker"])
        client = Client(deck)
        client.begin()
        repository = repositories.sample("dockerfile", f"killed-{runtime_kind}-{worker_kind}-{deck.port}")
        runtime = {"strategy": "auto"}
        if runtime_kind == "process":
            (repository.directory / "Dockerfile").unlink()
            repository.change({"requirements.txt": ""})
            runtime = {"strategy": "workspace-commands", "startCommand": "python3 server.py"}
        made = Installation(deck, client, repository, runtime, cords)
        made.begin()
        yield made
        client.close()
    finally:
        deck.destroy()
        shutil.rmtree(directory, ignore_errors=True)


def test_a_kill_anywhere_leaves_one_version_serving_and_nothing_else(installation: Installation) -> None:
    deck = installation.deck
    turn = (deck.database_url is not None) + 2 * (deck.remote_worker if ALL else 0)
    kinds = in_turn(works(installation), turn)
    # First a redeployment: a rollback wants what served before.
    passed = rehearsed(installation, ["redeployment", *(kind for kind in kinds if kind != "redeployment")])
    assert len({point for counts in passed.values() for _, point in counts}) > 35, passed
    deaths = misses = 0
    for passage in draws(passed, kinds, turn):
        try:
            died = kill_at(installation, passage, deaths + misses)
        except (AssertionError, httpx.HTTPError) as error:
            raise AssertionError(f"killed {passage} (seed {SEED}): {error}") from error
        deaths, misses = deaths + died, misses + (not died)
        HAPPENED[f"the {passage.process} is killed at a kill point"] += died
        assert misses <= MISSES, f"{misses} passages were not reached, the last was {passage}"
        if deaths == RUNS:
            break
