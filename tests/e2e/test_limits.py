"""What builds, sources and applications may take: who wants more is ended, told why, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.client import Application, Client, signed_in
from e2e.conftest import own_database
from e2e.engine import View
from e2e.repositories import APPS, Repositories, Repository
from e2e.server import Deck, deck
from e2e.truth import error_code, log_size, releases, running_with, settled, until

pytestmark = [pytest.mark.edge, pytest.mark.root]

LIMITS = {
    "QUARTERDECK_BUILD_SECONDS": "10",
    "QUARTERDECK_BUILD_DISK": "200M",
    "QUARTERDECK_BUILD_TASKS": "100",
    "QUARTERDECK_SOURCE_SIZE": "5M",
    "QUARTERDECK_RUNTIME_MEMORY": "150M",
    "QUARTERDECK_RUNTIME_LOG_SIZE": "1M",
}
SERVER = (APPS / "dockerfile" / "server.py").read_text()
DOCKERFILE = """FROM python:3.11-slim
WORKDIR /app
COPY build.py ./
RUN python3 build.py
COPY server.py ./
EXPOSE 3000
STOPSIGNAL SIGKILL
CMD ["python3", "server.py"]
"""
COMMANDS = {
    "strategy": "workspace-commands",
    "buildCommand": "python3 build.py",
    "startCommand": "python3 server.py",
}
HANGS = """import subprocess, sys, time
subprocess.Popen(["setsid", "sh", "-c", "sleep 1000; : {marker}"])
print("waiting for nothing", flush=True)
time.sleep(1000)
"""
FORKS = """import os, sys, time
if sys.argv[1:] != ["{marker}"]:
    os.execvp("python3", ["python3", __file__, "{marker}"])
while True:
    if os.fork() == 0:
        time.sleep(1000)
"""
FILLS = """import time
# {marker}
with open("big", "wb") as file:
    for _ in range(300):
        file.write(b"x" * 1_000_000)
    file.flush()
    time.sleep(30)
"""
EATS = """import time
held = [b"x" * 1_000_000 for _ in range(400)]
time.sleep(1000)
"""
SHOUTS = """import sys
for number in range(20_000):
    print(number, "x" * 60)
print("the last word", flush=True)
"""


@dataclass(frozen=True)
class Case:
    """A build, the code of its end on an engine and on a bare host, and what its message and its log must say."""

    name: str
    build: str
    container: str
    process: str
    says: str
    told: str = ""


CASES = [
    Case("hangs", HANGS, "image_build_timeout", "build_timeout", "QUARTERDECK_BUILD_SECONDS", "waiting for nothing"),
    Case("forks-without-end", FORKS, "image_build_failed", "build_failed", "log", "Resource temporarily unavailable"),
    Case("fills-the-disk", FILLS, "image_build_disk_exceeded", "build_disk_exceeded", "QUARTERDECK_BUILD_DISK"),
]  # fmt: skip


@pytest.fixture(scope="module", params=["container", "process"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def database_url(kind: str, database_kind: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """One for each kind's installation."""
    assert kind
    yield from own_database(database_kind, request)


@pytest.fixture(scope="module")
def yard(kind: str, place: Path, docker_images: str, database_url: str | None, worker_kind: str) -> Iterator[Deck]:
    """An installation whose limits are soon reached."""
    options: dict[str, Any] = {"database_url": database_url, "remote_worker": worker_kind == "remote", "extra": LIMITS}
    host = docker_images if kind == "container" else None
    with deck(place / f"limits-{kind}-{worker_kind}-{bool(database_url)}", docker_host=host, **options) as made:
        yield made


@pytest.fixture(scope="module")
def client(yard: Deck) -> Iterator[Client]:
    with signed_in(yard) as made:
        yield made


def files(kind: str, build: str = "", server: str = SERVER) -> dict[str, str]:
    return {"build.py": build, "server.py": server, **({"Dockerfile": DOCKERFILE} if kind == "container" else {})}


def application(client: Client, repository: Repository, kind: str, name: str) -> Application:
    return client.application(name, repository.source(), runtime=COMMANDS if kind == "process" else None)


@pytest.fixture(scope="module")
def running(client: Client, repositories: Repositories, kind: str) -> tuple[Application, Repository, str]:
    """An application whose first version serves."""
    repository = repositories.add(f"bounded-{kind}", files(kind))
    made = application(client, repository, kind, "bounded")
    return made, repository, client.deployed(made)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_build_that_wants_too_much_is_ended_with_all_that_it_started(
    yard: Deck, client: Client, running: tuple[Application, Repository, str], kind: str, case: Case
) -> None:
    made, repository, first = running
    marker = f"qd-{case.name}-{made.id}"
    repository.change(files(kind, case.build.replace("{marker}", marker)))
    deployment = client.redeploy(made)
    shown = client.wait(deployment, 60)
    assert shown["status"]["current"] == "failed"
    failure = shown["latestFailure"]
    assert failure["phase"] == "package", failure
    assert error_code(yard, deployment) == (case.container if kind == "container" else case.process), failure
    assert case.says in failure["message"], failure
    assert case.told in client.told(deployment)
    until(lambda: not running_with(marker), lambda: running_with(marker), 20)
    assert client.visit(client.hostname(first)).text == "dockerfile 1\n"
    settled(yard, client, made, first)
    _nothing_kept(yard, made, deployment)


def _nothing_kept(yard: Deck, made: Application, deployment: str) -> None:
    """Of a failed attempt neither a release nor an image."""
    assert deployment not in releases(yard)
    if yard.docker_host:
        with View(yard.docker_host) as engine:
            assert len(engine.images(made.id)) == 1


def test_a_source_above_its_limit_is_refused_with_the_limit(
    yard: Deck, client: Client, repositories: Repositories, running: tuple[Application, Repository, str], kind: str
) -> None:
    made, repository, first = running
    heavy = repositories.add(f"heavy-{kind}", files(kind))
    noise = "".join(f"{number * 2654435761 % 4294967296:08x}" for number in range(2_000_000))
    heavy.change({"noise.txt": noise})
    client.post(f"/api/resources/{made.id}/source", {"source": heavy.source()})
    try:
        deployment = client.redeploy(made)
        shown = client.wait(deployment, 60)
        assert shown["status"]["current"] == "failed"
        failure = shown["latestFailure"]
        assert (failure["phase"], error_code(yard, deployment)) == ("detect", "source_too_large"), failure
        assert "5 MB" in failure["message"]
        assert "QUARTERDECK_SOURCE_SIZE" in failure["message"]
    finally:
        client.post(f"/api/resources/{made.id}/source", {"source": repository.source()})
    settled(yard, client, made, first)


def test_an_application_above_its_memory_is_ended_and_said_to_be(
    yard: Deck, client: Client, running: tuple[Application, Repository, str], kind: str
) -> None:
    made, repository, first = running
    repository.change(files(kind, server=EATS))
    deployment = client.redeploy(made)
    shown = client.wait(deployment, 60)
    assert shown["status"]["current"] == "failed"
    failure = shown["latestFailure"]
    assert (failure["phase"], error_code(yard, deployment)) == ("verify", "runtime_exited"), failure
    assert "ran out of memory" in failure["message"]
    settled(yard, client, made, first)
    assert client.visit(client.hostname(first)).text == "dockerfile 1\n"


def test_an_application_that_writes_without_end_does_not_fill_the_store(
    yard: Deck, client: Client, running: tuple[Application, Repository, str], kind: str
) -> None:
    made, repository, first = running
    repository.change(files(kind, server=SHOUTS + SERVER))
    deployment = client.succeeded(client.redeploy(made))
    settled(yard, client, made, deployment)
    assert deployment != first

    def newest() -> str:
        return str(client.get(f"/api/resources/{made.id}/runtime-logs", tailLines=5)["logs"])

    until(lambda: "the last word" in newest(), newest, 60)
    kept = log_size(yard, f"runtime:{made.id}")
    assert 500_000 < kept < 1_500_000
