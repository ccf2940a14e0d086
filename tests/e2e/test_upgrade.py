"""Another release takes over what the one before was in the middle of."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from e2e import server as processes
from e2e.client import Client, signed_in
from e2e.conftest import own_database
from e2e.over_ssh import HEALTH, begun, dockerfile
from e2e.repositories import Repositories
from e2e.server import Deck, deck
from e2e.small_server import FILES, RUNTIME
from e2e.truth import audit_problems, settled, until

pytestmark = [pytest.mark.edge, pytest.mark.root]
ROOT = Path(__file__).resolve().parents[2]
SLOW = {**RUNTIME, "installCommand": "sleep 4", "buildCommand": "sleep 4"}


def release_before(place: Path) -> Path:
    """The sources of the commit before the one that is tested."""
    shown = ["git", "-C", str(ROOT), "-c", "safe.directory=*", "archive", "HEAD^", "src"]
    packed = subprocess.run(shown, capture_output=True, check=False)
    assert packed.returncode == 0, f"needs the history of the repository (git fetch --deepen 1): {packed.stderr!r}"
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as tar:
        tar.extractall(place, filter="data")
    return place / "src"


@pytest.fixture
def before(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The release before, which servers are started from until `upgraded`."""
    made = place / "before"
    sources = made / "src" if made.exists() else release_before(made)
    monkeypatch.setattr(processes, "SOURCES", sources)
    return sources


@pytest.fixture
def url(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    yield from own_database(database_kind, request)


def upgraded(made: Deck, client: Client, before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is killed, and one of this release takes its place."""
    assert made.server is not None
    environment = Path(f"/proc/{made.server.pid}/environ").read_bytes().decode()
    assert f"PYTHONPATH={before}" in environment
    made.stop(graceful=False)
    monkeypatch.setattr(processes, "SOURCES", ROOT / "src")
    made.start()
    client.sign_in()


def test_an_upgrade_carries_deployments_in_flight_to_their_end(
    place: Path,
    repositories: Repositories,
    before: Path,
    database_kind: str,
    url: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with deck(place / f"upgrade-{database_kind}", database_url=url) as made, signed_in(made) as client:
        repository = repositories.add(f"upgrade-{database_kind}", FILES)
        application = client.application("upgrade", repository.source(), port=8000, runtime=RUNTIME)
        first = client.deployed(application)
        settled(made, client, application, first)
        slow = client.application("slow", repository.source(), port=8001, runtime=SLOW)
        repository.release("2")
        flying = [client.redeploy(application), client.deploy(slow)]
        until(lambda: client.status(flying[1]) == "running", lambda: client.show(flying[1])["status"])
        upgraded(made, client, before, monkeypatch)
        for deployment in flying:
            client.succeeded(deployment)
        assert client.visit(client.hostname(flying[0])).text.startswith("drill 2 ")
        assert client.visit(client.hostname(flying[1])).text.startswith("drill 2 ")
        settled(made, client, application, flying[0])
        assert audit_problems(made) == []


@pytest.mark.engine
def test_an_upgrade_carries_containers_in_flight_to_their_end(
    place: Path,
    docker_images: str,
    repositories: Repositories,
    before: Path,
    database_kind: str,
    url: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One is being built and one is not yet healthy when the server is killed; what served serves all the while."""
    options = {"docker_host": docker_images, "database_url": url}
    with deck(place / f"upgrade-engine-{database_kind}", **options) as made, signed_in(made) as client:
        built = repositories.add(f"built-{database_kind}", dockerfile("1"))
        started = repositories.add(f"started-{database_kind}", dockerfile("1"))
        applications = [client.application(one.directory.name, one.source(), health=HEALTH) for one in (built, started)]
        first = [client.deployed(one) for one in applications]
        text = dockerfile("2")["Dockerfile"]
        built.change({"Dockerfile": text.replace("RUN mkdir", "RUN sleep 6; mkdir")})
        started.change({"Dockerfile": text.replace("echo version", "sleep 6; echo version")})
        flying = [client.redeploy(one) for one in applications]
        until(lambda: begun(client, flying[0], "package"), lambda: client.told(flying[0]))
        until(lambda: begun(client, flying[1], "verify"), lambda: client.told(flying[1]), 120)
        upgraded(made, client, before, monkeypatch)
        assert {client.visit(client.hostname(one)).text for one in first} <= {"1\n", "2\n"}
        for deployment in flying:
            client.succeeded(deployment)
        for application, deployment in zip(applications, flying, strict=True):
            assert client.visit(client.hostname(deployment)).text == "2\n"
            settled(made, client, application, deployment)
        assert audit_problems(made) == []
