"""A machine burns down: another one is given the backup and the key, and everything works as it did."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from e2e.client import Client, signed_in
from e2e.conftest import own_database
from e2e.repositories import Repositories
from e2e.server import PROGRAM, Deck, deck, environment
from e2e.small_server import FILES, RUNTIME
from e2e.truth import audit_problems, rows, settled, until

pytestmark = [pytest.mark.edge, pytest.mark.root]


SLOW = {**RUNTIME, "installCommand": "sleep 3", "buildCommand": "sleep 3"}


@pytest.fixture
def empty_postgresql(postgresql: str) -> Iterator[str]:
    name = "restored_" + uuid.uuid4().hex[:12]
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield f"{postgresql}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def quarterdeck(made: Deck, *arguments: str) -> dict[str, object]:
    options = ["--data-dir", str(made.data)]
    if made.database_url:
        options += ["--database-url", f"@{made.data.parent / 'database-url'}"]
    done = subprocess.run(
        [*PROGRAM, *arguments, *options, "-o", "json"],
        env=environment(None), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout, done.stderr)
    return dict(json.loads(done.stdout))


def facts(made: Deck, *, without: str) -> dict[str, list[tuple[object, ...]]]:
    """What has to be the same afterwards."""
    columns = "ref, status, artifact, plan, runtime"
    return {
        "deployments": rows(made, f"SELECT {columns} FROM deploy_deployments WHERE ref <> '{without}' ORDER BY ref"),
        "serving": rows(made, "SELECT ref, serving_id FROM deploy_resources ORDER BY ref"),
        "users": rows(made, "SELECT uid, username, email, password_hash FROM identity_users ORDER BY uid"),
        "audit": rows(made, "SELECT id, action, resource_id FROM audit_events WHERE action NOT LIKE 'session.%'"),
    }


def burn(made: Deck, keep: Path) -> None:
    """Everything that ran is ended, everything that was kept is gone, but for the key and the backup."""
    shutil.copy(made.data / "master.key", keep)
    made.destroy()
    shutil.rmtree(made.data)


@pytest.fixture
def machine(place: Path, database_kind: str, request: pytest.FixtureRequest) -> Iterator[Deck]:
    name = f"drill-{database_kind}"
    with (
        contextlib.contextmanager(own_database)(database_kind, request) as url,
        deck(place / name, database_url=url) as made,
    ):
        yield made


def test_the_drill(machine: Deck, place: Path, repositories: Repositories, request: pytest.FixtureRequest) -> None:
    with signed_in(machine) as client:
        drill(machine, client, repositories, place, request)


def drill(made: Deck, client: Client, repositories: Repositories, place: Path, request: pytest.FixtureRequest) -> None:
    repository = repositories.add("drill", FILES)
    application = client.application("drill", repository.source(), port=8000, runtime=RUNTIME)
    secret = {"key": "CODE", "value": "0000-secret", "kind": "secret", "exposure": "runtime", "isSecret": True}
    client.post(f"/api/resources/{application.id}/variables", secret)
    site = client.application("site", repositories.sample("static", "drill-site").source(), port=80)
    first = client.deployed(application)
    repository.release("2")
    second = client.succeeded(client.redeploy(application))
    served = client.deployed(site)
    settled(made, client, application, second)
    assert client.visit(client.hostname(second)).text == "drill 2 0000-secret"
    host, site_host = client.hostname(second), client.hostname(served)
    slow = client.application("slow", repository.source(), port=8001, runtime=SLOW)
    flying = client.deploy(slow)
    until(lambda: client.status(flying) == "running", lambda: client.show(flying)["status"])
    file, key = place / f"{made.data.parent.name}.tar.gz", place / f"{made.data.parent.name}.key"
    told = quarterdeck(made, "backup", str(file))
    assert told["releases"] in {3, 4}, "the one under way may be laid out already"
    made.stop(graceful=False)
    before = facts(made, without=flying)
    burn(made, key)
    if made.database_url:
        made.database_url = request.getfixturevalue("empty_postgresql")
        (made.data.parent / "database-url").write_text(made.database_url)
    quarterdeck(made, "restore", str(file), "--key", str(key))
    assert facts(made, without=flying) == before
    made.start()
    client.sign_in()
    # No trace of the processes is left: the server starts again what should run, with the secret from the vault.
    until(lambda: client.visit(host).text == "drill 2 0000-secret", lambda: (client.visit(host).text, made.log()))
    assert ">static 1<" in client.visit(site_host).text
    assert audit_problems(made) == []
    third = client.succeeded(client.rollback(second, first))
    assert client.visit(client.hostname(third)).text == "drill 1 0000-secret"
    settled(made, client, application, third)
    # What was under way at the instant of the backup goes on: its source is fetched again, nothing is stuck.
    client.succeeded(flying)
    assert client.visit(client.hostname(flying)).text == "drill 2 None"
    settled(made, client, slow, flying)
