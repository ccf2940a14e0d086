"""kill -9 of server and runner before and after every effect of an infrastructure job: no state is lost or written by
two, nothing is applied but a plan that was read, and what failed by it can be planned again.
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

from e2e.client import signed_in
from e2e.conftest import own_database
from e2e.infra.estate import Estate
from e2e.server import Deck
from faults.infra_works import WORKS, Yard, passed
from support.run import ALL, HAPPENED, SEED

log = structlog.get_logger("quarterdeck.tests")
SAMPLE = 4
"""Deaths of a run that is no `--all`."""
OTHERS = 6
"""Deaths at points that a destruction or a cancellation shares with a change, with `--all`."""
MOST_WRONG = 4
PARTS = 8 if ALL else 1
"""A whole sweep takes longer than one test may."""
RUNNERS = ("server", "fabric")
COMMITTED = {
    "create": 2, "claim": 2, "report.phase": 8, "report.plan": 1, "report.applied": 1, "finish": 2, "state.lock": 2,
    "state.write": 1, "state.unlock": 2,
}  # fmt: skip
ARTEFACTS = ("artefact.written", "artefact.kept")
ONCE = (
    "plan.begin", "plan.recorded", "plan.start", "plan.ended", "upload.begin", "upload.recorded", "artefact.send",
    "artefact.sent", "plan.tell", "plan.told", "download.begin", "download.recorded", "artefact.fetch",
    "artefact.fetched", "apply.begin", "apply.recorded", "apply.start", "apply.ended", "output.start", "output.ended",
    "applied.tell", "applied.told",
)  # fmt: skip
TWICE = (
    "prepare.begin", "prepare.recorded", "module.copy", "version.start", "version.ended", "init.begin", "init.recorded",
    "init.start", "init.ended", "show.start", "show.ended",
)  # fmt: skip
SERVER = {
    **{f"infra.{name}{when}": number for name, number in COMMITTED.items() for when in ("", ".committed")},
    **{f"infra.{name}": 1 for name in ARTEFACTS},
}
RUNNER = {**{f"infra.{name}": 1 for name in ONCE}, **{f"infra.{name}": 2 for name in TWICE}}
RESULTS = {f"worker.result.{name}": 2 for name in ("kept", "told")}
KNOWN: dict[str, dict[tuple[str, str], int]] = {
    "server": {("server", point): number for point, number in {**SERVER, **RUNNER}.items()},
    "fabric": {
        **{("server", point): number for point, number in SERVER.items()},
        **{("fabric", point): number for point, number in {**RUNNER, **RESULTS}.items()},
    },
}
"""How often a plan and its apply come to each point at least, by who carries them out; a whole sweep asserts it."""
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each database with each runner in a whole sweep, with one of them by turns otherwise."""
    if "runner" in metafunc.fixturenames:
        metafunc.parametrize("runner", RUNNERS if ALL else [RUNNERS[SEED // 2 % 2]], scope="module")


@pytest.fixture(scope="module")
def yard(database_kind: str, runner: str, request: pytest.FixtureRequest) -> Iterator[Yard]:
    directory = Path(tempfile.mkdtemp(prefix="qd-ikp-"))
    directory.chmod(0o711)
    cords = {name: directory / name for name in RUNNERS}
    for place in (*cords.values(), directory / "deck"):
        place.mkdir()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        url = stack.enter_context(contextlib.contextmanager(own_database)(database_kind, request))
        deck = Deck(directory / "deck" / "data", database_url=url)
        stack.callback(deck.destroy)
        deck.start(server_faults=cords["server"])
        estate = Estate(deck, stack.enter_context(signed_in(deck)), cords)
        stack.callback(estate.stop_fabric)
        made = Yard(estate, runner)
        made.revive()
        made.begin()
        yield made


def rehearsed(yard: Yard) -> dict[str, Counter[tuple[str, str]]]:
    """How often which process passes which point, for each kind of work, when nobody dies."""
    found = {}
    for name, kind in WORKS.items():
        life = kind(yard)
        for process in yard.processes:
            (yard.cord(process) / "trace").write_text("")
        life.carry()
        found[name] = Counter((process, point) for process in yard.processes for point in passed(yard, process))
        life.finish(None)
    return found


def whole(yard: Yard) -> list[Passage]:
    """Each point of each process once in a change, those that other works have alone, and some of the rest there."""
    counted = rehearsed(yard)
    for place, number in KNOWN[yard.runner].items():
        assert counted["change"][place] >= number, (place, counted["change"])
    draw = random.Random(f"{SEED}")  # noqa: S311 - to be repeated, not to be secret
    found = [Passage("change", *place, draw.randint(1, count)) for place, count in counted["change"].items()]
    for work in ("destruction", "cancellation"):
        own = [place for place in counted[work] if place not in counted["change"]]
        rest = draw.sample(sorted(set(counted[work]) - set(own)), OTHERS)
        found += [Passage(work, *place, 1) for place in [*own, *rest]]
    draw.shuffle(found)
    return found


def some(runner: str) -> list[Passage]:
    draw = random.Random(f"{SEED}")  # noqa: S311 - as above
    known = KNOWN[runner]
    processes = sorted({process for process, _ in known})
    found = []
    for process in processes:
        places = draw.sample(sorted(place for place in known if place[0] == process), SAMPLE // len(processes))
        found += [Passage("change", *place, draw.randint(1, known[place])) for place in places]
    draw.shuffle(found)
    return found


@pytest.fixture(scope="module")
def passages(yard: Yard) -> list[Passage]:
    return whole(yard) if ALL else some(yard.runner)


def kill_at(yard: Yard, passage: Passage) -> bool:
    """Arm the passage, carry the work through, check everything. Answers whether the process came there and died."""
    life = WORKS[passage.work](yard)
    armed = yard.cord(passage.process) / "armed"
    armed.write_text(f"{passage.point} {passage.number} {life.key}")
    try:
        life.carry()
        life.settle(lambda: not armed.exists())
        died = not armed.exists()
    finally:
        armed.unlink(missing_ok=True)
    life.finish(passage.process if died else None)
    return died


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_anywhere_loses_no_state_and_applies_nothing_that_was_not_read(yard, passages, part):
    began, wrong, deaths = time.monotonic(), [], 0
    passages = passages[part::PARTS]
    for number, passage in enumerate(passages, 1):
        try:
            died = kill_at(yard, passage)
            deaths += died
            HAPPENED[f"killed {passage.process} ({passage.work})"] += died
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
