"""The engine is restarted, or goes away, under a deployment: it ends true, and what served serves again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.afterwards import answers, control, runtime_of
from e2e.client import Application, Client, signed_in
from e2e.engine import View
from e2e.repositories import Repositories, Repository
from e2e.server import Deck, deck
from e2e.truth import error_code, runtimes, settled, unfinished_jobs, until
from real.engine import RunEngine

pytestmark = [pytest.mark.engine, pytest.mark.run_engine, pytest.mark.edge, pytest.mark.root]

DOCKERFILE = """FROM busybox:latest
{line}
WORKDIR /www
RUN echo "{text}" > index.html
EXPOSE 3000
STOPSIGNAL SIGKILL
CMD {command}
"""
SERVE = '["httpd", "-f", "-p", "3000", "-h", "/www"]'
PATIENT = {"enabled": True, "type": "http", "intervalSeconds": 1, "timeoutSeconds": 1, "retries": 60,
           "startPeriodSeconds": 1, "http": {"path": "/", "method": "GET", "scheme": "http",
                                             "host": "localhost", "expectedStatusCode": 200}}  # fmt: skip


@pytest.fixture(scope="module")
def yard(
    place: Path, run_engine: RunEngine, docker_images: str, database_url: str | None, worker_kind: str
) -> Iterator[Deck]:
    remote = worker_kind == "remote"
    options = {"docker_host": run_engine.host, "database_url": database_url, "remote_worker": remote}
    with deck(place / f"lost-{worker_kind}-{bool(database_url)}", **options) as made:
        yield made


@pytest.fixture(scope="module")
def client(yard: Deck) -> Iterator[Client]:
    with signed_in(yard) as made:
        yield made


def files(text: str = "one", line: str = "", command: str = SERVE) -> dict[str, str]:
    return {"Dockerfile": DOCKERFILE.format(text=text, line=line, command=command)}


@pytest.fixture(scope="module")
def running(client: Client, repositories: Repositories) -> tuple[Application, Repository, str]:
    """An application whose first version serves."""
    repository = repositories.add("exposed", files())
    application = client.application("exposed", repository.source(), health=PATIENT)
    return application, repository, client.deployed(application)


def begun(client: Client, application: Application, phase: str, says: str) -> str:
    """A redeployment that has come to where its log says so."""
    deployment = client.redeploy(application)

    def told() -> bool:
        return any(line["phase"] == phase and says in line["message"] for line in client.logs(deployment))

    until(told, lambda: (client.show(deployment)["status"], client.told(deployment)))
    return deployment


def serves_again(yard: Deck, client: Client, application: Application, first: str) -> None:
    host = client.hostname(first)
    until(lambda: answers(client, host), lambda: (runtimes(yard, application), yard.log("server", 20)))
    assert client.visit(host).text == "one\n"
    settled(yard, client, application, first)
    assert yard.docker_host
    with View(yard.docker_host) as engine:
        assert len(engine.images(application.id)) == 1


def test_an_engine_restarted_in_the_middle_of_a_build_ends_the_deployment_and_nothing_else(
    yard: Deck, run_engine: RunEngine, client: Client, running: tuple[Application, Repository, str]
) -> None:
    application, repository, first = running
    repository.change(files("two", line="RUN printf 'doz%s' ing && echo && sleep 300"))
    deployment = begun(client, application, "package", "dozing")
    run_engine.stop()
    run_engine.start()
    shown = client.wait(deployment, 60)
    assert shown["status"]["current"] == "failed"
    failure = shown["latestFailure"]
    assert failure["phase"] == "package", failure
    assert error_code(yard, deployment) == "docker_unavailable", failure["message"] + client.told(deployment)
    assert "engine" in failure["message"]
    assert "try again" in failure["message"]
    serves_again(yard, client, application, first)


def test_an_engine_gone_in_the_middle_of_a_deployment_ends_it_and_is_tidied_up_when_it_is_back(
    yard: Deck, run_engine: RunEngine, client: Client, running: tuple[Application, Repository, str]
) -> None:
    application, repository, first = running
    repository.change(files("three", command='["sleep", "1000"]'))
    deployment = begun(client, application, "verify", "Try 1")
    run_engine.stop()
    try:
        shown = client.wait(deployment, 60)
        assert shown["status"]["current"] == "failed"
        failure = shown["latestFailure"]
        assert failure["phase"] == "verify", failure
        # An engine that is stopped ends containers first, so either may be seen.
        assert error_code(yard, deployment) in {"docker_unavailable", "runtime_exited"}, failure
        assert "engine" in failure["message"].lower()
        assert "try again" in failure["message"] or "Start Docker" in failure["message"]

        def seen() -> tuple[str, str]:
            health = client.get(f"/api/resources/{application.id}/health")
            return health["overall"], health["runtime"].get("message", "")

        until(lambda: seen() == ("unknown", "The Docker engine does not answer."), seen, 20)

        again = client.redeploy(application)
        shown = client.wait(again, 60)
        assert shown["status"]["current"] == "failed"
        assert error_code(yard, again) == "docker_unavailable", shown["latestFailure"]
        assert "Docker" in shown["latestFailure"]["message"]
    finally:
        run_engine.start()
    serves_again(yard, client, application, first)


def test_a_container_whose_port_is_taken_while_the_engine_is_away_gets_another_by_itself(
    yard: Deck, run_engine: RunEngine, client: Client, running: tuple[Application, Repository, str]
) -> None:
    application, _, first = running
    port = int(runtime_of(yard, first)["host_port"])
    run_engine.stop()
    with socket.socket() as stranger:
        try:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind(("127.0.0.1", port))
            stranger.listen()  # and never answers
        finally:
            run_engine.start()
        serves_again(yard, client, application, first)
        assert int(runtime_of(yard, first)["host_port"]) != port


def test_a_stopped_container_keeps_its_network_and_does_without_when_somebody_removed_it(
    yard: Deck, client: Client, running: tuple[Application, Repository, str]
) -> None:
    application, repository, first = running
    control(client, application, "stop")
    repository.change(files("five", line="RUN false"))
    assert client.wait(client.redeploy(application), 60)["status"]["current"] == "failed"
    until(lambda: unfinished_jobs(yard) == [], lambda: unfinished_jobs(yard))  # its cleaning has come to an end
    container = runtime_of(yard, first)["container"]
    assert control(client, application, "start")["status"] == "succeeded"
    serves_again(yard, client, application, first)
    assert runtime_of(yard, first)["container"] == container

    control(client, application, "stop")
    assert yard.docker_host
    with View(yard.docker_host) as engine:
        engine.clear([])  # removes networks that nobody who runs is joined to
    assert control(client, application, "start")["status"] == "succeeded"
    serves_again(yard, client, application, first)
    assert runtime_of(yard, first)["container"] != container


def test_afterwards_the_same_application_is_deployed_as_ever(
    yard: Deck, client: Client, running: tuple[Application, Repository, str]
) -> None:
    application, repository, _ = running
    repository.change(files("four"))
    deployment = client.succeeded(client.redeploy(application))
    assert client.visit(client.hostname(deployment)).text == "four\n"
    settled(yard, client, application, deployment)
