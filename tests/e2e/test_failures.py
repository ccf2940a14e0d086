"""What goes wrong ends true: a message that says what to do, the running version untouched, nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from e2e.client import Application, Client
from e2e.engine import View
from e2e.repositories import Repositories, Repository
from e2e.server import Deck
from e2e.truth import error_code, settled
from real.foreign import foreign_image
from real.git_server import git, git_server
from real.git_server import repository as made

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.root]

PASSWORD = "swordfish-of-the-forge"
QUICK = {"enabled": True, "type": "http", "intervalSeconds": 1, "timeoutSeconds": 1, "retries": 2,
         "startPeriodSeconds": 1, "http": {"path": "/health", "method": "GET", "scheme": "http",
                                           "host": "localhost", "expectedStatusCode": 200}}  # fmt: skip
DOCKERFILE = """FROM python:3.11-slim
WORKDIR /app
COPY server.py ./
{line}
ENV PORT=3000
EXPOSE 3000
CMD {command}
"""


def dockerfile(line: str = "", command: str = '["python3", "server.py"]') -> dict[str, str]:
    return {"Dockerfile": DOCKERFILE.format(line=line, command=command)}


@dataclass(frozen=True)
class Case:
    """What is changed before the deployment that fails, and what the failure must say."""

    name: str
    phase: str
    says: str
    hint: str
    files: dict[str, str] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case("build-fails", "package", "exit", "log", dockerfile('RUN echo "no such thing" && exit 7')),
    Case("dies-at-once", "verify", "exit code 3", "start command", dockerfile(command='["python3", "-c", "exit(3)"]')),
    Case("never-healthy", "verify", "No healthy answer", "health",
         dockerfile(command='["sh", "-c", "cd /tmp && python3 -m http.server 3000"]')),
    Case("wrong-port", "verify", "nothing listens", "4000",
         dockerfile(command='["sh", "-c", "PORT=4000 exec python3 server.py"]')),
    Case("broken-dockerfile", "package", "", "", {"Dockerfile": "FROM python:3.11-slim\nNONSENSE here\n"}),
    Case("wrong-branch", "detect", "nowhere", "branch", source={"gitRef": "nowhere"}),
    Case("no-repository", "detect", "", "", source={"locator": "{url}/absent/.git"}),
    Case("private-without-key", "detect", "does not let us read it", "give a token",
         source={"locator": "http://{closed}/closed/.git"}),
    Case("private-with-wrong-token", "detect", "does not let us read it", "check the token",
         source={"locator": "http://ada:not-this-one@{closed}/closed/.git"}),
    Case("submodule-of-this-machine", "detect", "points at files of this machine", "https or ssh",
         source={"locator": "{url}/nested/.git"}),
    Case("unreachable", "detect", "", "", source={"locator": "http://127.0.0.1:9/absent.git"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def closed(repositories: Repositories) -> Iterator[str]:
    """Host and port of a git server that wants a password."""
    repositories.sample("dockerfile", "closed")
    with git_server(repositories.directory, "ada", PASSWORD) as url:
        yield url.removeprefix("http://")


@pytest.fixture(scope="module")
def nested(repositories: Repositories) -> None:
    """A repository with a submodule that points at a directory of this machine."""
    where = repositories.add("nested", dockerfile()).directory
    inner = made(repositories.directory / "inner", {"secret.txt": "not for others"})
    modules = f'[submodule "inner"]\n\tpath = inner\n\turl = file://{repositories.directory}/inner/.git\n'
    (where / ".gitmodules").write_text(modules)
    git(where, "add", ".gitmodules")
    git(where, "update-index", "--add", "--cacheinfo", f"160000,{inner},inner")
    git(where, "commit", "--quiet", "--message", "Nest")


@pytest.fixture(scope="module")
def running(shipyard: Deck, client: Client, repositories: Repositories) -> tuple[Application, Repository, str]:
    """An application whose first version serves."""
    repository = repositories.sample("dockerfile", "steady")
    application = client.application("steady", repository.source(), health=QUICK)
    return application, repository, client.deployed(application)


@pytest.mark.usefixtures("nested")
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_failed_deployment_says_why_and_leaves_the_running_version_alone(
    shipyard: Deck,
    client: Client,
    repositories: Repositories,
    running: tuple[Application, Repository, str],
    closed: str,
    case: Case,
) -> None:
    application, repository, first = running
    assert shipyard.docker_host
    with View(shipyard.docker_host) as engine:
        before = [container["Id"] for container in engine.containers(application.id)]
        images = {image["Id"] for image in engine.images(application.id)}
    repository.change(dockerfile() | case.files)
    places = {"{url}": repositories.url, "{closed}": closed}
    changed = dict(case.source)
    for word, place in places.items():
        changed = {key: value.replace(word, place) for key, value in changed.items()}
    client.post(f"/api/resources/{application.id}/source", {"source": repository.source(**changed)})
    deployment = client.redeploy(application)
    shown = client.wait(deployment, 60)
    assert shown["status"]["current"] == "failed"
    failure = shown["latestFailure"]
    assert failure["phase"] == case.phase, failure
    assert case.says in failure["message"], failure
    assert case.hint in failure["message"], failure
    assert not any(word in failure["message"] for word in ("Traceback", "Errno", "object at 0x"))
    assert client.visit(client.hostname(first)).text == "dockerfile 1\n"
    settled(shipyard, client, application, first)
    with View(shipyard.docker_host) as engine:
        assert [container["Id"] for container in engine.containers(application.id)] == before
        assert {image["Id"] for image in engine.images(application.id)} == images


def test_a_first_deployment_that_fails_leaves_no_route(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    files = dockerfile(command='["python3", "-c", "exit(3)"]') | {"server.py": ""}
    application = client.application("stillborn", repositories.add("stillborn", files).source(), health=QUICK)
    deployment = client.deploy(application)
    assert client.wait(deployment, 60)["status"]["current"] == "failed"
    settled(shipyard, client, application, None)
    assert client.visit(client.hostname(deployment)).status_code in {404, 503}
    assert not [image for image in _images(shipyard, application) if image]


def test_a_private_repository_is_deployed_with_its_token_which_nobody_is_shown(
    shipyard: Deck, client: Client, repositories: Repositories, closed: str
) -> None:
    repository = Repository(repositories.directory / "closed", f"http://ada:{PASSWORD}@{closed}/closed/.git")
    application = client.application("closed", repository.source(), health=QUICK)
    deployment = client.deployed(application)
    settled(shipyard, client, application, deployment)
    for path in (f"/api/resources/{application.id}", f"/api/deployments/{deployment}"):
        assert PASSWORD not in str(client.get(path))
    assert PASSWORD not in str(client.logs(deployment))
    assert PASSWORD not in shipyard.log("server", 10_000)


def test_an_image_without_a_port_is_refused_before_it_runs(shipyard: Deck, client: Client) -> None:
    application = client.application(
        "portless", {"kind": "docker-image", "locator": "busybox:latest"}, port=None,
        runtime={"strategy": "prebuilt-image", "startCommand": "sleep 1000"},
    )  # fmt: skip
    deployment = client.deploy(application)
    shown = client.wait(deployment, 60)
    assert shown["status"]["current"] == "failed"
    assert error_code(shipyard, deployment) == "internal_port_missing"
    assert "no port" in shown["latestFailure"]["message"]
    assert "port=N; in the console" in shown["latestFailure"]["message"]
    settled(shipyard, client, application, None)


def test_an_image_for_another_processor_says_so(shipyard: Deck, client: Client) -> None:
    other, reference = foreign_image(str(shipyard.docker_host))
    source = {"kind": "docker-image", "locator": reference}
    application = client.application("foreign", source, runtime={"strategy": "prebuilt-image"}, health=QUICK)
    deployment = client.deploy(application)
    shown = client.wait(deployment, 60)
    assert shown["status"]["current"] == "failed"
    assert error_code(shipyard, deployment) == "image_architecture_differs"
    assert f"The image is made for {other}, and the server is" in shown["latestFailure"]["message"]
    assert "Deploy an image for" in shown["latestFailure"]["message"]
    assert f"{reference} is made for {other}" in client.told(deployment)
    settled(shipyard, client, application, None)


def _images(shipyard: Deck, application: Application) -> list[str]:
    assert shipyard.docker_host
    with View(shipyard.docker_host) as engine:
        return [image["Id"] for image in engine.images(application.id)]
