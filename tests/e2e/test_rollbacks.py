"""Many rollbacks among versions that differ in code and configuration: each gives back exactly what it was."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.client import Application, Client, signed_in
from e2e.engine import View
from e2e.repositories import Repositories
from e2e.server import Deck, deck
from e2e.test_load import COMPOSE
from e2e.truth import unfinished_jobs, until
from quarterdeck.fleet.processes.runtime import Processes
from support.run import ALL, SEED

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.root]

VERSIONS = ("1", "2", "3")
ROUNDS = {"container": 100, "stack": 20, "process": 20} if ALL else {"container": 4, "stack": 2, "process": 2}
OWN = ("quarterdeck.deployment", "quarterdeck.attempt")
"""Labels that name the attempt, not what it runs."""
KEPT = (
    "Binds", "CapAdd", "CapDrop", "Init", "Memory", "NanoCpus", "PidsLimit", "Privileged", "ReadonlyRootfs",
    "RestartPolicy", "SecurityOpt", "Tmpfs", "LogConfig", "Ulimits",
)  # fmt: skip
"""What of the host's side of a container is configuration; the port that it is reached by is not."""


def of_container(found: dict[str, Any]) -> dict[str, Any]:
    config = found["Config"]
    return {
        "image": found["Image"],
        "environment": sorted(config["Env"]),
        **{name: config[name] for name in ("Cmd", "Entrypoint", "User", "WorkingDir", "ExposedPorts", "StopSignal")
           if name in config},
        "labels": {name: value for name, value in config["Labels"].items() if name not in OWN},
        "mounts": sorted((one["Type"], one.get("Name", ""), one["Destination"], one["RW"]) for one in found["Mounts"]),
        **{name: found["HostConfig"].get(name) for name in KEPT},
    }  # fmt: skip


@dataclass
class Place:
    """An installation, and how what runs of an application looks there."""

    deck: Deck
    client: Client
    look: Callable[[Application], Any]


@pytest.fixture(scope="module", params=list(ROUNDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def yard(place: Path, docker_images: str, kind: str) -> Iterator[Place]:
    host = None if kind == "process" else docker_images
    with deck(place / f"back-{kind}", docker_host=host) as made, signed_in(made) as client:

        def contained(application: Application) -> Any:
            with View(docker_images) as engine:
                running = [one for one in engine.containers(application.id) if one["State"] == "running"]
                return sorted(
                    (one["Labels"].get("quarterdeck.service", ""), of_container(engine.inspect(one["Id"])))
                    for one in running
                )

        def process(application: Application) -> Any:
            (found,) = [
                one for one in Processes(made.runtime).list() if one.labels["quarterdeck.resource"] == application.id
            ]
            own = {"PORT", "QUARTERDECK_PROCESS"}
            words = (Path("/proc") / str(found.pid) / "environ").read_text().split("\0")
            return sorted(word for word in words if word.partition("=")[0] not in own), tree_of(made, found.pid)

        yield Place(made, client, process if kind == "process" else contained)


def tree_of(made: Deck, pid: int | None) -> dict[str, str]:
    """What lies where the process works."""
    top = (Path("/proc") / str(pid) / "cwd").resolve()
    assert top.is_relative_to(made.runtime)
    return {str(path.relative_to(top)): path.read_text() for path in sorted(top.rglob("*.py"))}


def test_each_rollback_gives_back_exactly_what_the_version_was(
    yard: Place, kind: str, repositories: Repositories
) -> None:
    client = yard.client
    repository = repositories.sample("sockets", f"back-{kind}")
    if kind == "stack":
        repository.change({"compose.yml": COMPOSE.replace('"stack"', '"${WORD}"')})
        application = client.application("back", repository.source(), port=None, kind="compose-stack")
    elif kind == "process":
        runtime = {"strategy": "workspace-commands", "startCommand": "python3 server.py"}
        application = client.application("back", repository.source(), runtime=runtime)
    else:
        application = client.application("back", repository.source())

    first_seen: dict[str, Any] = {}
    newest: dict[str, str] = {}
    for version in VERSIONS:
        if version != "1":
            repository.release(version)
        variable = {"key": "WORD", "value": f"word-{version}", "kind": "plain-config", "exposure": "runtime"}
        client.post(f"/api/resources/{application.id}/variables", variable)
        last = client.deployed(application)
        newest[version] = last
        first_seen[version] = seen(yard, application, last, version)
    assert len({repr(one) for one in first_seen.values()}) == len(VERSIONS)

    draw = random.Random(f"{SEED}-{kind}")  # noqa: S311 - to be repeated, not to be secret
    order: list[str] = []
    serving = VERSIONS[-1]
    for number in range(ROUNDS[kind]):
        if not order:
            order = draw.sample(VERSIONS, len(VERSIONS))
            if order[0] == serving:
                order.append(order.pop(0))
        serving = order.pop(0)
        last = client.succeeded(client.rollback(last, newest[serving]))
        newest[serving] = last
        assert seen(yard, application, last, serving) == first_seen[serving], (number, serving)


def seen(yard: Place, application: Application, deployment: str, version: str) -> Any:
    """What runs once the version before is gone, and that it is this one."""
    until(lambda: unfinished_jobs(yard.deck) == [], lambda: unfinished_jobs(yard.deck))
    answer = yard.client.visit(yard.client.hostname(deployment))
    assert answer.text == f"{version} word-{version}\n"
    return yard.look(application)
