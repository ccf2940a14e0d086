"""kill -9 before and after every effect of a redeployment, points chosen by seed: nothing lost, doubled or stuck.

A first redeployment that nobody disturbs tells which points there are and how often each is passed. Every run then
arms one passage, redeploys, lets the process die there, starts it again, and waits for the truth to settle.
"""

from __future__ import annotations

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

from e2e.client import TERMINAL, Application, Client
from e2e.conftest import own_database, place, repositories, worker_kind
from e2e.repositories import Repositories, Repository
from e2e.server import Deck
from e2e.truth import audit_problems, settled
from support.run import ALL, SEED

__all__ = ["place", "repositories", "worker_kind"]

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.root]

RUNS = 13 if ALL else 5
"""Of each runtime, database and kind of worker: 20 in all; 104 with `--all`, where each database meets both workers."""
RECOVERY_SECONDS = 120
QUICK = {"enabled": True, "type": "http", "intervalSeconds": 1, "timeoutSeconds": 1, "retries": 10,
         "startPeriodSeconds": 5, "http": {"path": "/health", "method": "GET", "scheme": "http", "host": "localhost",
                                           "expectedStatusCode": 200}}  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "worker_kind" in metafunc.fixturenames:
        kinds = ["in-process", "remote"] if ALL else ["paired"]
        metafunc.parametrize("worker_kind", kinds, scope="session", indirect=True)


@dataclass
class Rehearsal:
    """One installation that is killed again and again."""

    deck: Deck
    client: Client
    application: Application
    repository: Repository
    cords: dict[str, Path]
    version: int = 1
    serving: str = ""

    def release(self) -> None:
        self.version += 1
        self.repository.release(str(self.version))

    def says(self) -> str:
        return self.client.visit(self.client.hostname(self.serving)).text.split()[-1]

    def start(self) -> None:
        self.deck.start(server_faults=self.cords["server"], worker_faults=self.cords["worker"])

    def points(self) -> list[tuple[str, str, int]]:
        """Passages of an undisturbed redeployment, as (process, point, number)."""
        for cord in self.cords.values():
            (cord / "trace").write_text("")
        self.release()
        self.serving = self.client.succeeded(self.client.redeploy(self.application))
        settled(self.deck, self.client, self.application, self.serving)
        found: list[tuple[str, str, int]] = []
        for process, cord in self.cords.items():
            passed = Counter((cord / "trace").read_text().split())
            found += [(process, point, number + 1) for point, often in passed.items() for number in range(often)]
        return found

    def kill_at(self, process: str, point: str, number: int) -> bool:
        """Redeploy, die there, start again, check everything. Answers whether the process died."""
        before, old = self.serving, self.says()
        self.release()
        (self.cords[process] / "armed").write_text(f"{point} {number} {self.version}")
        deployment = None
        try:
            deployment = self.client.redeploy(self.application)
        except httpx.HTTPError:  # it died before it could answer; what was committed decides
            self.deck.await_death(process, 10)
        died = self.deck.await_death(process, 0.2) if getattr(self.deck, process) else True
        deadline = time.monotonic() + RECOVERY_SECONDS
        while not died and time.monotonic() < deadline and (self.cords[process] / "armed").exists():
            died = self.deck.await_death(process, 0.1)
            if not died and not self.working(deployment):
                break
        if not died:
            died = self.deck.await_death(process, 1.0) if not (self.cords[process] / "armed").exists() else False
        (self.cords[process] / "armed").unlink(missing_ok=True)
        self.start()
        if deployment is None:
            deployment = self.latest()
        ended = self.client.wait(deployment, RECOVERY_SECONDS)["status"]["current"]
        assert ended in TERMINAL
        if deployment != before and ended == "succeeded":
            self.serving = deployment
        elif deployment != before:
            assert ended in {"failed", "rolled-back", "canceled"}
        settled(self.deck, self.client, self.application, self.serving)
        assert self.says() == (str(self.version) if self.serving != before else old)
        assert audit_problems(self.deck) == []
        return died

    def working(self, deployment: str | None) -> bool:
        """Whether there may still be something to die of: the attempt itself, or its follow-up work."""
        from e2e.truth import unfinished_jobs

        try:
            active = deployment is None or self.client.status(deployment) not in TERMINAL
        except (httpx.HTTPError, AssertionError):
            return True
        return active or bool(unfinished_jobs(self.deck))

    def latest(self) -> str:
        items = self.client.get("/api/deployments", resourceId=self.application.id)["items"]
        return str(items[0]["id"])


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
def rehearsal(
    runtime_kind: str,
    docker_images: str,
    repositories: Repositories,
    database_url: str | None,
    worker_kind: str,
) -> Iterator[Rehearsal]:
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
        application = client.application("killed", repository.source(), runtime=runtime, health=QUICK)
        made = Rehearsal(deck, client, application, repository, cords)
        made.serving = client.deployed(application)
        yield made
        client.close()
    finally:
        deck.destroy()
        shutil.rmtree(directory, ignore_errors=True)


def test_a_kill_anywhere_leaves_one_version_serving_and_nothing_else(rehearsal: Rehearsal) -> None:
    points = rehearsal.points()
    assert len({point for _, point, _ in points}) > 20, points
    salt = f"{SEED}-{rehearsal.deck.remote_worker}-{rehearsal.deck.docker_host is None}"
    draw = random.Random(salt)  # noqa: S311 - to be repeated, not to be secret
    # Commits are passed far more often than anything else: half of the runs at most go to them.
    commits = [point for point in points if point[1].startswith("commit.")]
    effects = [point for point in points if point not in commits]
    chosen = draw.sample(effects, min(len(effects), RUNS - RUNS // 4)) + draw.sample(commits, RUNS // 4)
    deaths = 0
    for process, point, number in chosen:
        try:
            deaths += rehearsal.kill_at(process, point, number)
        except (AssertionError, httpx.HTTPError) as error:
            raise AssertionError(
                f"killed the {process} at passage {number} of {point} (seed {SEED}): {error}"
            ) from error
    assert deaths >= len(chosen) * 0.7, f"only {deaths} of {len(chosen)} runs died where they should"
