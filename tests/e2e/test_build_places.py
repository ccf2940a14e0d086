"""Images that are built on one server and run on another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.client import Client, Refused, signed_in
from e2e.engine import View
from e2e.over_ssh import application, dockerfile, eventually, key_pair, register, running, visit
from e2e.repositories import Repositories, Repository
from e2e.server import Deck, deck
from e2e.test_load import COMPOSE
from e2e.truth import error_code
from real import base_images
from real.host import Machine, machine

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Machine]:
    with machine(8, authorized=[keys[1]]) as made:
        yield made


@pytest.fixture(scope="module")
def yard(place: Path, docker_images: str) -> Iterator[Deck]:
    with deck(place / "builds", docker_host=docker_images) as made:
        yield made


@pytest.fixture(scope="module")
def client(yard: Deck) -> Iterator[Client]:
    with signed_in(yard) as made:
        made.server()  # this machine is the first of them
        yield made


@pytest.fixture(scope="module")
def server(client: Client, there: Machine, keys: tuple[str, str]) -> str:
    return register(client, there, keys[0])


def built_on(builder: str, repository: Repository) -> dict[str, Any]:
    return repository.source(metadata={"buildServerId": builder})


def ids(host: str, resource: str) -> set[str]:
    with View(host) as engine:
        return {row["Id"] for row in engine.images(resource)}


def test_what_this_machine_builds_runs_there_by_its_digest_and_stays_nowhere_else(
    client: Client, yard: Deck, there: Machine, server: str, repositories: Repositories
) -> None:
    repository = repositories.add("built-here", dockerfile("1"))
    app = application(client, server, "built", built_on(client.server(), repository))
    first = client.deployed(app)
    assert visit(client, there, first).text == "1\n"
    assert "Bringing" in client.told(first)
    with View(there.docker_host) as engine:
        (container,) = engine.containers(app.id)
    assert ids(there.docker_host, app.id) == {container["ImageID"]}
    assert yard.docker_host
    assert ids(yard.docker_host, app.id) == set()

    repository.change(dockerfile("2"))
    second = client.succeeded(client.redeploy(app))
    repository.delete()
    third = client.succeeded(client.rollback(second, first))
    assert visit(client, there, third).text == "1\n"
    assert "Bringing" not in client.told(third)
    eventually(lambda: running(there, app), [third])


def test_a_stack_is_built_elsewhere_too(
    client: Client, yard: Deck, there: Machine, server: str, repositories: Repositories
) -> None:
    base_images.ensure(there.docker_host, ["busybox"])
    repository = repositories.sample("sockets", "stack-elsewhere")
    repository.change({"compose.yml": COMPOSE})
    source = built_on(client.server(), repository)
    app = application(client, server, "stack", source, port=None, kind="compose-stack")
    assert visit(client, there, client.deployed(app)).text == "1 stack\n"  # that server has no Python to build with
    assert yard.docker_host
    assert ids(yard.docker_host, app.id) == set()


def test_a_server_builds_for_this_machine_and_its_cut_connection_is_got_over(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    slow = dockerfile("3")["Dockerfile"].replace("RUN mkdir", "RUN sleep 4; mkdir")
    app = client.application("for-here", built_on(server, repositories.add("for-here", {"Dockerfile": slow})))
    deployment = client.deploy(app)
    eventually(lambda: "sleep 4" in client.told(deployment), True)
    there.cut()
    client.succeeded(deployment)
    assert client.visit(client.hostname(deployment)).text == "3\n"
    assert "was cut off" in client.told(deployment)
    assert ids(there.docker_host, app.id) == set()


def test_a_build_server_that_is_away_is_named_and_what_runs_goes_on(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    repository = repositories.add("away", dockerfile("1"))
    app = client.application("away", built_on(server, repository))
    first = client.deployed(app)
    repository.change(dockerfile("2"))
    there.off()
    try:
        second = client.redeploy(app)
        assert client.wait(second)["status"]["current"] == "failed"
        assert error_code(client.deck, second) == "ssh_unreachable"
        assert there.address in str(client.show(second)["latestFailure"])
        assert client.visit(client.hostname(first)).text == "1\n"
    finally:
        there.on()


def test_what_cannot_build_is_refused_and_who_builds_for_others_is_not_deleted(
    client: Client, server: str, repositories: Repositories
) -> None:
    repository = repositories.add("refused", dockerfile("1"))
    with pytest.raises(Refused) as refused:
        client.application("refused", built_on("srv_000000000000", repository))
    assert refused.value.status == 404
    client.application("kept", built_on(server, repository))
    found = client.get(f"/api/servers/{server}/delete-check")
    assert "source-link" in {one["kind"] for one in found["blockers"]}
