"""A server behind SSH that is cut off, switched off or never there in the middle of what is done to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.client import Client, signed_in
from e2e.engine import View
from e2e.over_ssh import (
    HEALTH,
    answer,
    application,
    begun,
    dockerfile,
    eventually,
    key_pair,
    lifecycle,
    register,
    running,
    visit,
)  # fmt: skip
from e2e.repositories import Repositories
from e2e.server import deck
from e2e.truth import error_code
from real.host import Machine, machine
from support.run import sample

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]
PHASES = ("package", "deploy", "verify", "cut-over")


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Machine]:
    with machine(2, authorized=[keys[1]]) as made:
        yield made


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    """What is cut is the connection to a server: one database is enough."""
    with deck(place / "cuts") as made, signed_in(made) as client:
        yield client


@pytest.fixture(scope="module")
def server(client: Client, there: Machine, keys: tuple[str, str]) -> str:
    return register(client, there, keys[0])


def test_a_reboot_is_survived_and_nothing_is_said_to_have_ended_meanwhile(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    app = application(client, server, "boot", repositories.add(f"boot-{server}", dockerfile("1")).source())
    deployment = client.deployed(app)
    eventually(lambda: lifecycle(client, app), "running")
    there.off()
    eventually(lambda: lifecycle(client, app), "unknown", 40)
    shown = client.get(f"/api/resources/{app.id}/health")
    assert there.address in str(shown), shown
    there.on()
    eventually(lambda: answer(client, there, deployment), (200, "1\n"), 60)
    eventually(lambda: lifecycle(client, app), "running", 60)
    eventually(lambda: running(there, app), [deployment])


@pytest.mark.parametrize("phase", sample(PHASES, 2, "ssh-cuts"))
def test_a_deployment_that_is_cut_off_goes_on_where_it_was(
    client: Client, there: Machine, server: str, repositories: Repositories, phase: str
) -> None:
    repository = repositories.add(f"cut-{phase}-{server}", dockerfile("1"))
    app = application(client, server, f"cut-{phase}", repository.source(), health=HEALTH)
    first = client.deployed(app)
    slow = dockerfile("2")["Dockerfile"].replace("echo version", "sleep 2; echo version")
    repository.change({"Dockerfile": slow.replace("RUN mkdir", "RUN sleep 2; mkdir")})
    second = client.redeploy(app)
    eventually(lambda: begun(client, second, phase), True)
    there.cut()
    assert visit(client, there, first).status_code == 200
    client.succeeded(second)
    assert visit(client, there, second).text == "2\n"
    eventually(lambda: running(there, app), [second])
    with View(there.docker_host) as engine:
        eventually(lambda: len(engine.containers(app.id)), 1)


def test_a_cable_that_is_pulled_for_a_while_fails_nothing(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    slow = dockerfile("1")["Dockerfile"].replace("RUN mkdir", "RUN sleep 3; mkdir")
    app = application(client, server, "cable", repositories.add(f"cable-{server}", {"Dockerfile": slow}).source())
    deployment = client.deploy(app)
    eventually(lambda: begun(client, deployment, "package"), True)
    there.unplug()
    time.sleep(20)  # longer than it takes to notice
    there.plug()
    client.succeeded(deployment)
    assert visit(client, there, deployment).text == "1\n"
    assert "is back after" in client.told(deployment)


def test_a_redeployment_during_an_outage_goes_on_when_the_server_is_back(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    slow = dockerfile("1")["Dockerfile"].replace("RUN mkdir", "RUN sleep 3; mkdir")
    app = application(client, server, "outage", repositories.add(f"outage-{server}", {"Dockerfile": slow}).source())
    first = client.deploy(app)
    eventually(lambda: begun(client, first, "package"), True)
    there.off()
    try:
        eventually(lambda: waiting(client, first), "server-away", 60)
        second = client.redeploy(app)
        assert client.wait(first)["deployment"]["status"] == "canceled"
        eventually(lambda: waiting(client, second), "server-away", 60)
        (said,) = [one["safeDetails"] for one in work_of(client, second)]
        assert said["waitingMessage"].startswith(f"The server There {there.number} does not answer since "), said
        assert "qd server test" in said["waitingHint"]
    finally:
        there.on()
    client.succeeded(second)
    assert visit(client, there, second).text == "1\n"
    assert waiting(client, second) is None


def work_of(client: Client, deployment: str) -> list[dict[str, Any]]:
    items = client.get("/api/operator-work", deploymentId=deployment)["items"]
    return [one for one in items if one["kind"] == "deployment"]


def waiting(client: Client, deployment: str) -> str | None:
    """Why the work of an attempt does not go on."""
    (found,) = work_of(client, deployment)
    return found["safeDetails"].get("waitingReason")


def test_a_host_that_cannot_be_reached_is_said_so(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    app = application(client, server, "nobody", repositories.add(f"nobody-{server}", dockerfile("1")).source())
    there.off()
    try:
        began = time.monotonic()
        deployment = client.deploy(app)
        failed = client.wait(deployment)
        assert error_code(client.deck, deployment) == "ssh_unreachable", failed["latestFailure"]
        assert time.monotonic() - began < 60
    finally:
        there.on()
