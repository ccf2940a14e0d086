"""Installations, repositories and clients for end-to-end tests: one of each per module."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from e2e.client import Client, signed_in
from e2e.repositories import Repositories
from e2e.server import Deck, deck
from real.git_server import git_server
from support.run import ALL


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each database runs with one kind of worker, `--all` with both."""
    if "worker_kind" in metafunc.fixturenames:
        kinds = ["in-process", "remote"] if ALL else ["paired"]
        metafunc.parametrize("worker_kind", kinds, scope="session", indirect=True)


@pytest.fixture(scope="session")
def worker_kind(request: pytest.FixtureRequest, database_kind: str) -> str:
    """Paired: SQLite with the worker inside the server, PostgreSQL with one that dials in."""
    if request.param != "paired":
        return request.param
    return "remote" if database_kind == "postgresql" else "in-process"


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that applications of other users may pass through, with a short name for the edge's sockets."""
    made = Path(tempfile.mkdtemp(prefix="qd-e2e-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def database_url(database_kind: str, worker_kind: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """An empty database for each installation: its secrets are sealed with that one's key."""
    yield from own_database(database_kind, request)


def own_database(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """An empty PostgreSQL database, dropped in the end; None for SQLite in the data directory."""
    if database_kind != "postgresql":
        yield None
        return
    server = request.getfixturevalue("postgresql")
    name = "e2e_" + uuid.uuid4().hex[:12]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield f"{server}/{name}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def shipyard(place: Path, docker_images: str, database_url: str | None, worker_kind: str) -> Iterator[Deck]:
    """An installation on a machine with a Docker engine that has the base images."""
    options = {"docker_host": docker_images, "database_url": database_url, "remote_worker": worker_kind == "remote"}
    with deck(place / f"yard-{worker_kind}-{bool(database_url)}", **options) as made:
        yield made


@pytest.fixture(scope="module")
def bare(place: Path, database_url: str | None, worker_kind: str) -> Iterator[Deck]:
    """An installation on a machine without an engine."""
    with deck(
        place / f"bare-{worker_kind}-{bool(database_url)}",
        database_url=database_url,
        remote_worker=worker_kind == "remote",
    ) as made:
        yield made


@pytest.fixture(scope="module")
def client(shipyard: Deck) -> Iterator[Client]:
    """Signed in to the installation with an engine; modules about one without it have a fixture of their own."""
    with signed_in(shipyard) as made:
        yield made


@pytest.fixture(scope="module")
def repositories() -> Iterator[Repositories]:
    directory = Path(tempfile.mkdtemp(prefix="qd-git-"))
    with git_server(directory) as url:
        yield Repositories(directory, url)
    shutil.rmtree(directory, ignore_errors=True)
