"""A new version takes over without a gap, and an old one comes back without its repository."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.afterwards import CONTAINED, HEALTH, MORTAL, SERVER, dies, finds_its_port_taken
from e2e.client import Client, Refused
from e2e.engine import View
from e2e.repositories import Repositories
from e2e.server import Deck
from e2e.traffic import Traffic
from e2e.truth import rows, settled

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.root]


def test_visitors_see_no_failure_and_both_containers_live_at_once(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.sample("dockerfile", "overlap")
    application = client.application("overlap", repository.source())
    began = time.time()
    first = client.deployed(application)
    repository.release("2")
    with Traffic(shipyard.edge_port, client.hostname(first)) as traffic:
        time.sleep(0.5)
        second = client.succeeded(client.redeploy(application))
        settled(shipyard, client, application, second)
    assert not traffic.failures
    assert set(traffic.answers) == {"dockerfile 1", "dockerfile 2"}
    assert client.visit(client.hostname(second)).text == "dockerfile 2\n"
    assert shipyard.docker_host
    with View(shipyard.docker_host) as engine:
        lives: dict[str, dict[str, int]] = {}
        for event in engine.events(application.id, began - 5, time.time() + 1):
            deployment = event["Actor"]["Attributes"]["quarterdeck.deployment"]
            lives.setdefault(deployment, {})[event["Action"]] = event["timeNano"]
    assert lives[second]["start"] < lives[first]["die"], lives


def test_a_rollback_gives_back_the_exact_image_after_the_repository_is_gone(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.sample("dockerfile", "back")
    application = client.application("back", repository.source())
    first = client.deployed(application)
    assert shipyard.docker_host
    with View(shipyard.docker_host) as engine:
        (original,) = engine.containers(application.id)
    repository.release("2")
    second = client.succeeded(client.redeploy(application))
    assert client.visit(client.hostname(second)).text == "dockerfile 2\n"
    settled(shipyard, client, application, second)
    repository.delete()
    readiness = client.get(f"/api/deployments/{second}/recovery-readiness")
    assert first in [candidate["deploymentId"] for candidate in readiness["rollback"]["candidates"]]
    third = client.succeeded(client.rollback(second, first))
    assert client.visit(client.hostname(third)).text == "dockerfile 1\n"
    settled(shipyard, client, application, third)
    with View(shipyard.docker_host) as engine:
        (given_back,) = engine.containers(application.id)
    assert given_back["ImageID"] == original["ImageID"]
    assert given_back["Id"] != original["Id"]


def test_two_deployments_at_once_end_with_one_version_serving(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.sample("dockerfile", "twice")
    application = client.application("twice", repository.source())
    first = client.deploy(application)
    second = client.deploy(application)
    assert client.wait(first)["status"]["current"] in {"canceled", "succeeded"}
    client.succeeded(second)
    assert client.visit(client.hostname(second)).status_code == 200
    settled(shipyard, client, application, second)


def test_of_many_asked_for_at_once_the_last_one_serves_and_says_which_it_replaced(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.add("crowd", {"server.py": SERVER, **CONTAINED})
    application = client.application("crowd", repository.source())
    first = client.deployed(application)
    repository.release("2")
    with Traffic(shipyard.edge_port, client.hostname(first)) as traffic, ThreadPoolExecutor(4) as crowd:
        asked = [made.result() for made in [crowd.submit(client.redeploy, application) for _ in range(4)]]
        order = sorted(asked, key=lambda one: _number(shipyard, one))
        assert [_number(shipyard, one) for one in order] == [2, 3, 4, 5]
        for deployment in order[:-1]:
            assert client.wait(deployment)["status"]["current"] == "canceled"
        last = client.succeeded(order[-1])
        settled(shipyard, client, application, last)
    assert not traffic.failures
    assert client.visit(client.hostname(last)).text == "dockerfile 2\n"
    for deployment, by in itertools.pairwise(order):
        query = f"SELECT b.ref FROM deploy_deployments a JOIN deploy_deployments b ON b.id = a.superseded_by_id WHERE a.ref = '{deployment}'"  # noqa: E501
        assert rows(shipyard, query) == [(by,)]


def _number(deck: Deck, deployment: str) -> int:
    return int(rows(deck, f"SELECT number FROM deploy_deployments WHERE ref = '{deployment}'")[0][0])


def test_a_canceled_deployment_leaves_nothing_and_the_running_version_serves(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.sample("dockerfile", "cancel")
    application = client.application("cancel", repository.source())
    first = client.deployed(application)
    slow = (repository.directory / "Dockerfile").read_text().replace("COPY", "RUN sleep 60\nCOPY", 1)
    repository.change({"Dockerfile": slow})
    with Traffic(shipyard.edge_port, client.hostname(first)) as traffic:
        second = client.redeploy(application)
        while not any("sleep 60" in line["message"] for line in client.logs(second)):
            assert client.status(second) not in {"failed", "succeeded"}
            time.sleep(0.1)
        asked = time.monotonic()
        assert client.cancel(second)["status"] == "canceled"
        assert client.wait(second, 20)["status"]["current"] == "canceled"
        assert time.monotonic() - asked < 20
        settled(shipyard, client, application, first)
    assert not traffic.failures
    assert set(traffic.answers) == {"dockerfile 1"}
    with pytest.raises(Refused) as refused:
        client.cancel(second)
    assert refused.value.status == 409
    assert refused.value.code == "deployment_cancel_not_allowed"


def test_an_application_leaves_memory_to_others_unless_an_operator_says_otherwise(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    application = client.application("modest", repositories.sample("dockerfile", "modest").source())
    client.deployed(application)
    assert shipyard.docker_host
    with View(shipyard.docker_host) as engine:
        (container,) = engine.containers(application.id)
        limit, whole = engine.memory(container["Id"])
    assert limit == pytest.approx(whole * 0.75, rel=0.01)


def test_an_application_that_ends_after_its_success_is_restarted_and_told_of(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.add("mortal", {"server.py": MORTAL, **CONTAINED})
    dies(shipyard, client, client.application("mortal", repository.source(), health=HEALTH), repository)


def test_a_container_whose_port_a_stranger_took_gets_another(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.add("robbed", {"server.py": SERVER, **CONTAINED})
    application = client.application("robbed", repository.source())
    host, done = finds_its_port_taken(shipyard, client, application)
    assert done["status"] == "succeeded"
    assert client.visit(host).text == "dockerfile 1\n"
    assert shipyard.docker_host
    with View(shipyard.docker_host) as engine:
        assert len(engine.containers(application.id)) == 1


def test_logs_and_events_can_be_followed_from_the_first_line_to_the_end(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    application = client.application("told", repositories.sample("dockerfile", "told").source())
    deployment = client.deploy(application)
    seen = list(client.stream(f"/api/deployments/{deployment}/events/stream", untilTerminal="true"))
    kinds = [data["event"]["eventType"] for _, data in seen if data.get("kind") == "event"]
    assert kinds[0] == "deployment-requested"
    assert kinds[-1] == "deployment-succeeded"
    sequence = [data["event"]["sequence"] for _, data in seen if data.get("kind") == "event"]
    assert sequence == sorted(set(sequence))
    assert seen[-1][0] == "done"
    phases = {line["phase"] for line in client.logs(deployment)}
    assert {"detect", "plan", "package", "deploy", "verify"} <= phases
    settled(shipyard, client, application, deployment)
