"""A Compose stack of a web service, a store with a volume and a worker, as its owner lives with it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest

from e2e.afterwards import control
from e2e.client import Application, Client, Refused
from e2e.engine import View
from e2e.repositories import Repositories, Repository
from e2e.server import Deck
from e2e.traffic import Traffic
from e2e.truth import error_code, leftovers, unfinished_jobs, until

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.root]

SERVER = """
import os, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
VERSION = "1"
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/starts":
            body = urllib.request.urlopen("http://store:5432/starts", timeout=5).read()
        else:
            body = f"web {VERSION} {os.environ['WORD']}\\n".encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
ThreadingHTTPServer(("0.0.0.0", 3000), Handler).serve_forever()
"""
COMPOSE = """
services:
  web:
    build: .
    init: true
    ports: ["80:3000"]
    environment: {WORD: "${WORD:-nothing}"}
    depends_on: {store: {condition: service_healthy}}
  store:
    image: busybox
    command: sh -c "echo $$(cat /data/starts 2>/dev/null)x > /data/starts; exec httpd -f -p 5432 -h /data"
    environment: {GENERATION: "1"}
    volumes: [data:/data]
    healthcheck: {test: "wget -qO- http://127.0.0.1:5432/starts", interval: 1s, timeout: 2s}
    stop_grace_period: 0s
  worker:
    image: busybox
    command: sh -c "while sleep 1; do echo worked; done"
    init: true
volumes:
  data:
"""
FILES = {
    "server.py": SERVER,
    "Dockerfile": 'FROM python:3.11-slim\nCOPY server.py ./\nCMD ["python3", "server.py"]\n',
    "compose.yml": COMPOSE,
}


def stack(client: Client, repository: Repository, name: str) -> Application:
    return client.application(name, repository.source(), port=None, kind="compose-stack")


def containers(deck: Deck, application: Application) -> dict[str, list[dict[str, Any]]]:
    """Running containers by service; of the one that receives the requests under its deployment."""
    assert deck.docker_host
    found: dict[str, list[dict[str, Any]]] = {}
    with View(deck.docker_host) as engine:
        for one in engine.containers(application.id):
            name = one["Labels"].get("quarterdeck.service") or one["Labels"]["quarterdeck.deployment"]
            found.setdefault(name, []).append(one)
    return found


def ids(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    return {name: [one["Id"] for one in some] for name, some in found.items()}


def quiet(deck: Deck, application: Application, serving: str) -> None:
    """Wait for the clearing; then exactly one container of each service is left, and it runs."""

    def facts() -> tuple[object, ...]:
        there = {name: [one["State"] for one in some] for name, some in containers(deck, application).items()}
        return there, leftovers(deck), unfinished_jobs(deck)

    wanted = {serving: ["running"], "store": ["running"], "worker": ["running"]}
    until(lambda: facts() == (wanted, [], []), lambda: (serving, facts(), deck.log("server", 30)))


def starts(client: Client, deployment: str) -> int:
    """How often a store has started on its volume."""
    return len(client.visit(client.hostname(deployment), "/starts").text.strip())


def test_a_stack_lives_through_new_versions_a_new_store_and_a_rollback_without_its_repository(
    shipyard: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.add("shop", FILES)
    application = stack(client, repository, "shop")
    client.post(
        f"/api/resources/{application.id}/variables",
        {"key": "WORD", "value": "w0rd-4711", "kind": "plain-config", "exposure": "runtime"},
    )
    first = client.deployed(application)
    host = client.hostname(first)
    assert client.visit(host).text == "web 1 w0rd-4711\n"
    quiet(shipyard, application, first)
    before = containers(shipyard, application)
    shown = client.get(f"/api/resources/{application.id}")["resource"]
    assert shown["services"] == [
        {"name": "web", "kind": "web"}, {"name": "store", "kind": "service"}, {"name": "worker", "kind": "service"},
    ]  # fmt: skip

    with Traffic(shipyard.edge_port, host) as traffic:
        repository.release("2")
        second = client.succeeded(client.redeploy(application))
        quiet(shipyard, application, second)
        unchanged = containers(shipyard, application)
        repository.change({"compose.yml": COMPOSE.replace('GENERATION: "1"', 'GENERATION: "2"')})
        third = client.succeeded(client.redeploy(application))
        quiet(shipyard, application, third)
    assert not traffic.failures
    assert set(traffic.answers) == {"web 1 w0rd-4711", "web 2 w0rd-4711"}
    for name in ("store", "worker"):
        assert unchanged[name][0]["Id"] == before[name][0]["Id"], f"{name} was replaced though it did not change"
    assert containers(shipyard, application)["store"][0]["Id"] != before["store"][0]["Id"]
    assert starts(client, third) == 2, "the volume was lost, or the store started more often than it was replaced"

    repository.delete()
    fourth = client.succeeded(client.rollback(third, first))
    quiet(shipyard, application, fourth)
    after = containers(shipyard, application)
    assert client.visit(host).text == "web 1 w0rd-4711\n"
    assert after[fourth][0]["ImageID"] == before[first][0]["ImageID"]
    assert starts(client, fourth) == 3


@pytest.fixture(scope="module")
def served(shipyard: Deck, client: Client, repositories: Repositories) -> tuple[Application, Repository, str]:
    repository = repositories.add("kept", FILES)
    application = stack(client, repository, "kept")
    return application, repository, client.deployed(application)


Kept = tuple[Application, Repository, str]


def test_the_lines_and_the_state_of_each_service_are_told_apart(shipyard: Deck, client: Client, served: Kept) -> None:
    application, _, deployment = served
    path = f"/api/resources/{application.id}/runtime-logs"

    def spoken(**query: str) -> Counter[tuple[str, str]]:
        lines = client.get(path, **query)["logs"]
        return Counter((line["serviceName"], line["message"]) for line in lines)

    until(lambda: ("worker", "worked") in spoken(), spoken)
    assert {name for name, _ in spoken(serviceName="worker", deploymentId=deployment)} == {"worker"}
    with pytest.raises(Refused, match="Use one of store, web, worker"):
        client.get(path, serviceName="nobody")
    where = f"/api/resources/{application.id}/health"
    until(lambda: client.get(where)["runtime"]["lifecycle"] == "running", lambda: client.get(where))
    assert client.get(where)["runtime"]["runtimeKind"] == "docker-compose-stack"

    assert shipyard.docker_host
    transport = httpx.HTTPTransport(uds=shipyard.docker_host.removeprefix("unix://"))
    gone = containers(shipyard, application)["worker"][0]["Id"]
    with httpx.Client(transport=transport, base_url="http://docker") as engine:
        engine.post(f"/containers/{gone}/stop").raise_for_status()
    told: set[str] = set()

    def back() -> bool:
        told.add(str(client.get(where)["runtime"].get("message")))
        found = containers(shipyard, application)["worker"]
        return [one["State"] for one in found] == ["running"] and client.get(where)["overall"] == "healthy"

    until(back, lambda: (told, client.get(where)))
    assert any("worker: Exited" in message for message in told), told
    assert client.visit(client.hostname(deployment)).status_code == 200


@pytest.mark.parametrize("way", ["redeploy", "restart"])
def test_one_store_at_a_time_writes_to_a_volume_whatever_an_attempt_has_left_running(
    shipyard: Deck, client: Client, repositories: Repositories, way: str
) -> None:
    """An attempt that was given up over a cut connection leaves its store running until it is cleared away."""
    repository = repositories.add(f"left-{way}", FILES)
    application = stack(client, repository, f"left-{way}")
    deployment = client.deployed(application)
    quiet(shipyard, application, deployment)
    assert shipyard.docker_host
    with View(shipyard.docker_host) as engine:
        (store,) = containers(shipyard, application)["store"]
        left = engine.twin(store["Id"], f"left-{way}-{application.id}", attempt="dep_000000000000")
        if way == "redeploy":
            repository.change({"compose.yml": COMPOSE.replace('GENERATION: "1"', 'GENERATION: "2"')})
            client.succeeded(client.redeploy(application))
        else:
            assert control(client, application, "restart")["status"] == "succeeded"
        assert not engine.inspect(left)["State"]["Running"]
        running = [one for one in containers(shipyard, application)["store"] if one["State"] == "running"]
        assert len(running) == 1
        engine.remove(left)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("init: true\n    ports", "privileged: true\n    ports", "compose.yml: service web, privileged gives"),
        ("data:/data", "/:/data", "compose.yml: service store, volumes mounts / of the server"),
        ("${WORD:-nothing}", "${MISSING}", "environment.WORD needs the variable MISSING"),
        ("  worker:\n", "  worker:\n    container_name: one\n", "service worker, container_name is one name"),
        ("services:", "services: [", "compose.yml is not valid YAML"),
    ],
)
def test_what_is_unsafe_is_refused_by_the_plan_and_by_the_deployment(
    shipyard: Deck, client: Client, served: Kept, old: str, new: str, why: str
) -> None:
    application, repository, deployment = served
    before = containers(shipyard, application)
    repository.change({"compose.yml": COMPOSE.replace(old, new)})
    asked = {
        "projectId": application.project, "environmentId": application.environment, "resourceId": application.id,
        "serverId": application.server,
    }  # fmt: skip
    plan = client.get("/api/deployments/plan", **asked)
    assert plan["readiness"]["status"] == "blocked"
    assert any(why in one["message"] for one in plan["warnings"]), plan["warnings"]
    refused = client.redeploy(application)
    assert client.wait(refused)["status"]["current"] == "failed"
    assert error_code(shipyard, refused) == "unsupported_container_native_profile"
    assert why in client.told(refused)
    quiet(shipyard, application, deployment)
    assert ids(containers(shipyard, application)) == ids(before)
    repository.change({"compose.yml": COMPOSE})


def test_a_kill_in_the_middle_of_a_replacement_neither_doubles_nor_loses(
    shipyard: Deck, client: Client, served: Kept
) -> None:
    application, repository, deployment = served
    host = client.hostname(deployment)
    slow = COMPOSE.replace('GENERATION: "1"', 'GENERATION: "2"').replace("interval: 1s", "interval: 3s")
    repository.change({"compose.yml": slow})
    killed = client.redeploy(application)
    until(lambda: len(containers(shipyard, application)["store"]) == 2, lambda: client.told(killed))
    shipyard.stop(graceful=False)
    answer = httpx.get(
        f"http://127.0.0.1:{shipyard.edge_port}/", headers={"Host": host}, timeout=15, trust_env=False
    )  # fmt: skip
    assert answer.text == "web 1 nothing\n", "the version that serves does not answer while nobody watches"
    shipyard.start()
    client.succeeded(killed)
    quiet(shipyard, application, killed)
    assert starts(client, killed) == 2
