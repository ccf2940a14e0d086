"""New versions under load: no request fails, over connections that stay and over new ones, and WebSockets live through
their grace; for a container and a Compose stack, on this machine and on a server behind SSH.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.client import Application, Client, signed_in
from e2e.conftest import own_database
from e2e.engine import View
from e2e.load import RATE, Load, Talk, load, said
from e2e.over_ssh import key_pair, register
from e2e.repositories import Repositories, Repository
from e2e.server import deck
from e2e.truth import leftovers, unfinished_jobs, until
from real import base_images
from real.host import machine
from support.run import ALL, SEED

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.wrk, pytest.mark.root]

ROUNDS = 20 if ALL else 2
LEAST_RATE = 0.9 * RATE if ALL else 0.4 * RATE
"""A run beside the other half of the tests gets less of the machine."""
GRACE_SECONDS = 30
COMPOSE = """
services:
  web:
    build: .
    ports: ["80:3000"]
    environment: {WORD: "stack"}
    depends_on: [store]
  store:
    image: busybox
    command: sh -c "exec httpd -f -p 5432 -h /data"
    volumes: [data:/data]
    stop_grace_period: 0s
volumes:
  data:
"""
KINDS = ("container", "stack")
PLACES = (("here", "sqlite"), ("there", "sqlite"), ("here", "postgresql"), ("there", "postgresql"))
IN_TURN = [(place, KINDS[(SEED + number) % 2]) for number, place in enumerate(PLACES[:2])]
"""What is loaded in a sampled run: one kind here and the other there."""


@dataclass
class Yard:
    """An installation, and the server of it that is deployed to: where its edge answers, and which engine it has."""

    client: Client
    server: str
    address: str
    docker_host: str
    repositories: Repositories

    def application(self, kind: str, name: str) -> tuple[Application, Repository]:
        repository = self.repositories.sample("sockets", f"{name}-{self.server}")
        if kind == "stack":
            repository.change({"compose.yml": COMPOSE})
            made = self.client.application(name, repository.source(), port=None, kind="compose-stack")
        else:
            made = self.client.application(name, repository.source())
        made.server = self.server
        return made, repository

    def containers(self, application: Application) -> list[dict[str, Any]]:
        with View(self.docker_host) as engine:
            return [one for one in engine.containers(application.id) if one["State"] == "running"]


@pytest.fixture(scope="module")
def yard(request: pytest.FixtureRequest, place: Path, docker_images: str, repositories: Repositories) -> Iterator[Yard]:
    where, database_kind = request.param
    here = where == "here"
    private_key, public_line = key_pair()
    with (
        contextlib.contextmanager(own_database)(database_kind, request) as database_url,
        deck(
            place / f"load-{where}-{database_kind}",
            docker_host=docker_images if here else None,
            database_url=database_url,
        ) as made,
        signed_in(made) as client,
    ):
        if here:
            yield Yard(client, client.server(), f"127.0.0.1:{made.edge_port}", docker_images, repositories)
            return
        with machine(4, authorized=[public_line]) as there:
            base_images.ensure(there.docker_host, ["python", "busybox"])
            server = register(client, there, private_key)
            yield Yard(client, server, there.address, there.docker_host, repositories)


@pytest.mark.parametrize(
    ("yard", "kind"),
    [(place, kind) for place in PLACES for kind in KINDS] if ALL else IN_TURN,
    indirect=["yard"],
    ids=lambda one: one if isinstance(one, str) else "-".join(one),
    scope="module",
)
def test_no_request_fails_while_versions_change(yard: Yard, kind: str) -> None:
    application, repository = yard.application(kind, f"busy-{kind}")
    client = yard.client
    first = client.deployed(application)
    host = client.hostname(first)
    talk, changed = Talk(yard.address, host), 0.0
    try:
        with load(yard.address, host) as found:
            time.sleep(1)
            for version in range(2, ROUNDS + 2):
                repository.release(str(version))
                client.succeeded(client.redeploy(application))
                changed = changed or time.monotonic()
                time.sleep(0.5)
        word = " stack" if kind == "stack" else ""
        check(found, [f"{version}{word}" for version in range(1, ROUNDS + 2)])
        if ALL or kind == "container":
            lives_through_its_grace(talk, changed)
        assert said(talk.answers) == "1"
    finally:
        talk.close()
    settled(yard, application, 1 if kind == "container" else 2)


def lives_through_its_grace(talk: Talk, changed: float) -> None:
    """Long after its version was replaced that version still answers, and says goodbye when it has to end."""
    until(lambda: talk.ended is not None, lambda: talk.answers[-3:], GRACE_SECONDS + 30)
    assert talk.ended is not None
    assert talk.ended - changed > GRACE_SECONDS - 5
    assert talk.code == 1001


def check(found: Load, versions: list[str]) -> None:
    assert found.failures == {}, found
    assert sorted(found.seen) == sorted(versions), found
    assert found.rate >= LEAST_RATE, found


def settled(yard: Yard, application: Application, containers: int) -> None:
    """Nothing of the versions before is left."""

    def facts() -> tuple[Any, ...]:
        return len(yard.containers(application)), leftovers(yard.client.deck), unfinished_jobs(yard.client.deck)

    until(lambda: facts() == (containers, [], []), lambda: (facts(), yard.client.deck.log("server", 20)))
