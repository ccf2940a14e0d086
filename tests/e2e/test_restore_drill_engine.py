"""A machine with an engine burns down: images and volumes are no part of a backup, and what ran of them works again."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e import clearing
from e2e.afterwards import health
from e2e.client import Application, Client, signed_in
from e2e.conftest import own_database
from e2e.engine import View
from e2e.repositories import Repositories, Repository
from e2e.server import Deck, deck, environment
from e2e.test_restore_drill import burn, empty_postgresql, facts, quarterdeck
from e2e.truth import audit_problems, rows, settled, unfinished_jobs, until

__all__ = ["empty_postgresql"]
pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.root]

PAGE = """FROM busybox
CMD mkdir -p /www && echo "drill VERSION $CODE" > /www/index.html && exec httpd -f -p 3000 -h /www
"""
WEB = """FROM busybox
CMD mkdir -p /www && wget -qO- http://store:5432/starts > /www/index.html && exec httpd -f -p 3000 -h /www
"""
COMPOSE = """
services:
  web:
    build: .
    init: true
    ports: ["80:3000"]
    depends_on: {store: {condition: service_healthy}}
  store:
    image: busybox
    command: sh -c "echo $$(cat /data/starts 2>/dev/null)x > /data/starts; exec httpd -f -p 5432 -h /data"
    init: true
    volumes: [data:/data]
    healthcheck: {test: "wget -qO- http://127.0.0.1:5432/starts", interval: 1s, timeout: 2s}
    stop_grace_period: 0s
volumes:
  data:
"""


@dataclass
class Drill:
    """An application that has two versions and a secret, and a stack whose store counts its starts on a volume."""

    made: Deck
    client: Client
    repository: Repository
    application: Application
    stack: Application
    first: str
    second: str
    stacked: str
    file: Path
    key: Path

    def image(self, application: Application) -> list[str]:
        """Of what runs of it."""
        assert self.made.docker_host
        with View(self.made.docker_host) as engine:
            return sorted(one["ImageID"] for one in engine.containers(application.id) if one["State"] == "running")

    def said(self, deployment: str) -> str:
        with contextlib.suppress(OSError):
            answer = self.client.visit(self.client.hostname(deployment))
            return answer.text.strip() if answer.status_code == 200 else str(answer.status_code)
        return ""


@pytest.fixture
def drill(
    docker_images: str, place: Path, database_kind: str, repositories: Repositories, request: pytest.FixtureRequest
) -> Iterator[Drill]:
    name = f"drill-{database_kind}-{request.node.originalname[:30]}"
    with (
        contextlib.contextmanager(own_database)(database_kind, request) as url,
        deck(place / name, docker_host=docker_images, database_url=url) as made,
        signed_in(made) as client,
    ):
        repository = repositories.add(f"page-{name}", {"Dockerfile": PAGE.replace("VERSION", "1")})
        application = client.application("page", repository.source())
        secret = {"key": "CODE", "value": "0000-secret", "kind": "secret", "exposure": "runtime", "isSecret": True}
        client.post(f"/api/resources/{application.id}/variables", secret)
        files = {"Dockerfile": WEB, "compose.yml": COMPOSE}
        source = repositories.add(f"stack-{name}", files).source()
        stack = client.application("stack", source, port=None, kind="compose-stack")
        first, stacked = client.deployed(application), client.deployed(stack)
        repository.change({"Dockerfile": PAGE.replace("VERSION", "2")})
        second = client.succeeded(client.redeploy(application))
        settled(made, client, application, second)
        file, key = place / f"{name}.tar.gz", place / f"{name}.key"
        yield Drill(made, client, repository, application, stack, first, second, stacked, file, key)


def restored(drill: Drill, request: pytest.FixtureRequest, *, engine_keeps_images: bool) -> None:
    """Back up, lose everything but key and backup, and perhaps images and volumes, and restore."""
    made = drill.made
    quarterdeck(made, "backup", str(drill.file))
    made.stop(graceful=False)
    before = facts(made, without="")
    if engine_keeps_images:
        lose_containers(made, drill.key)
    else:
        burn(made, drill.key)
    if made.database_url:
        made.database_url = request.getfixturevalue("empty_postgresql")
        (made.data.parent / "database-url").write_text(made.database_url)
    quarterdeck(made, "restore", str(drill.file), "--key", str(drill.key))
    assert facts(made, without="") == before
    made.start()
    drill.client.sign_in()
    assert audit_problems(made) == []


def lose_containers(made: Deck, key: Path) -> None:
    shutil.copy(made.data / "master.key", key)
    subprocess.run([sys.executable, str(clearing.__file__), str(made.runtime)], check=True, env=environment(None))
    assert made.docker_host
    with View(made.docker_host) as engine:
        for one in (one for resource in made.resources for one in engine.containers(resource)):
            engine.remove(one["Id"])
    shutil.rmtree(made.data)


def quiet(drill: Drill) -> None:
    until(lambda: unfinished_jobs(drill.made) == [], lambda: unfinished_jobs(drill.made), 120)


def test_what_ran_in_containers_runs_again_from_the_images_that_the_engine_has(
    drill: Drill, request: pytest.FixtureRequest
) -> None:
    client, made = drill.client, drill.made
    images, of_stack = drill.image(drill.application), drill.image(drill.stack)
    assert (drill.said(drill.second), drill.said(drill.stacked)) == ("drill 2 0000-secret", "x")
    restored(drill, request, engine_keeps_images=True)

    def again() -> Any:
        return drill.said(drill.second), drill.said(drill.stacked)

    # The stack's store has its volume, and knows that it was started before.
    until(lambda: again() == ("drill 2 0000-secret", "xx"), lambda: (again(), made.log()), 120)
    quiet(drill)
    assert drill.image(drill.application) == images
    assert drill.image(drill.stack) == of_stack
    third = client.succeeded(client.rollback(drill.second, drill.first))
    assert drill.said(third) == "drill 1 0000-secret"
    settled(made, client, drill.application, third)
    assert drill.image(drill.application) != images


@pytest.mark.full
def test_on_a_new_machine_it_is_said_what_is_missing_and_deploying_again_is_enough(
    drill: Drill, request: pytest.FixtureRequest
) -> None:
    client, made = drill.client, drill.made
    restored(drill, request, engine_keeps_images=False)

    def states() -> Any:
        return [health(client, one)["overall"] for one in (drill.application, drill.stack)]

    until(lambda: states() == ["unhealthy", "unhealthy"], lambda: (states(), made.log()), 120)
    assert health(client, drill.application)["runtime"]["message"] == "The container was removed."
    tries = "SELECT error_code FROM jobs WHERE kind = 'runtime.revive' AND error_code IS NOT NULL"
    missing = [("runtime_artifact_missing",)] * 2
    until(lambda: rows(made, tries) == missing, lambda: rows(made, "SELECT kind, state, error_message FROM jobs"), 120)
    failed = client.wait(client.rollback(drill.second, drill.first))
    assert failed["status"]["current"] == "failed"
    assert "redeploy from the source" in failed["latestFailure"]["message"]
    third = client.succeeded(client.redeploy(drill.application))
    stacked = client.succeeded(client.redeploy(drill.stack))
    assert drill.said(third) == "drill 2 0000-secret"
    # The volume is another one; the tries to start the stack again have started its store before.
    assert set(drill.said(stacked)) == {"x"}
    settled(made, client, drill.application, third)
    quiet(drill)
    assert audit_problems(made) == []
